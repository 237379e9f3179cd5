"""The contract of a running function, and what every runtime shares."""

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, Protocol, TypeVar

from kycourier_devkit.errors import (
    FunctionExitedError,
    FunctionStartError,
    FunctionTimeoutError,
)

FUNCTIONS = ("refresh_ticket", "collect_results", "orders_api", "sweep_orders")
START_SECONDS = 30.0
TIME_LIMIT_SECONDS = 30.0
END_SECONDS = 0.5

T = TypeVar("T")


class ReadTimedOut(Exception):  # noqa: N818 - the caller turns it into a FunctionError
    """The function did not respond within the time given."""


class RunningFunction(Protocol):
    """One function in a process of its own. One invocation at a time."""

    name: str

    @property
    def pid(self) -> int:
        """The process id."""

    @property
    def is_running(self) -> bool:
        """Whether the process is alive."""

    def wait_until_ready(self, timeout_seconds: float = ...) -> None:
        """Waits until the file has loaded. Raises FunctionStartError."""

    def invoke(self, event: object, *, timeout_seconds: float = ...) -> Any:  # noqa: ANN401 - the handler's JSON
        """Calls the handler with a JSON event. Raises FunctionError."""

    def kill(self) -> None:
        """Ends the process at once, whatever it is doing."""

    def request_exit(self) -> None:
        """Asks the process to end; `close` waits for it."""

    def close(self, *, within_seconds: float = ...) -> None:
        """Ends the process: on request, or killed if that takes too long."""


Function = TypeVar("Function", bound=RunningFunction)


def start_or_close(function: Function) -> Function:
    """Waits until the function is ready; closes it if it does not start."""
    try:
        function.wait_until_ready()
    except BaseException:
        function.close()
        raise
    return function


def read_startup(name: str, read: Callable[[float], T], timeout_seconds: float) -> T:
    """Reads the first message of a function. Raises FunctionStartError."""
    try:
        return read(timeout_seconds)
    except FunctionTimeoutError:
        problem = f"not ready within {timeout_seconds:g} s"
    except FunctionExitedError as error:
        problem = str(error)
    raise FunctionStartError(f"{name} did not start: {problem}")


def read_or_kill(
    function: RunningFunction, read: Callable[[float], T], timeout_seconds: float
) -> T:
    """Reads the next message; kills the function if it is late.

    Raises:
        FunctionTimeoutError: no message came within `timeout_seconds`.
    """
    with suppress(ReadTimedOut):
        return read(timeout_seconds)
    function.kill()
    raise FunctionTimeoutError(function.name, timeout_seconds)


def close_all(functions: Iterable[RunningFunction]) -> None:
    """Ends several functions, all within about `END_SECONDS`."""
    functions = list(functions)
    ends_at = time.monotonic() + END_SECONDS
    try:
        for function in functions:
            function.request_exit()
        for function in functions:
            function.close(within_seconds=max(0.0, ends_at - time.monotonic()))
    except BaseException:  # a second Ctrl-C
        for function in functions:
            function.kill()
        raise
