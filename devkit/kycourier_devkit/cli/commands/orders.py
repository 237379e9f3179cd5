"""Commands for tickets and orders: refresh, collect, list, show, resume, reindex."""

# ruff: noqa: PLC0415 - each command imports what it runs, so that --help is quick
# ruff: noqa: D301 - \b is Click's: it keeps the lines that follow
# ruff: noqa: FBT002 - options

from pathlib import Path
from typing import Annotated

import typer

from kycourier_devkit.cli.context import cli_context


def refresh(ctx: typer.Context) -> None:
    """Refresh the ticket pair if it is due.

    \b
    Example:
      kycourier refresh
    """
    from kycourier_devkit.orders.refresh import refresh_now

    raise typer.Exit(refresh_now(cli_context(ctx)))


def collect(
    ctx: typer.Context,
    orders: Annotated[
        list[str] | None,
        typer.Argument(metavar="ORDER", help="Order numbers.", show_default=False),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="FILE",
            help="A file of order numbers, one per line or in a CSV column order_no;"
            " - for standard input.",
        ),
    ] = None,
    document: Annotated[
        str | None,
        typer.Option(metavar="DOCUMENT", help="bank_card, id_card or face."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a JSON object for each order.")
    ] = False,
    only_failed: Annotated[
        bool, typer.Option("--only-failed", help="Leave out the collected orders.")
    ] = False,
) -> None:
    """Collect orders now and print the state of each.

    Collects several orders at once. Orders in a final state are left unchanged, so an
    interrupted call can be repeated. A bad line of a file is named and skipped. Exit
    code 0: every order is in a final state (collected, rejected, expired or parked);
    1: an order is waiting or failed, or a line was bad.

    \b
    Examples:
      kycourier collect ORDER1 ORDER2
      kycourier collect --document id_card ORDER3
      kycourier collect --from orders.txt
    """
    from kycourier_devkit.orders.collect import collect_now
    from kycourier_devkit.orders.document_option import parse_document_option
    from kycourier_devkit.orders.order_numbers import read_order_numbers

    context = cli_context(ctx)
    numbers = read_order_numbers(orders or [], file)
    for problem in numbers.problems:
        context.terminal.problem(problem)
    code = collect_now(
        context,
        numbers.valid,
        document=parse_document_option(document),
        as_json=as_json,
        only_failed=only_failed,
    )
    raise typer.Exit(1 if numbers.problems else code)


def show(
    ctx: typer.Context,
    order: Annotated[str, typer.Argument(metavar="ORDER", help="An order number.")],
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the JSON object of the orders API.")
    ] = False,
) -> None:
    """Show the state and result of an order.

    \b
    Examples:
      kycourier show ORDER1
      kycourier show ORDER1 --json
    """
    from kycourier_devkit.orders.show import show_order

    raise typer.Exit(show_order(cli_context(ctx), order, as_json=as_json))


def list_(  # noqa: PLR0913, PLR0917 - options
    ctx: typer.Context,
    state: Annotated[
        str | None,
        typer.Option(
            metavar="STATE",
            help="registered, collecting, waiting, collected, rejected, expired or"
            " parked.",
        ),
    ] = None,
    document: Annotated[
        str | None, typer.Option(metavar="DOCUMENT", help="bank_card, id_card or face.")
    ] = None,
    cause: Annotated[
        str | None,
        typer.Option(
            metavar="CAUSE",
            help="Why the last attempt failed, such as timed_out; docs/operations.md"
            " lists the causes.",
        ),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Registered from then on: 1d, 2026-01-31, …"),
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="TIME", help="Registered before then.")
    ] = None,
    limit: Annotated[
        int, typer.Option(metavar="N", help="How many at most, the newest.")
    ] = 50,
    all_: Annotated[bool, typer.Option("--all", help="List all that match.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a JSON object for each order.")
    ] = False,
) -> None:
    """List orders, the newest registered first.

    \b
    Examples:
      kycourier list --state parked
      kycourier list --cause timed_out --since 1d
      kycourier list --all --json
    """
    from kycourier_devkit.orders.list import ListOptions, list_orders

    options = ListOptions(
        state=state,
        document=document,
        cause=cause,
        since=since,
        until=until,
        limit=None if all_ else limit,
        as_json=as_json,
    )
    raise typer.Exit(list_orders(cli_context(ctx), options))


def resume(
    ctx: typer.Context,
    orders: Annotated[
        list[str] | None,
        typer.Argument(metavar="ORDER", help="Parked orders.", show_default=False),
    ] = None,
) -> None:
    """Resume parked orders, or close the app's circuit breaker.

    \b
    Examples:
      kycourier resume ORDER1     collect a parked order at the next sweep
      kycourier resume            allow calls to the platform again
    """
    from kycourier_devkit.orders.resume import close_circuit_breaker, resume_orders

    context = cli_context(ctx)
    if orders:
        raise typer.Exit(resume_orders(context, orders))
    raise typer.Exit(close_circuit_breaker(context))


def reindex(ctx: typer.Context) -> None:
    """Let `list` find orders that an older release ended.

    Run it once after an upgrade from a release without `list`, where the state is in
    Redis or DynamoDB. It reads all rows, and may be run again.

    \b
    Examples:
      kycourier reindex
      kycourier --stack NAME reindex
    """
    from kycourier_devkit.orders.reindex import reindex as reindex_orders

    raise typer.Exit(reindex_orders(cli_context(ctx)))


def add_commands(app: typer.Typer) -> None:
    """Adds the group's commands."""
    app.command()(refresh)
    app.command()(collect)
    app.command("list")(list_)
    app.command()(show)
    app.command()(resume)
    app.command()(reindex)
