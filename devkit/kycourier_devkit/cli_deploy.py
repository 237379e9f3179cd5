"""Commands that deploy: deploy tencent, deploy secret."""

# ruff: noqa: PLC0415 - each command imports what it runs, so that --help is quick
# ruff: noqa: D301 - \b is Click's: it keeps the lines that follow

from pathlib import Path
from typing import Annotated

import typer

from kycourier_devkit.session import session_of

_File = Annotated[
    Path, typer.Option("--config", metavar="FILE", help="What is wanted.")
]


def tencent(
    context: typer.Context,
    config: _File = Path("tencent.yml"),
    dist: Annotated[
        Path, typer.Option(metavar="FOLDER", help="Where the zips are.")
    ] = Path("dist"),
    is_sure: Annotated[  # noqa: FBT002 - an option
        bool, typer.Option("--yes", help="Change without asking.")
    ] = False,
    only_plan: Annotated[  # noqa: FBT002 - an option
        bool, typer.Option("--plan", help="Show what differs; change nothing.")
    ] = False,
) -> None:
    """Bring Tencent Cloud to what tencent.yml says.

    Shows what differs, asks, and creates or updates only that: layers, functions,
    triggers and empty secrets. Deletes nothing. Again and again without harm: a run
    that was interrupted is completed by the next one. The keys are those of
    TENCENTCLOUD_SECRETID, TENCENTCLOUD_SECRETKEY and, for temporary ones,
    TENCENTCLOUD_SESSIONTOKEN. Exit code 2 when nothing was begun.

    \b
    Example:
      kycourier deploy tencent --config tencent.yml
    """
    from kycourier_devkit.deploy.run import deploy

    session = session_of(context)
    code = deploy(session, config, dist=dist, is_sure=is_sure, only_plan=only_plan)
    raise typer.Exit(code)


def secret(
    context: typer.Context,
    variable: Annotated[
        str, typer.Argument(metavar="VARIABLE", help="Whose reference names it.")
    ],
    config: _File = Path("tencent.yml"),
) -> None:
    """Put a secret's value where tencent.yml's setting refers to.

    Asks for it without showing it, or takes it from standard input. A Redis's password
    is that of KYCOURIER_STATE.

    \b
    Example:
      kycourier deploy secret KYCOURIER_APP_SECRET
    """
    from kycourier_devkit.deploy.run import fill_secret

    raise typer.Exit(fill_secret(session_of(context), config, variable))


def add_commands(app: typer.Typer) -> None:
    """Add them to the command line."""
    group = typer.Typer(
        help="Deploy to Tencent Cloud.", rich_markup_mode=None, no_args_is_help=True
    )
    for command in (tencent, secret):
        group.command()(command)
    app.add_typer(group, name="deploy")
