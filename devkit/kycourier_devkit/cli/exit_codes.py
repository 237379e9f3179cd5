"""Turns the errors of a command into one line on standard error and an exit code."""

from collections.abc import Callable

import typer

from kycourier.core.errors import KycourierError, SettingError
from kycourier_devkit.cli.terminal import Terminal
from kycourier_devkit.errors import DevkitError, FunctionStartError

NAME = "kycourier"
DONE, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130


def run_reporting_errors(command: Callable[[], object], terminal: Terminal) -> int:
    """Runs a command; prints its error, if any, as one line.

    Args:
        command: Returns its exit code; anything but an `int` counts as 0.
        terminal: Where the error is printed.

    Returns:
        0 done, 1 some failed, 2 usage or settings, 130 interrupted.
    """
    try:
        code = command()
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except typer.TyperException as error:
        terminal.problem(_describe_usage_error(error))
        return error.exit_code
    except (DevkitError, KycourierError, OSError) as error:
        text, code = _describe_failure(error)
        terminal.problem(f"{NAME}: {text}")
        return code
    if code == INTERRUPTED:
        terminal.problem(f"{NAME}: stopped")
    return code if isinstance(code, int) else DONE


def _describe_failure(error: DevkitError | KycourierError | OSError) -> tuple[str, int]:
    """Returns the line that describes an error, and the exit code."""
    match error:
        case FunctionStartError(is_setting=True):
            return str(error), USAGE
        case DevkitError():
            return str(error), error.exit_code
        case SettingError():
            return str(error.reason), USAGE
        case OSError():
            return error.strerror or type(error).__name__, FAILED
        case _:
            return str(error), FAILED


def _describe_usage_error(error: typer.TyperException) -> str:
    context = getattr(error, "ctx", None)
    command = context.command_path if context else NAME
    text = " ".join(error.format_message().split())
    stop = "" if text.endswith((".", "?")) else "."
    return f"{command}: {text}{stop} See {command} --help"
