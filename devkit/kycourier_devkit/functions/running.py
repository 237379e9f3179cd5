"""What every running function can do, whoever runs it."""

from typing import Any, Protocol


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
