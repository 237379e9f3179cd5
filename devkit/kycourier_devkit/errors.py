"""Defines the devkit's errors; the text of each one is a sentence for the user.

DevkitError
├── UsageError               the command cannot run as it was called: exit code 2
├── ToolUnavailableError     a tool is missing on this machine
├── StackCreationError       an emulated cloud rejected our template
└── FunctionError            a function's process failed
    ├── FunctionStartError      the function file did not load, or a setting is wrong
    ├── FunctionFailedError     the handler raised an error
    ├── FunctionTimeoutError    the handler exceeded its time limit
    └── FunctionExitedError     the process ended during the invocation
"""

from typing import ClassVar


class DevkitError(Exception):
    """The root; `exit_code` is the exit code of the command that raises it."""

    exit_code: ClassVar[int] = 1


class UsageError(DevkitError):
    """The command cannot run as it was called; nothing was started."""

    exit_code = 2


class ToolUnavailableError(DevkitError):
    """A tool is not installed and could not be installed."""


class StackCreationError(DevkitError):
    """An emulated cloud rejected our template; the text names the step."""


class FunctionError(DevkitError):
    """A function's process failed."""


class FunctionStartError(FunctionError):
    """The function file did not load, so that nothing can be invoked.

    Args:
        sentence: What is wrong.
        is_setting: Whether a setting is wrong; `sentence` then names the variable.
    """

    def __init__(self, sentence: str, *, is_setting: bool = False) -> None:
        super().__init__(sentence)
        self.is_setting = is_setting


class FunctionFailedError(FunctionError):
    """The handler raised; `code` is the error's code, which is safe to show."""

    def __init__(self, name: str, code: str) -> None:
        super().__init__(f"{name} failed: {code}")
        self.code = code


class FunctionTimeoutError(FunctionError):
    """The handler exceeded its time limit, and its process was stopped."""

    def __init__(self, name: str, seconds: float) -> None:
        super().__init__(f"{name} was stopped at its limit of {seconds:g} s")


class FunctionExitedError(FunctionError):
    """The process ended; `status` is its exit code, or minus the signal's number."""

    def __init__(self, name: str, status: int | None) -> None:
        super().__init__(f"{name}'s process ended ({_describe_status(status)})")
        self.status = status


def _describe_status(status: int | None) -> str:
    if status is None:
        return "closed"
    return f"signal {-status}" if status < 0 else f"exit code {status}"
