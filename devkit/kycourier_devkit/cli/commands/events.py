"""Commands for events: events list, events show, events tail, resend."""

# ruff: noqa: PLC0415 - each command imports what it runs, so that --help is quick
# ruff: noqa: D301 - \b is Click's: it keeps the lines that follow
# ruff: noqa: FBT002 - options

from typing import Annotated

import typer

from kycourier_devkit.cli.context import cli_context

_Type = Annotated[
    str | None,
    typer.Option(
        "--type",
        metavar="TYPE",
        help="collected, rejected, expired, parked, or a type.",
    ),
]
_Since = Annotated[
    str | None,
    typer.Option(
        metavar="TIME", help="Made since: 30m, 12h, 7d, 2026-01-31 (UTC), RFC 3339."
    ),
]
_Until = Annotated[
    str | None, typer.Option(metavar="TIME", help="Made before that time.")
]
_Json = Annotated[
    bool, typer.Option("--json", help="Print the events as they are published.")
]
_MAX_LIMIT = 10_000


def list_(
    ctx: typer.Context,
    since: _Since = None,
    until: _Until = None,
    type_: _Type = None,
    order: Annotated[
        str | None, typer.Option(metavar="ORDER", help="Only those of one order.")
    ] = None,
    limit: Annotated[
        int,
        typer.Option(min=1, max=_MAX_LIMIT, metavar="N", help="How many at most."),
    ] = 20,
    as_json: _Json = False,
) -> None:
    """List events, the newest first.

    An order that was reopened long after it was registered is found with --order.

    \b
    Examples:
      kycourier events list
      kycourier events list --since 1d --type parked
      kycourier events list --order ORDER1 --json
    """
    from kycourier_devkit.events.listing import list_events

    code = list_events(
        cli_context(ctx),
        since=since,
        until=until,
        type_=type_,
        order=order,
        limit=limit,
        as_json=as_json,
    )
    raise typer.Exit(code)


def show(
    ctx: typer.Context,
    event: Annotated[
        str, typer.Argument(metavar="EVENT", help="An event's id, or an order number.")
    ],
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the event in one line.")
    ] = False,
    as_raw: Annotated[
        bool, typer.Option("--raw", help="Print exactly the bytes that are published.")
    ] = False,
) -> None:
    """Show an event; of an order, the newest one.

    \b
    Examples:
      kycourier events show ORDER1
      kycourier events show ORDER1 --raw > event.json
    """
    from kycourier_devkit.events.listing import show_event

    code = show_event(cli_context(ctx), event, as_json=as_json, as_raw=as_raw)
    raise typer.Exit(code)


def tail(
    ctx: typer.Context,
    follows: Annotated[
        bool, typer.Option("-f", "--follow", help="Print new events until Ctrl-C.")
    ] = False,
    count: Annotated[
        int,
        typer.Option("-n", min=0, max=_MAX_LIMIT, metavar="N", help="How many first."),
    ] = 10,
    type_: _Type = None,
    as_json: _Json = False,
) -> None:
    """Print the last events, the newest last.

    With -f, new events follow, whichever process makes them.

    \b
    Examples:
      kycourier events tail
      kycourier events tail -f --json
    """
    from kycourier_devkit.events.listing import tail_events

    code = tail_events(
        cli_context(ctx), follows=follows, count=count, type_=type_, as_json=as_json
    )
    raise typer.Exit(code)


def resend(
    ctx: typer.Context,
    orders: Annotated[
        list[str] | None,
        typer.Argument(metavar="ORDER", help="Order numbers.", show_default=False),
    ] = None,
    since: _Since = None,
    until: _Until = None,
    type_: _Type = None,
    to: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Send to this receiver; marks nothing."),
    ] = None,
    is_sure: Annotated[
        bool, typer.Option("--yes", help="Send more than 100 without confirmation.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print an object for each event.")
    ] = False,
) -> None:
    """Send events again: the same ids and bytes, the oldest first.

    Sends all events of the orders, or those made within a time, whether or not they
    were sent before, to where KYCOURIER_EVENTS points: set it as for `serve`, else they
    go to a local file. If it stops early, it prints the command that sends the rest. To
    send an event twice is harmless.

    \b
    Examples:
      kycourier resend ORDER1 ORDER2
      kycourier resend --since 2026-01-31T08:00:00Z --until 2026-01-31T09:30:00Z
      kycourier resend --since 2h --type collected --to https://other.example/hook
    """
    from kycourier_devkit.events.resend import ResendOptions
    from kycourier_devkit.events.resend import resend as run

    options = ResendOptions(
        orders=orders or [],
        since=since,
        until=until,
        type=type_,
        to=to,
        is_sure=is_sure,
        as_json=as_json,
    )
    raise typer.Exit(run(cli_context(ctx), options))


def add_commands(app: typer.Typer) -> None:
    """Adds the group `events`, and resend."""
    group = typer.Typer(rich_markup_mode=None)
    group.callback(invoke_without_command=True)(_group)
    group.command("list")(list_)
    group.command()(show)
    group.command()(tail)
    app.add_typer(group, name="events")
    app.command()(resend)


def _group(ctx: typer.Context) -> None:
    """List, show and follow events."""
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())
