"""Commands that run things on this machine: demo, serve, sandbox."""

# ruff: noqa: PLC0415 - each command imports what it runs, so that --help is quick
# ruff: noqa: D301 - \b is Click's: it keeps the lines that follow

from inspect import cleandoc
from typing import Annotated

import typer

from kycourier_devkit.errors import UsageProblem
from kycourier_devkit.local import SANDBOX_PORT
from kycourier_devkit.sandbox import order_rows
from kycourier_devkit.session import session_of

_MOST_PORT = 65535
_A_DAY = 86_400
_MOST_WORKERS = 64
_PORT_HELP = "Port on 127.0.0.1; 0: any."


def demo(
    context: typer.Context,
    on_aws: Annotated[  # noqa: FBT002 - an option
        bool,
        typer.Option(
            "--aws", help="The built packages, in an AWS on loopback (make demo-aws)."
        ),
    ] = False,
    on_tencent: Annotated[  # noqa: FBT002 - an option
        bool,
        typer.Option(
            "--tencent", help="The same in SCF's layout, deployed (make demo-tencent)."
        ),
    ] = False,
) -> None:
    """Watch orders run through the real function files, step by step.

    Starts an emulator of the KYC platform and the four functions in processes of their
    own, calls them as the clouds would, and checks what comes of it. Nothing to set up;
    it leaves events and photos under ./.kycourier, and begins afresh each time:
    what demo, serve or collect left there before is removed.

    \b
    Example:
      kycourier demo
    """
    if on_aws and on_tencent:
        raise UsageProblem("--aws or --tencent, not both")
    if on_aws:
        from kycourier_devkit.demo_aws.run import run_demo_aws

        raise typer.Exit(run_demo_aws(session_of(context)))
    if on_tencent:
        from kycourier_devkit.demo_tencent.run import run_demo_tencent

        raise typer.Exit(run_demo_tencent(session_of(context)))
    from kycourier_devkit.demo.run import run_demo

    raise typer.Exit(run_demo(session_of(context)))


def serve(
    context: typer.Context,
    port: Annotated[
        int,
        typer.Option(min=0, max=_MOST_PORT, metavar="PORT", help=_PORT_HELP),
    ] = 8080,
    kyc_url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="A KYC host, instead of the sandbox."),
    ] = None,
    sweep_seconds: Annotated[
        float,
        typer.Option(
            min=0.5, max=_A_DAY, metavar="SECONDS", help="How often the sweep runs."
        ),
    ] = 60,
    workers: Annotated[
        int,
        typer.Option(min=1, max=_MOST_WORKERS, help="Batches at once, a process each."),
    ] = 2,
) -> None:
    """Run the functions behind HTTP, a queue and timers, on loopback.

    On 127.0.0.1 only, and against a sandbox of its own. With --kyc-url or
    KYCOURIER_KYC_URL it calls that host; with KYCOURIER_APP_ID set, the host of
    KYCOURIER_KYC_PROFILE. Each request, batch and timer is one line; Ctrl-C ends
    everything.

    \b
    Examples:
      kycourier serve
      curl -X PUT http://127.0.0.1:8080/v1/orders/ORDER1
      curl -X POST http://127.0.0.1:8080/v1/orders/ORDER1/collection
    """
    from kycourier_devkit.serve.run import run_serve

    session = session_of(context)
    run_serve(
        session,
        port=port,
        kyc_url=kyc_url,
        sweep_seconds=sweep_seconds,
        workers=workers,
    )


def sandbox(
    context: typer.Context,
    port: Annotated[
        int,
        typer.Option(min=0, max=_MOST_PORT, metavar="PORT", help=_PORT_HELP),
    ] = SANDBOX_PORT,
) -> None:
    """Run the emulator of the KYC platform alone.

    The local commands find it on its default port. An order number that spells a word
    of the table below does what it says, and may go on with x and anything: late3x001.
    Any other order is a good one.

    \b
    Examples:
      kycourier sandbox
      kycourier collect late3x001
      curl http://127.0.0.1:8081/control/report
      curl -X POST http://127.0.0.1:8081/control/kill-ticket
    """
    from kycourier_devkit.run_sandbox import run_sandbox

    run_sandbox(session_of(context), port=port)


def add_commands(app: typer.Typer) -> None:
    """Add them to the command line; the sandbox's help has its table of orders."""
    app.command()(demo)
    app.command()(serve)
    rows = "\n".join(f"{spelling:<16}{text}" for spelling, text in order_rows())
    text = f"{cleandoc(sandbox.__doc__ or '')}\n\n\b\nOrder numbers:\n{rows}"
    app.command(help=text)(sandbox)
