"""The demo's stage: the emulator, the four functions, and what can be seen of them."""

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from msgspec import Struct

from kycourier.adapters.local.files import PRIVATE_FILE
from kycourier.ports import Clock
from kycourier_devkit.functions.process import (
    FUNCTIONS,
    FunctionProcess,
    close_all,
    function_file,
)
from kycourier_devkit.functions.trigger_events import (
    HttpCall,
    Message,
    build_http_event,
    build_queue_event,
    build_timer_event,
)
from kycourier_devkit.local import local_environ
from kycourier_devkit.sandbox import Report, Sandbox
from kycourier_devkit.session import Session

FIRST_SWEEP_SECONDS = 1
LOG = "functions.log"
_CLOUD_MARKS = {"AWS_LAMBDA_FUNCTION_NAME", "TENCENTCLOUD_RUNENV", "SCF_FUNCTIONNAME"}

Members = Mapping[str, Any]


class Answer(Struct, frozen=True):
    """What the API answered; `members` is the body, if it is JSON."""

    status: int
    headers: Mapping[str, str]
    members: Members


def read_answer(told: Members) -> Answer:
    """Read what a function gives to whoever called its URL."""
    body = told["body"]
    members = json.loads(body) if body else {}
    return Answer(told["statusCode"], told["headers"], members)


def read_facts(log: Path) -> list[Members]:
    """Give the lines of a log that are facts of ours."""
    lines = []
    for line in log.read_text("utf-8").splitlines():
        with suppress(ValueError):
            lines.append(json.loads(line))
    return [line for line in lines if isinstance(line, dict) and "message" in line]


class Stage:
    """Calls the functions as the clouds would, and looks at what came of it."""

    def __init__(
        self,
        functions: Mapping[str, FunctionProcess],
        sandbox: Sandbox,
        root: Path,
        clock: Clock,
    ) -> None:
        self._functions, self._sandbox = functions, sandbox
        self.root, self.clock = root, clock

    def fire(self, name: str) -> Members:
        """Let a function's timer fire."""
        event = build_timer_event(name, at=self.clock.now())
        answer: Members = self._functions[name].invoke(event)
        return answer

    def deliver(self, *messages: Message) -> list[str]:
        """Deliver a batch of the queue; give the ids that came back."""
        event = build_queue_event(messages, at=self.clock.now())
        answer = self._functions["collect_results"].invoke(event)
        return [each["itemIdentifier"] for each in answer["batchItemFailures"]]

    def request(self, method: str, path: str) -> Answer:
        """Send a request to the API."""
        call = HttpCall(method=method, path=path, headers=[("Host", "localhost")])
        event = build_http_event(call, at=self.clock.now())
        return read_answer(self._functions["orders_api"].invoke(event))

    def choose(self, order_no: str, behaviour: str) -> None:
        """Choose what the platform does with an order."""
        self._sandbox.set_order(order_no, behaviour)

    def kill_ticket(self) -> None:
        """Let the platform revoke its tickets."""
        self._sandbox.kill_ticket()

    def report(self) -> Report:
        """Give what the platform has seen."""
        return self._sandbox.report()

    def queries(self, order_no: str) -> int:
        """Tell how often the platform was asked for an order."""
        return self.report().queries_per_order[order_no]

    def events(self, order_no: str | None = None) -> list[Members]:
        """Give the events sent so far, or those of one order."""
        path = self.root / "events.jsonl"
        lines = path.read_text("utf-8").splitlines() if path.exists() else []
        events = map(json.loads, lines)
        return [each for each in events if order_no in {None, each["subject"]}]

    def leaks(self) -> int:
        """Count the secrets and card numbers that stand in events or log lines."""
        text = "".join(
            (self.root / name).read_text("utf-8") for name in ("events.jsonl", LOG)
        )
        return sum(canary in text for canary in self._sandbox.canaries())


@contextmanager
def set_stage(session: Session) -> Iterator[Stage]:
    """Start the emulator and the four functions; end them all at the end.

    The demo's settings are its own: none of the environment's counts.
    """
    plain = {
        name: value
        for name, value in session.environ.items()
        if not name.startswith("KYCOURIER_") and name not in _CLOUD_MARKS
    }
    with ExitStack() as stack:
        sandbox = stack.enter_context(Sandbox())
        environ = local_environ(plain, root=session.root, kyc_url=sandbox.url)
        environ["KYCOURIER_FIRST_SWEEP_SECONDS"] = str(FIRST_SWEEP_SECONDS)
        log = session.root / LOG
        log.touch(PRIVATE_FILE)
        stream = stack.enter_context(log.open("ab"))
        functions: dict[str, FunctionProcess] = {}
        stack.callback(lambda: close_all(functions.values()))
        for name in FUNCTIONS:
            path = function_file(name)
            functions[name] = FunctionProcess(path, environ, log=stream)
        for function in functions.values():
            function.wait_until_ready()
        yield Stage(functions, sandbox, session.root, session.clock)
