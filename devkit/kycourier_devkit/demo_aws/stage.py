"""The stage on AWS: an account on loopback with the stack, functions, the emulator."""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import requests

from kycourier.ports import Clock
from kycourier_devkit.demo.commands import Ended, run_command
from kycourier_devkit.demo.stage import Answer, Members, read_answer, read_facts
from kycourier_devkit.demo_aws.account import Account
from kycourier_devkit.demo_aws.queues import (
    OrdersQueue,
    let_consumer_listen,
    read_events,
    take_over_queue,
)
from kycourier_devkit.functions.process import FUNCTIONS, close_all
from kycourier_devkit.functions.running import enter
from kycourier_devkit.functions.trigger_events import (
    HttpCall,
    build_http_event,
    build_timer_event,
)
from kycourier_devkit.lambda_runtime.deployment import Deployment, deploy
from kycourier_devkit.lambda_runtime.process import LambdaProcess
from kycourier_devkit.sandbox import APP_ID, APP_SECRET, Report, Sandbox
from kycourier_devkit.session import Session
from kycourier_devkit.stand_ins.servers import start_moto
from kycourier_devkit.stand_ins.stack import Stack, make_stack
from kycourier_devkit.toolbox import ROOT

STACK = "kycourier"
REFRESH, COLLECT, API, SWEEP = FUNCTIONS
FIRST_SWEEP_SECONDS = 1
_DOWNLOAD_SECONDS = 10


class CloudStage:
    """Calls the functions as AWS would, and looks at what came of it."""

    def __init__(
        self,
        account: Account,
        stack: Stack,
        deployment: Deployment,
        sandbox: Sandbox,
        *,
        variables: Mapping[str, Mapping[str, str]],
        log: Path,
        clock: Clock,
    ) -> None:
        self.account, self.stack, self.clock = account, stack, clock
        self._deployment, self._sandbox, self.log = deployment, sandbox, log
        self._variables = variables
        self._running: dict[str, LambdaProcess] = {}
        self.keys = {
            name: account.assume(function.role, function.policies)
            for name, function in stack.functions.items()
        }
        self._sqs, self._stream = account.client("sqs"), log.open("ab")
        self.orders = OrdersQueue(
            self._sqs,
            url=stack.outputs["QueueUrl"],
            dead_letters_url=stack.outputs["DeadLetterQueueUrl"],
        )
        take_over_queue(account)
        self._consumer = let_consumer_listen(account, stack)
        self._events: list[Members] = []
        account.enforce()

    def close(self) -> None:
        """End the functions."""
        close_all(self._running.values())
        self._stream.close()

    def put_secret(self) -> None:
        """Put the app's secret where the stack left room for it."""
        self.account.client("secretsmanager").put_secret_value(
            SecretId=self.stack.outputs["AppSecretArn"], SecretString=APP_SECRET
        )

    def start(self, name: str) -> LambdaProcess:
        """Start a function cold, or give it as it runs. Raises FunctionNotStarted."""
        if name not in self._running:
            environ = {**self._variables[name], **self.keys[name]}
            process = LambdaProcess(name, self._deployment, environ, log=self._stream)
            self._running[name] = enter(process)
        return self._running[name]

    def operate(self, *arguments: str) -> Ended:
        """Run a command of `kycourier` as the operator, with the account's address."""
        with self.account.relaxed():
            return run_command(*arguments, environ=self.account.environ)

    def fire(self, name: str) -> Members:
        """Let a function's timer fire."""
        event = build_timer_event(name, at=self.clock.now())
        answer: Members = self.start(name).invoke(event)
        return answer

    def deliver(self) -> list[int]:
        """Let Lambda poll the queue until it is empty; what each batch returned."""
        polling = self.account.client("sqs", self.keys[COLLECT])
        return self.orders.deliver(self.start(COLLECT), polling=polling)

    def request(self, method: str, path: str) -> Answer:
        """Send a request through the HTTP API, which has authenticated it."""
        call = HttpCall(method=method, path=path, headers=[("Host", "localhost")])
        event = build_http_event(call, at=self.clock.now())
        return read_answer(self.start(API).invoke(event))

    def download(self, link: str) -> bytes:
        """Follow a link as a browser does; moto asks for a header where none is due."""
        with self.account.relaxed():
            return requests.get(link, timeout=_DOWNLOAD_SECONDS).content

    @contextmanager
    def denied(self, name: str) -> Iterator[None]:
        """Take a function's rights to the table away for a while."""
        iam = self.account.client("iam")
        role = self.stack.functions[name].role
        policy, document = (
            "deny",
            {
                "Version": "2012-10-17",
                "Statement": [
                    {"Effect": "Deny", "Action": "dynamodb:UpdateItem", "Resource": "*"}
                ],
            },
        )
        iam.put_role_policy(
            RoleName=role, PolicyName=policy, PolicyDocument=json.dumps(document)
        )
        try:
            yield
        finally:
            iam.delete_role_policy(RoleName=role, PolicyName=policy)

    def choose(self, order_no: str, behaviour: str) -> None:
        """Choose what the platform does with an order."""
        self._sandbox.set_order(order_no, behaviour)

    def report(self) -> Report:
        """Give what the platform has seen."""
        return self._sandbox.report()

    def queries(self, order_no: str) -> int:
        """Tell how often the platform was asked for an order."""
        return self.report().queries_per_order[order_no]

    def events(self, order_no: str | None = None) -> list[Members]:
        """Give the events that a consumer of the bus has had, or those of one order."""
        came = read_events(self._sqs, self._consumer)
        self._events += [each["detail"] for each in came]
        return [each for each in self._events if order_no in {None, each["subject"]}]

    def log_lines(self) -> list[Members]:
        """Give the functions' log lines that are facts of ours."""
        self._stream.flush()
        return read_facts(self.log)

    def leaks(self) -> int:
        """Count secrets and card numbers in events, log lines and dead letters."""
        text = self.log.read_text("utf-8") + json.dumps(self._events)
        text += "".join(self.orders.dead_letters())
        return sum(canary in text for canary in self.canaries())

    def canaries(self) -> list[str]:
        """Give what must not be seen: secrets, tickets, signatures, card numbers."""
        return list(self._sandbox.canaries())


def _set(
    settings: Mapping[str, str], account: Account, stack: Stack
) -> dict[str, dict[str, str]]:
    """Set variables of the stack's functions; give all that each has then."""
    functions, variables = account.client("lambda"), {}
    for name, function in stack.functions.items():
        variables[name] = {**function.environ, **settings}
        functions.update_function_configuration(
            FunctionName=function.name, Environment={"Variables": variables[name]}
        )
    return variables


def _lay_out(packages: Path, folder: Path) -> Path:
    """Lay the template beside the zips as it names them; give the folder."""
    folder.mkdir(parents=True)
    shutil.copy(ROOT / "template.yaml", folder)
    (folder / "dist").symlink_to(packages.absolute())
    return folder


@contextmanager
def set_stage(
    session: Session,
    packages: Path,
    folder: Path,
    *,
    log: Path,
    record: Path | None = None,
) -> Iterator[CloudStage]:
    """Start the account and the emulator, and make the stack; end all at the end.

    `packages` holds the built zips, `folder` is free for what is unpacked; `record`
    takes who called what. Raises ToolMissing, StackNotMade.
    """
    with ExitStack() as ends:
        deployment = deploy(packages, folder / "lambda")
        sandbox = ends.enter_context(Sandbox())
        account = Account(ends.enter_context(start_moto(record=record)))
        parameters = {"AppId": APP_ID}
        stack = make_stack(
            account.environ,
            parameters,
            project=_lay_out(packages, folder / "project"),
            name=STACK,
        )
        settings = {
            "KYCOURIER_KYC_URL": sandbox.url,
            "KYCOURIER_FIRST_SWEEP_SECONDS": str(FIRST_SWEEP_SECONDS),
        }
        stage = CloudStage(
            account,
            stack,
            deployment,
            sandbox,
            variables=_set(settings, account, stack),
            log=log,
            clock=session.clock,
        )
        ends.callback(stage.close)
        yield stage
