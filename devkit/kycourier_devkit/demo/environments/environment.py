"""The contract between the scenario and the environments that it runs in."""

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any, Protocol

from kycourier.ports import Clock
from kycourier_devkit.demo.environments.traits import Resource, Traits
from kycourier_devkit.demo.operator_command import Finished
from kycourier_devkit.demo.runner import Check
from kycourier_devkit.emulators.http_call import ApiResponse
from kycourier_devkit.emulators.running_function import RunningFunction
from kycourier_devkit.sandbox import Sandbox

Members = Mapping[str, Any]

FIRST_SWEEP_SECONDS = 1
_POLL_SECONDS = 0.2
_GIVE_UP_SECONDS = 60


class Environment(Protocol):
    """The four functions with their triggers, the KYC platform, and all outputs."""

    @property
    def traits(self) -> Traits:
        """Values in which this environment differs from the others."""

    @property
    def sandbox(self) -> Sandbox:
        """The KYC platform that the functions call."""

    @property
    def clock(self) -> Clock:
        """The clock for waiting."""

    def fire_timer(self, name: str) -> Members:
        """Invokes a function as its timer does; returns the result."""

    def deliver(self, *bodies: str) -> list[str]:
        """Sends messages and deliver until the queue is empty.

        Returns:
            The body of each message as often as the function returned it.
        """

    def retry_due_orders(self) -> int:
        """Retries the orders that are due by now; returns how many were."""

    def request(self, method: str, target: str, *, signed: bool = True) -> ApiResponse:
        """Sends a request to the API, by default as an authorized caller."""

    def events(self) -> list[Members]:
        """Returns all published events."""

    def log_lines(self) -> list[Members]:
        """Returns the functions' log events."""

    def verify(self) -> Finished:
        """Runs `kycourier verify` on all evidence."""

    def examine(self) -> Finished:
        """Runs `kycourier doctor` with the functions' settings."""

    def outputs(self) -> str:
        """Returns all text in which no secret may appear."""

    def secrets(self) -> Collection[str]:
        """Returns what must not appear: secrets, tickets, signatures, card numbers."""

    def check_broken_message(self, body: str) -> Iterator[Check]:
        """Checks where a message ended that is not JSON."""


class CloudEnvironment(Environment, Protocol):
    """An environment with a deployment, permissions and a bucket."""

    def deploy(self) -> Iterator[Check]:
        """Deploys the packages, or checks the deployment made at start."""

    def start(self, name: str) -> RunningFunction:
        """Returns a function, started cold if necessary. Raises FunctionStartError."""

    def put_secrets(self) -> bool:
        """Stores the values that the deployment left empty; False if that failed."""

    def deny(self, resource: Resource) -> AbstractContextManager[None]:
        """Denies writing to a resource within the block."""

    def download(self, link: str) -> bytes:
        """Follows a link as a browser does."""


class DeadLetterEnvironment(CloudEnvironment, Protocol):
    """A cloud whose queue has a dead-letter queue."""

    def dead_letters(self) -> list[str]:
        """Returns the bodies in the dead-letter queue."""

    def purge_dead_letters(self) -> None:
        """Deletes all dead letters."""

    def redrive(self) -> int:
        """Moves all dead letters back to the queue; returns how many."""


class RenewingEnvironment(CloudEnvironment, Protocol):
    """A cloud that renews credentials of a running function."""

    def renew_credentials(self) -> bool:
        """Renews the role's credentials; False if the former ones still work."""


def wait_until(
    environment: Environment,
    condition: Callable[[], bool],
    *,
    act: Callable[[], object] = lambda: None,
) -> bool:
    """Repeats `act` until a condition holds; False if it does not within a minute."""
    clock = environment.clock
    ends_at = clock.monotonic() + _GIVE_UP_SECONDS
    while not condition():
        if clock.monotonic() > ends_at:
            return False
        clock.sleep(_POLL_SECONDS)
        act()
    return True


def events_of(environment: Environment, order_no: str) -> list[Members]:
    """Returns the published events of one order."""
    return [each for each in environment.events() if each["subject"] == order_no]


def read_log(log: Path) -> list[Members]:
    """Returns the log events of a log file, which may have other lines too."""
    lines = []
    for line in log.read_text("utf-8").splitlines():
        with suppress(ValueError):
            lines.append(json.loads(line))
    return [line for line in lines if isinstance(line, dict) and "message" in line]
