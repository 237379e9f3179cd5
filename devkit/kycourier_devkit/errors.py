"""Every failure the command line names, as one tree; its text is a sentence to show.

DevkitError
├── UsageProblem        what was asked for cannot be done: exit code 2
├── ToolMissing         a tool cannot be had on this machine
├── StackNotMade        a stand-in of a cloud did not take our template
└── FunctionProblem     a function's process
    ├── FunctionNotStarted    a wrong setting, or a file that does not load
    ├── FunctionFailed        it answered with an error's code
    ├── FunctionTimedOut      it was ended at its time limit
    └── FunctionDied          its process ended under way
"""

from typing import ClassVar


class DevkitError(Exception):
    """The root; `exit_code` is what the command ends with."""

    exit_code: ClassVar[int] = 1


class UsageProblem(DevkitError):  # noqa: N818 - reads as a fact
    """What was asked for cannot be done, and nothing was begun."""

    exit_code = 2


class ToolMissing(DevkitError):  # noqa: N818 - reads as a fact
    """A tool is not here and could not be installed; says which, in plain words."""


class StackNotMade(DevkitError):  # noqa: N818 - reads as a fact
    """A stand-in of a cloud did not take our template; says at which step."""


class FunctionProblem(DevkitError):  # noqa: N818 - reads as a fact
    """Something about a function's process."""


class FunctionNotStarted(FunctionProblem):
    """The function file did not load; nothing can be invoked.

    `is_setting` tells a wrong setting, whose sentence this then is, from all else.
    """

    def __init__(self, sentence: str, *, is_setting: bool = False) -> None:
        super().__init__(sentence)
        self.is_setting = is_setting


class FunctionFailed(FunctionProblem):
    """The handler raised: `code` is what left it, and safe to show."""

    def __init__(self, name: str, code: str) -> None:
        super().__init__(f"{name} failed: {code}")
        self.code = code


class FunctionTimedOut(FunctionProblem):
    """The handler did not return within its time, so its process was ended."""

    def __init__(self, name: str, seconds: float) -> None:
        super().__init__(f"{name} was ended at its limit of {seconds:g} s")


class FunctionDied(FunctionProblem):
    """The process ended: `status` is its exit code, or minus the signal's number."""

    def __init__(self, name: str, status: int | None) -> None:
        super().__init__(f"{name}'s process ended ({_say_status(status)})")
        self.status = status


def _say_status(status: int | None) -> str:
    if status is None:
        return "closed"
    return f"signal {-status}" if status < 0 else f"exit code {status}"
