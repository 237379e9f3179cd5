"""Commands on tickets and orders: refresh, collect, show, resume."""

# ruff: noqa: PLC0415 - each command imports what it runs, so that --help is quick
# ruff: noqa: D301 - \b is Click's: it keeps the lines that follow

from pathlib import Path
from typing import Annotated

import typer

from kycourier_devkit.session import session_of


def refresh(context: typer.Context) -> None:
    """Refresh the ticket pair if it is due, as the timer does.

    \b
    Example:
      kycourier refresh
    """
    from kycourier_devkit.orders.refresh import refresh_now

    raise typer.Exit(refresh_now(session_of(context)))


def collect(
    context: typer.Context,
    orders: Annotated[
        list[str] | None,
        typer.Argument(metavar="ORDER", help="Order numbers.", show_default=False),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(
            "--from", metavar="FILE", help="A file of them; - is standard input."
        ),
    ] = None,
) -> None:
    """Collect orders now, several at once, and say what became of each.

    Orders that are done stay as they are, so a call that was stopped may be made again.
    Exit code 0: every order has ended (collected, rejected, expired or parked); 1: some
    wait or failed.

    \b
    Examples:
      kycourier collect ORDER1 ORDER2
      kycourier collect --from orders.txt
    """
    from kycourier_devkit.orders.collect import collect_now, read_numbers

    numbers = read_numbers(orders or [], file)
    raise typer.Exit(collect_now(session_of(context), numbers))


def show(
    context: typer.Context,
    order: Annotated[str, typer.Argument(metavar="ORDER", help="An order number.")],
    as_json: Annotated[  # noqa: FBT002 - an option
        bool, typer.Option("--json", help="As the API shows it.")
    ] = False,
) -> None:
    """Show an order as it stands.

    \b
    Examples:
      kycourier show ORDER1
      kycourier show ORDER1 --json
    """
    from kycourier_devkit.orders.show import show_order

    raise typer.Exit(show_order(session_of(context), order, as_json=as_json))


def resume(
    context: typer.Context,
    orders: Annotated[
        list[str] | None,
        typer.Argument(metavar="ORDER", help="Parked orders.", show_default=False),
    ] = None,
) -> None:
    """Lift parked orders, or without an order end the app's pause.

    \b
    Examples:
      kycourier resume ORDER1     asked for again at the next sweep
      kycourier resume            the platform may be called again
    """
    from kycourier_devkit.orders.resume import resume_app, resume_orders

    session = session_of(context)
    raise typer.Exit(resume_orders(session, orders) if orders else resume_app(session))


def add_commands(app: typer.Typer) -> None:
    """Add them to the command line."""
    for command in (refresh, collect, show, resume):
        app.command()(command)
