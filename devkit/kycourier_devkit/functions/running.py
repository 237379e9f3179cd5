"""What every running function can do, whoever runs it, and what all of them share."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol, TypeVar

from kycourier_devkit.errors import FunctionDied, FunctionNotStarted, FunctionTimedOut
from kycourier_devkit.functions.line_reader import Late

T = TypeVar("T")


class RunningFunction(Protocol):
    """One function in a process of its own. One invocation at a time."""

    name: str

    @property
    def pid(self) -> int:
        """The process's number."""

    @property
    def is_running(self) -> bool:
        """Tell whether the process is there."""

    def wait_until_ready(self, timeout_seconds: float = ...) -> None:
        """Wait until the file has loaded. Raises FunctionNotStarted."""

    def invoke(self, event: object, *, timeout_seconds: float = ...) -> Any:  # noqa: ANN401 - JSON, as the handler gave it
        """Call the handler with a JSON event. Raises FunctionProblem."""

    def kill(self) -> None:
        """End the process at once, in the middle of whatever it does."""

    def hang_up(self) -> None:
        """Ask the process to end; `close` waits for it."""

    def close(self, *, within_seconds: float = ...) -> None:
        """End the process: by itself, or killed when that takes too long."""


Function = TypeVar("Function", bound=RunningFunction)


def enter(function: Function) -> Function:
    """Wait until it is ready; where it does not start, close it. Raises as that."""
    try:
        function.wait_until_ready()
    except BaseException:
        function.close()
        raise
    return function


def read_start(name: str, read: Callable[[float], T], timeout_seconds: float) -> T:
    """Read the first that comes of a function. Raises FunctionNotStarted."""
    try:
        return read(timeout_seconds)
    except FunctionTimedOut:
        problem = f"not ready within {timeout_seconds:g} s"
    except FunctionDied as error:
        problem = str(error)
    raise FunctionNotStarted(f"{name} did not start: {problem}")


def read_in_time(
    function: RunningFunction, read: Callable[[float], T], timeout_seconds: float
) -> T:
    """Read what comes; end a function that is late. Raises FunctionTimedOut."""
    with suppress(Late):
        return read(timeout_seconds)
    function.kill()
    raise FunctionTimedOut(function.name, timeout_seconds)
