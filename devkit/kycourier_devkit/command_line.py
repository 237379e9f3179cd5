"""The command line: its commands, and its errors as sentences and exit codes.

0 done, 1 some failed, 2 usage or settings, 130 stopped by Ctrl-C.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from kycourier import __version__
from kycourier.adapters.system import SystemClock
from kycourier.core.errors import KycourierError, SettingError
from kycourier.settings import PREFIX
from kycourier_devkit import cli_checks, cli_deploy, cli_local, cli_orders
from kycourier_devkit.errors import DevkitError, FunctionNotStarted, UsageProblem
from kycourier_devkit.screen import Screen
from kycourier_devkit.session import Session, session_of

NAME = "kycourier"
STOPPED = 130
_FAILED, _USAGE = 1, 2


def run(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run one command; give its exit code. What went wrong is said in one line."""
    screen = Screen(sys.stdout, sys.stderr)
    session = Session(environ, Path.cwd(), screen, SystemClock())
    try:
        code = _invoke(arguments, session)
    except KeyboardInterrupt:
        code = STOPPED
    except typer.Abort:
        code = STOPPED
    except typer.TyperException as error:
        screen.problem(_explain(error))
        return error.exit_code
    except DevkitError as error:
        screen.problem(f"{NAME}: {error}")
        is_setting = isinstance(error, FunctionNotStarted) and error.is_setting
        return _USAGE if is_setting else error.exit_code
    except SettingError as error:
        screen.problem(f"{NAME}: {error.reason}")
        return _USAGE
    except KycourierError as error:
        screen.problem(f"{NAME}: {error}")
        return _FAILED
    except OSError as error:
        screen.problem(f"{NAME}: {error.strerror or type(error).__name__}")
        return _FAILED
    if code == STOPPED:
        screen.problem(f"{NAME}: stopped")
    return code


def _invoke(arguments: Sequence[str], session: Session) -> int:
    command = typer.main.get_command(build_app())
    code = command.main(
        list(arguments), prog_name=NAME, standalone_mode=False, obj=session
    )
    return code if isinstance(code, int) else 0


def build_app() -> typer.Typer:
    """Build the command line; plain help, so that it can be searched and piped."""
    app = typer.Typer(
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback(invoke_without_command=True)(_root)
    for module in (cli_local, cli_orders, cli_checks, cli_deploy):
        module.add_commands(app)
    return app


def _root(
    context: typer.Context,
    version: Annotated[  # noqa: FBT002 - an option
        bool, typer.Option("--version", help="Show the version and exit.")
    ] = False,
    stack: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="A stack on AWS, whose settings are used as they are."
        ),
    ] = None,
) -> None:
    """Bank-card OCR results from Tencent Cloud's KYC platform, on one machine.

    \b
    Examples:
      kycourier demo                    watch orders run through the functions
      kycourier serve                   the same behind HTTP, a queue and timers
      kycourier collect ORDER1 ORDER2   collect now, in this process
      kycourier doctor                  what is wrong with the settings
      kycourier --stack NAME doctor     the same of a stack on AWS

    Settings are the KYCOURIER_ variables. Where one is not set its local value is put
    in: files under ./.kycourier, and the sandbox in the platform's place.
    """  # noqa: D301 - \b is Click's
    if version:
        typer.echo(f"{NAME} {__version__}")
        raise typer.Exit
    if stack is not None:
        context.obj = _use_stack(context, stack)
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def _use_stack(context: typer.Context, name: str) -> Session:
    """Let the command work with a deployed stack, as far as it can."""
    from kycourier_devkit.deployed import read_stack  # noqa: PLC0415 - AWS's SDK

    command = context.invoked_subcommand
    if command in {"demo", "serve", "sandbox"}:
        raise UsageProblem(f"{command} runs on this machine alone: leave out --stack")
    if command == "deploy":
        raise UsageProblem(f"{command} is for Tencent Cloud: leave out --stack")
    session = session_of(context)
    kept = {
        variable: value
        for variable, value in session.environ.items()
        if not variable.startswith(PREFIX)
    }
    kept |= read_stack(name, session.environ)
    return replace(session, environ=kept, is_deployed=True)


def _explain(error: typer.TyperException) -> str:
    """Say in one line what was wrong with the arguments."""
    context = getattr(error, "ctx", None)
    path = context.command_path if context else NAME
    said = " ".join(error.format_message().split())
    stop = "" if said.endswith((".", "?")) else "."
    return f"{path}: {said}{stop} See {path} --help"
