"""The local environment: the function files of the checkout, files and SQLite."""

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from kycourier.adapters.local.files import PRIVATE_FILE
from kycourier.ports import Clock
from kycourier_devkit.cli.context import CliContext
from kycourier_devkit.demo.environments.environment import (
    FIRST_SWEEP_SECONDS,
    Members,
    read_log,
)
from kycourier_devkit.demo.environments.traits import LOCAL
from kycourier_devkit.demo.operator_command import Finished, run_command
from kycourier_devkit.demo.runner import Check
from kycourier_devkit.emulators.http_call import ApiResponse, build_call, parse_response
from kycourier_devkit.emulators.lambda_runtime.events import (
    Message,
    build_http_event,
    build_queue_event,
    build_timer_event,
)
from kycourier_devkit.emulators.local_runtime.process import (
    FunctionProcess,
    function_file,
)
from kycourier_devkit.emulators.running_function import FUNCTIONS, close_all
from kycourier_devkit.sandbox import Sandbox
from kycourier_devkit.workspace.local_settings import local_environ

LOG = "functions.log"
_CLOUD_MARKS = {"AWS_LAMBDA_FUNCTION_NAME", "TENCENTCLOUD_RUNENV", "SCF_FUNCTIONNAME"}


class LocalEnvironment:
    """Invokes the function files with the events of Lambda's triggers."""

    traits = LOCAL

    def __init__(
        self,
        functions: Mapping[str, FunctionProcess],
        environ: Mapping[str, str],
        *,
        root: Path,
        sandbox: Sandbox,
        clock: Clock,
    ) -> None:
        self._functions, self._environ = functions, environ
        self.root, self.sandbox, self.clock = root, sandbox, clock

    def fire_timer(self, name: str) -> Members:
        """Invokes a function as its timer does; returns the result."""
        event = build_timer_event(name, at=self.clock.now())
        result: Members = self._functions[name].invoke(event)
        return result

    def deliver(self, *bodies: str) -> list[str]:
        """Delivers messages in one batch; returns those that the function returned."""
        sent = [Message(id=f"m{at}", body=body) for at, body in enumerate(bodies)]
        event = build_queue_event(sent, at=self.clock.now())
        result = self._functions["collect_results"].invoke(event)
        failed = {each["itemIdentifier"] for each in result["batchItemFailures"]}
        return [message.body for message in sent if message.id in failed]

    def retry_due_orders(self) -> int:
        """Fires the sweep timer; returns how many orders were due."""
        return int(self.fire_timer("sweep_orders")["due"])

    def request(
        self,
        method: str,
        target: str,
        *,
        signed: bool = True,  # noqa: ARG002 - nothing is authenticated here
    ) -> ApiResponse:
        """Sends a request to the API."""
        call = build_call(method, target, [("Host", "localhost")])
        event = build_http_event(call, at=self.clock.now())
        return parse_response(self._functions["orders_api"].invoke(event))

    def events(self) -> list[Members]:
        """Returns all published events."""
        path = self.root / "events.jsonl"
        lines = path.read_text("utf-8").splitlines() if path.exists() else []
        return list(map(json.loads, lines))

    def log_lines(self) -> list[Members]:
        """Returns the functions' log events."""
        return read_log(self.root / LOG)

    def verify(self) -> Finished:
        """Runs `kycourier verify` on all evidence."""
        return self._run_command("verify", str((self.root / "evidence").absolute()))

    def examine(self) -> Finished:
        """Runs `kycourier doctor` with the functions' settings."""
        return self._run_command("doctor")

    def _run_command(self, *arguments: str) -> Finished:
        return run_command(*arguments, environ=self._environ)

    def outputs(self) -> str:
        """Returns all events and log lines."""
        files = (self.root / name for name in ("events.jsonl", LOG))
        return "".join(file.read_text("utf-8") for file in files)

    def secrets(self) -> Collection[str]:
        """Returns secrets, tickets, signatures and card numbers."""
        return self.sandbox.canaries()

    def check_broken_message(self, body: str) -> Iterator[Check]:  # noqa: ARG002
        """Checks nothing: the message was returned, which the scenario checks."""
        yield from ()


@contextmanager
def open_local(session: CliContext) -> Iterator[LocalEnvironment]:
    """Starts the sandbox and the four functions; ends them with the block.

    The KYCOURIER_ variables of the session do not count.
    """
    other = {
        name: value
        for name, value in session.environ.items()
        if not name.startswith("KYCOURIER_") and name not in _CLOUD_MARKS
    }
    with ExitStack() as stack:
        sandbox = stack.enter_context(Sandbox())
        environ = local_environ(other, root=session.root, kyc_url=sandbox.url)
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
        yield LocalEnvironment(
            functions,
            environ,
            root=session.root,
            sandbox=sandbox,
            clock=session.clock,
        )
