"""Builds the command line from its command groups and runs it."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from kycourier import __version__
from kycourier.adapters.system import SystemClock
from kycourier.settings.declarations import PREFIX
from kycourier_devkit.cli.commands import (
    checks,
    deploy,
    develop,
    events,
    local,
    orders,
    sealing,
)
from kycourier_devkit.cli.context import CliContext, cli_context
from kycourier_devkit.cli.exit_codes import NAME, run_reporting_errors
from kycourier_devkit.cli.terminal import Terminal
from kycourier_devkit.errors import UsageError


def run(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """Runs one command.

    Returns:
        0 done, 1 some failed, 2 usage or settings, 130 interrupted.
    """
    terminal = Terminal(sys.stdout, sys.stderr)
    context = CliContext(environ, Path.cwd(), terminal, SystemClock())
    command = typer.main.get_command(build_app())
    return run_reporting_errors(
        lambda: command.main(
            list(arguments), prog_name=NAME, standalone_mode=False, obj=context
        ),
        terminal,
    )


def build_app() -> typer.Typer:
    """Builds the Typer app; its help is plain text, so that it can be searched."""
    app = typer.Typer(
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback(invoke_without_command=True)(_root)
    for group in (local, orders, events, sealing, develop, checks, deploy):
        group.add_commands(app)
    return app


def _root(
    ctx: typer.Context,
    version: Annotated[  # noqa: FBT002 - an option
        bool, typer.Option("--version", help="Show the version and exit.")
    ] = False,
    stack: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Use the settings of this CloudFormation stack on AWS."
        ),
    ] = None,
) -> None:
    """Collect bank-card OCR results from Tencent Cloud's KYC platform.

    \b
    Examples:
      kycourier demo                    run sample orders through the functions
      kycourier serve                   run the functions behind HTTP and timers
      kycourier collect ORDER1 ORDER2   collect orders in this process
      kycourier doctor                  check the settings
      kycourier --stack NAME doctor     check a stack on AWS

    The KYCOURIER_ environment variables are the settings. For those that are not
    set, local commands use files under ./.kycourier and the sandbox.
    """  # noqa: D301 - \b is Click's
    if version:
        typer.echo(f"{NAME} {__version__}")
        raise typer.Exit
    if stack is not None:
        ctx.obj = _with_stack(ctx, stack)
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())


def _with_stack(ctx: typer.Context, name: str) -> CliContext:
    """Returns the CLI context with the settings of a deployed stack."""
    from kycourier_devkit.deploy.aws_stack_settings import (  # noqa: PLC0415 - AWS's SDK
        read_stack_settings,
    )

    command = ctx.invoked_subcommand
    if command in {"demo", "serve", "sandbox", "trigger"}:
        raise UsageError(f"{command} runs on this machine only: leave out --stack")
    if command == "deploy":
        raise UsageError("deploy is for Tencent Cloud: leave out --stack")
    context = cli_context(ctx)
    environ = {
        variable: value
        for variable, value in context.environ.items()
        if not variable.startswith(PREFIX)
    }
    environ |= read_stack_settings(name, context.environ)
    return replace(context, environ=environ, stack=name)
