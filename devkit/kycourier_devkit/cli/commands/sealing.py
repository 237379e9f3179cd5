"""Commands for sealed results: keys new, unseal."""

# ruff: noqa: PLC0415 - each command imports what it runs, so that --help is quick
# ruff: noqa: D301 - \b is Click's: it keeps the lines that follow
# ruff: noqa: FBT002 - options

from pathlib import Path
from typing import Annotated

import typer

from kycourier_devkit.cli.context import cli_context

_KINDS = ("p256", "x25519", "rsa")
_KEY_FILE = Path("recipient.private.jwk")


def new(
    ctx: typer.Context,
    kind: Annotated[
        str, typer.Option(metavar="KIND", help="p256, x25519 or rsa.")
    ] = "p256",
    out: Annotated[
        Path, typer.Option(metavar="FILE", help="Where the private key goes.")
    ] = _KEY_FILE,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the public key and nothing else.")
    ] = False,
) -> None:
    """Make a key pair for sealed results.

    The private key goes to a new file that only you can read; the public key is
    printed.

    \b
    Example:
      kycourier keys new > recipient.jwk
    """
    from kycourier_devkit.sealing.new_key import KeyKind, make_key_pair

    if kind.lower() not in _KINDS:
        raise typer.BadParameter(f"must be {', '.join(_KINDS)}", param_hint="--kind")
    chosen = KeyKind(kind.lower())
    raise typer.Exit(make_key_pair(cli_context(ctx), chosen, out, as_json=as_json))


def unseal(
    ctx: typer.Context,
    source: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE",
            help="Events, an order's JSON or a JWE; standard input if left out or -.",
            show_default=False,
        ),
    ] = None,
    key: Annotated[
        Path,
        typer.Option(metavar="FILE", help="The private key: JWK, JWK Set or PEM."),
    ] = _KEY_FILE,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print each result in one line.")
    ] = False,
) -> None:
    """Open sealed results with the private key.

    Prints the clear values as JSON. Exit code 1: something could not be
    opened.

    \b
    Examples:
      kycourier unseal .kycourier/events.jsonl
      kycourier show ORDER1 --json | kycourier unseal --key recipient.private.jwk
    """
    from kycourier_devkit.sealing.unseal import unseal as run

    raise typer.Exit(run(cli_context(ctx), source, key, as_json=as_json))


def _keys(ctx: typer.Context) -> None:
    """Make keys for sealed results."""
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())


def add_commands(app: typer.Typer) -> None:
    """Adds the group's commands."""
    keys = typer.Typer(rich_markup_mode=None)
    keys.callback(invoke_without_command=True)(_keys)
    keys.command()(new)
    app.add_typer(keys, name="keys")
    app.command()(unseal)
