"""Commands for developing a receiver of events: listen, trigger."""

# ruff: noqa: PLC0415 - each command imports what it runs, so that --help is quick
# ruff: noqa: D301 - \b is Click's: it keeps the lines that follow
# ruff: noqa: FBT002 - options

from inspect import cleandoc
from typing import Annotated

import typer

from kycourier_devkit.cli.context import cli_context
from kycourier_devkit.events.scenarios import SCENARIOS


def listen(
    ctx: typer.Context,
    forward_to: Annotated[
        str, typer.Option(metavar="URL", help="The receiver, on this machine.")
    ],
    secret: Annotated[
        str | None,
        typer.Option(metavar="whsec_…", help="Sign with it; else with a new one."),
    ] = None,
    since: Annotated[
        str, typer.Option(metavar="TIME", help="Also events made since that time.")
    ] = "now",
    type_: Annotated[
        str | None,
        typer.Option(
            "--type", metavar="TYPE", help="An outcome as collected, or a whole type."
        ),
    ] = None,
    allows_remote: Annotated[
        bool, typer.Option("--allow-remote", help="Permit another machine.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print an object for each delivery.")
    ] = False,
) -> None:
    """Forward events to a receiver as they come, as signed webhooks.

    Works beside `kycourier serve`, and with --stack on a deployed stack, whose own
    deliveries it leaves alone. Events wait for a receiver that does not run; any other
    failure is printed, and not sent again.

    \b
    Examples:
      kycourier listen --forward-to http://127.0.0.1:3000/hook
      kycourier --stack NAME listen --forward-to http://127.0.0.1:3000/hook
    """
    from kycourier_devkit.events.listen import listen as run

    run(
        cli_context(ctx),
        forward_to,
        secret=secret,
        since=since,
        type_=type_,
        allows_remote=allows_remote,
        as_json=as_json,
    )


def trigger(
    ctx: typer.Context,
    scenario: Annotated[
        str | None,
        typer.Argument(metavar="SCENARIO", help="What is to happen."),
    ] = None,
    document: Annotated[
        str | None,
        typer.Option(metavar="DOCUMENT", help="bank_card, id_card or face."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the event as it is published.")
    ] = False,
) -> None:
    """Make something happen in the sandbox, and print the event.

    Works on an order of its own, within seconds, beside `kycourier serve` or without
    it. Needs a running sandbox, and never calls a real platform. Without a scenario,
    lists all.

    \b
    Examples:
      kycourier trigger
      kycourier trigger collected
      kycourier trigger rejected --document face
      kycourier trigger expired --json
    """
    from kycourier_devkit.events.trigger import list_scenarios
    from kycourier_devkit.events.trigger import trigger as run
    from kycourier_devkit.orders.document_option import parse_document_option

    context = cli_context(ctx)
    if scenario is None:
        raise typer.Exit(list_scenarios(context))
    raise typer.Exit(
        run(
            context,
            scenario,
            document=parse_document_option(document),
            as_json=as_json,
        )
    )


def add_commands(app: typer.Typer) -> None:
    """Adds the group's commands; the help of trigger lists the scenarios."""
    app.command()(listen)
    rows = "\n".join(f"{name:<16}{each.help}" for name, each in SCENARIOS.items())
    text = f"{cleandoc(trigger.__doc__ or '')}\n\n\b\nScenarios:\n{rows}"
    app.command(help=text)(trigger)
