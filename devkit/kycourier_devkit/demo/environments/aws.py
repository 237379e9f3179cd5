"""The AWS environment: template.yaml in moto, the packages under Lambda's runtime."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import requests

from kycourier.ports import Clock
from kycourier_devkit.demo.environments.environment import (
    Members,
    read_log,
)
from kycourier_devkit.demo.environments.traits import AWS, Resource
from kycourier_devkit.demo.operator_command import Finished, run_command
from kycourier_devkit.demo.runner import Check
from kycourier_devkit.emulators.aws.account import AwsAccount
from kycourier_devkit.emulators.aws.orders_queue import (
    Deliveries,
    OrdersQueue,
    disable_trigger,
    read_events,
    subscribe_consumer,
)
from kycourier_devkit.emulators.aws.stack import Stack
from kycourier_devkit.emulators.http_call import ApiResponse, build_call, parse_response
from kycourier_devkit.emulators.lambda_runtime.deployment import (
    LambdaDeployment,
)
from kycourier_devkit.emulators.lambda_runtime.events import (
    build_http_event,
    build_timer_event,
)
from kycourier_devkit.emulators.lambda_runtime.process import LambdaProcess
from kycourier_devkit.emulators.running_function import (
    FUNCTIONS,
    close_all,
    start_or_close,
)
from kycourier_devkit.sandbox import APP_ID, APP_SECRET, Sandbox

STACK = "kycourier"
_CONSUMER = "collect_results"
_DOWNLOAD_SECONDS = 10


class AwsEnvironment:
    """Invokes the functions as AWS does, each with the keys of its own role."""

    traits = AWS

    def __init__(
        self,
        account: AwsAccount,
        stack: Stack,
        deployment: LambdaDeployment,
        *,
        variables: Mapping[str, Mapping[str, str]],
        sandbox: Sandbox,
        clock: Clock,
        log: Path,
    ) -> None:
        self.account, self.stack, self.sandbox = account, stack, sandbox
        self.clock, self.log = clock, log
        self._deployment, self._variables = deployment, variables
        self._running: dict[str, LambdaProcess] = {}
        self._stream = log.open("ab")
        self.keys = {
            name: account.assume(function.role, function.policies)
            for name, function in stack.functions.items()
        }
        self._sqs = account.client("sqs")
        self._queue = OrdersQueue(
            self._sqs,
            url=stack.outputs["QueueUrl"],
            dead_letters_url=stack.outputs["DeadLetterQueueUrl"],
        )
        disable_trigger(account)
        self._consumer = subscribe_consumer(account, stack.outputs["EventBusName"])
        self._events: list[Members] = []
        account.enforce()

    def close(self) -> None:
        """Ends the functions."""
        close_all(self._running.values())
        self._stream.close()

    def deploy(self) -> Iterator[Check]:
        """Checks the stack, which was created at start."""
        complete = set(self.stack.functions) == set(FUNCTIONS)
        yield Check("the stack of template.yaml has the four functions", complete)

    def put_secrets(self) -> bool:
        """Stores the app secret's value."""
        self.account.client("secretsmanager").put_secret_value(
            SecretId=self.stack.outputs["AppSecretArn"], SecretString=APP_SECRET
        )
        return True

    def start(self, name: str) -> LambdaProcess:
        """Returns a function, started cold if necessary. Raises FunctionStartError."""
        if name not in self._running:
            environ = {**self._variables[name], **self.keys[name]}
            process = LambdaProcess(name, self._deployment, environ, log=self._stream)
            self._running[name] = start_or_close(process)
        return self._running[name]

    def fire_timer(self, name: str) -> Members:
        """Invokes a function as its timer does; returns the result."""
        event = build_timer_event(name, at=self.clock.now())
        result: Members = self.start(name).invoke(event)
        return result

    def deliver(self, *bodies: str) -> list[str]:
        """Sends messages and deliver until the queue is empty; returns the returned."""
        self._queue.send(*bodies)
        return self._poll_queue().returned

    def retry_due_orders(self) -> int:
        """Delivers the messages whose delay is over; returns how many."""
        return self._poll_queue().delivered

    def dead_letters(self) -> list[str]:
        """Returns the bodies in the dead-letter queue."""
        return self._queue.dead_letters()

    def purge_dead_letters(self) -> None:
        """Deletes all dead letters."""
        self._queue.purge_dead_letters()

    def redrive(self) -> int:
        """Moves all dead letters back to the queue; returns how many."""
        return self._queue.redrive()

    def request(
        self,
        method: str,
        target: str,
        *,
        signed: bool = True,  # noqa: ARG002 - the HTTP API has authenticated it
    ) -> ApiResponse:
        """Sends a request through the HTTP API."""
        call = build_call(method, target, [("Host", "localhost")])
        event = build_http_event(call, at=self.clock.now())
        return parse_response(self.start("orders_api").invoke(event))

    def download(self, link: str) -> bytes:
        """Follows a link as a browser does."""
        with self.account.relaxed():
            return requests.get(link, timeout=_DOWNLOAD_SECONDS).content

    @contextmanager
    def deny(self, resource: Resource) -> Iterator[None]:
        """Denies writing to a resource within the block."""
        iam = self.account.client("iam")
        named = {"RoleName": self.stack.functions[_CONSUMER].role, "PolicyName": "deny"}
        action = AWS.permissions[resource]
        statement = {"Effect": "Deny", "Action": action, "Resource": "*"}
        document = {"Version": "2012-10-17", "Statement": [statement]}
        iam.put_role_policy(**named, PolicyDocument=json.dumps(document))
        try:
            yield
        finally:
            iam.delete_role_policy(**named)

    def events(self) -> list[Members]:
        """Returns all events that a consumer of the bus has received."""
        received = read_events(self._sqs, self._consumer)
        self._events += [each["detail"] for each in received]
        return list(self._events)

    def log_lines(self) -> list[Members]:
        """Returns the functions' log events."""
        return read_log(self.log)

    def verify(self) -> Finished:
        """Runs `kycourier verify` on all evidence."""
        evidence = f"{self.stack.outputs['EvidenceUri']}/{APP_ID}"
        return self._run_command("verify", evidence)

    def examine(self) -> Finished:
        """Runs `kycourier doctor` with the stack's settings."""
        return self._run_command("--stack", STACK, "doctor")

    def outputs(self) -> str:
        """Returns all events, log lines and dead letters."""
        parts = [json.dumps(self.events()), *self.dead_letters()]
        return self.log.read_text("utf-8") + "".join(parts)

    def secrets(self) -> list[str]:
        """Returns secrets, tickets, signatures and card numbers."""
        return list(self.sandbox.canaries())

    def check_broken_message(self, body: str) -> Iterator[Check]:
        """Checks that the message is in the dead-letter queue."""
        text = f"after {AWS.broken_returns} receives it is in the dead-letter queue"
        yield Check(text, self.dead_letters() == [body])

    def _poll_queue(self) -> Deliveries:
        polling = self.account.client("sqs", self.keys[_CONSUMER])
        return self._queue.deliver(self.start(_CONSUMER), polling=polling)

    def _run_command(self, *arguments: str) -> Finished:
        with self.account.relaxed():
            return run_command(*arguments, environ=self.account.environ)
