"""Commands that run the functions or the sandbox here: demo, serve, sandbox."""

# ruff: noqa: PLC0415 - each command imports what it runs, so that --help is quick
# ruff: noqa: D301 - \b is Click's: it keeps the lines that follow
# ruff: noqa: FBT002 - options

from inspect import cleandoc
from typing import Annotated

import typer

from kycourier_devkit.cli.context import cli_context
from kycourier_devkit.errors import UsageError
from kycourier_devkit.sandbox import control_rows, order_sections
from kycourier_devkit.workspace.local_settings import SANDBOX_PORT

_MAX_PORT = 65535
_MAX_SWEEP_SECONDS = 86_400
_MAX_WORKERS = 64

_Port = Annotated[
    int,
    typer.Option(
        min=0,
        max=_MAX_PORT,
        metavar="PORT",
        help="Port on 127.0.0.1; 0 for any free port.",
    ),
]
_KycUrl = Annotated[
    str | None,
    typer.Option(metavar="URL", help="A KYC host to use instead of the sandbox."),
]
_SweepSeconds = Annotated[
    float,
    typer.Option(
        min=0.5,
        max=_MAX_SWEEP_SECONDS,
        metavar="SECONDS",
        help="Interval between two sweeps.",
    ),
]
_Workers = Annotated[
    int,
    typer.Option(
        min=1,
        max=_MAX_WORKERS,
        metavar="COUNT",
        help="Processes that collect queued orders.",
    ),
]


def demo(
    ctx: typer.Context,
    on_aws: Annotated[
        bool,
        typer.Option(
            "--aws", help="Use the built packages and an emulated AWS (make demo-aws)."
        ),
    ] = False,
    on_tencent: Annotated[
        bool,
        typer.Option(
            "--tencent", help="Use an emulated Tencent Cloud (make demo-tencent)."
        ),
    ] = False,
) -> None:
    """Run sample orders through the function files, step by step.

    Starts an emulator of the KYC platform and the four functions, each in its own
    process, invokes them as the clouds do, and checks the results. Needs no settings.
    Writes events and photos to ./.kycourier; each run first deletes what demo, serve
    or collect wrote there.

    \b
    Example:
      kycourier demo
    """
    context = cli_context(ctx)
    if on_aws and on_tencent:
        raise UsageError("use --aws or --tencent, not both")
    if on_aws:
        from kycourier_devkit.demo.run import run_demo_aws

        raise typer.Exit(run_demo_aws(context))
    if on_tencent:
        from kycourier_devkit.demo.run import run_demo_tencent

        raise typer.Exit(run_demo_tencent(context))
    from kycourier_devkit.demo.run import run_demo

    raise typer.Exit(run_demo(context))


def serve(
    ctx: typer.Context,
    port: _Port = 8080,
    kyc_url: _KycUrl = None,
    sweep_seconds: _SweepSeconds = 60,
    workers: _Workers = 2,
) -> None:
    """Run the functions behind a local HTTP server, queue and timers.

    Listens on 127.0.0.1 only. Starts a sandbox, unless --kyc-url or KYCOURIER_KYC_URL
    names a KYC host, or KYCOURIER_APP_ID another app, for which the host of
    KYCOURIER_KYC_PROFILE is used. Prints a line for each request, batch and timer.
    Ctrl-C stops all processes.

    \b
    Examples:
      kycourier serve
      curl -X PUT http://127.0.0.1:8080/v1/orders/ORDER1
      curl -X POST http://127.0.0.1:8080/v1/orders/ORDER1/collection
    """
    from kycourier_devkit.serve.run import run_serve

    run_serve(
        cli_context(ctx),
        port=port,
        kyc_url=kyc_url,
        sweep_seconds=sweep_seconds,
        workers=workers,
    )


def sandbox(
    ctx: typer.Context,
    action: Annotated[
        str | None,
        typer.Argument(metavar="reset", help="Reset a running sandbox."),
    ] = None,
    port: _Port = SANDBOX_PORT,
) -> None:
    """Run the sandbox, an emulator of the KYC platform.

    The other commands call it on its default port. The order number selects the
    behaviour: a name of the tables below, optionally followed by x and any suffix, as
    in late3x001. For any other order number, the result is complete at once. A number
    that stops or pauses the whole app affects all orders, until `kycourier sandbox
    reset`.

    \b
    Examples:
      kycourier sandbox
      kycourier sandbox reset
      kycourier collect late3x001
      curl http://127.0.0.1:8081/control/report
      curl -X POST http://127.0.0.1:8081/control/kill-ticket
    """
    from kycourier_devkit.workspace.sandbox import reset_sandbox, run_sandbox

    if action == "reset":
        raise typer.Exit(reset_sandbox(cli_context(ctx), port=port))
    if action is not None:
        raise UsageError("sandbox: the only action is `reset`")
    run_sandbox(cli_context(ctx), port=port)


def add_commands(app: typer.Typer) -> None:
    """Adds the group's commands; the sandbox's help lists the magic order numbers."""
    app.command()(demo)
    app.command()(serve)
    tables = "".join(
        f"\n\n\b\n{title}:\n"
        + "\n".join(f"{spelling:<16}{text}" for spelling, text in rows)
        for title, rows in order_sections().items()
    )
    calls = "\n".join(f"{call:<27}{text}" for call, text in control_rows())
    text = f"{cleandoc(sandbox.__doc__ or '')}{tables}\n\n\b\nControl calls:\n{calls}"
    app.command(help=text)(sandbox)
