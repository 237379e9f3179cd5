"""Commands that deploy to Tencent Cloud: deploy tencent, deploy secret."""

# ruff: noqa: PLC0415 - each command imports what it runs, so that --help is quick
# ruff: noqa: D301 - \b is Click's: it keeps the lines that follow
# ruff: noqa: FBT002 - options

from pathlib import Path
from typing import Annotated

import typer

from kycourier_devkit.cli.context import cli_context

_ConfigFile = Annotated[
    Path,
    typer.Option("--config", metavar="FILE", help="The deployment's configuration."),
]


def tencent(
    ctx: typer.Context,
    config: _ConfigFile = Path("tencent.yml"),
    dist: Annotated[
        Path, typer.Option(metavar="FOLDER", help="The folder of the built zips.")
    ] = Path("dist"),
    is_sure: Annotated[
        bool, typer.Option("--yes", help="Apply the changes without confirmation.")
    ] = False,
    only_plan: Annotated[
        bool, typer.Option("--plan", help="Show the changes; apply none.")
    ] = False,
) -> None:
    """Deploy the configuration in tencent.yml to Tencent Cloud.

    Shows the changes, asks for confirmation, then creates or updates layers, functions,
    triggers and empty secrets. Deletes nothing. Can be repeated; after an interruption,
    the next run completes the deployment. Reads the access key from
    TENCENTCLOUD_SECRETID, TENCENTCLOUD_SECRETKEY and, for temporary keys,
    TENCENTCLOUD_SESSIONTOKEN. Exit code 2: nothing was changed.

    \b
    Example:
      kycourier deploy tencent --config tencent.yml
    """
    from kycourier_devkit.deploy.run import deploy

    context = cli_context(ctx)
    code = deploy(context, config, dist=dist, is_sure=is_sure, only_plan=only_plan)
    raise typer.Exit(code)


def secret(
    ctx: typer.Context,
    variable: Annotated[
        str,
        typer.Argument(metavar="VARIABLE", help="A setting that refers to a secret."),
    ],
    config: _ConfigFile = Path("tencent.yml"),
) -> None:
    """Store a secret's value in Tencent Cloud.

    Reads the value from standard input, or prompts for it without echo, and stores it
    under the name to which the setting in tencent.yml refers. The password of Redis
    belongs to KYCOURIER_STATE.

    \b
    Example:
      kycourier deploy secret KYCOURIER_APP_SECRET
    """
    from kycourier_devkit.deploy.run import set_secret

    raise typer.Exit(set_secret(cli_context(ctx), config, variable))


def add_commands(app: typer.Typer) -> None:
    """Adds the group `deploy`, which prints its help when called without a command."""
    group = typer.Typer(rich_markup_mode=None)
    group.callback(invoke_without_command=True)(_group)
    for command in (tencent, secret):
        group.command()(command)
    app.add_typer(group, name="deploy")


def _group(ctx: typer.Context) -> None:
    """Deploy to Tencent Cloud."""
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())
