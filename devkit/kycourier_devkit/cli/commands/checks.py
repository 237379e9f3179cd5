"""Commands that check or sign: verify, sign, doctor."""

# ruff: noqa: PLC0415 - each command imports what it runs, so that --help is quick
# ruff: noqa: D301 - \b is Click's: it keeps the lines that follow
# ruff: noqa: FBT002 - options

from pathlib import Path
from typing import Annotated

import typer

from kycourier_devkit.cli.context import cli_context


def verify(
    ctx: typer.Context,
    paths: Annotated[
        list[str] | None,
        typer.Argument(metavar="PATH", help="Manifests, or folders of manifests."),
    ] = None,
    events: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Compare with the events of this file."),
    ] = None,
    with_state: Annotated[
        bool, typer.Option("--state", help="Compare with the orders' rows.")
    ] = False,
) -> None:
    """Verify stored evidence against its manifests.

    Compares each manifest with the digest in its name, and each object with the size
    and SHA-256 in the manifest. With --events or --state, each manifest must also be
    the one that was sent, and none may be missing. Lists every object that is missing,
    changed or extra; if there is one, the exit code is 1.

    \b
    Examples:
      kycourier verify .kycourier/evidence
      kycourier verify --events .kycourier/events.jsonl
      kycourier verify s3://BUCKET/kyc/APP/2026/01/31
    """
    from kycourier_devkit.evidence.verify import verify_paths

    context, paths = cli_context(ctx), paths or []
    code = verify_paths(context, paths, events=events, with_state=with_state)
    raise typer.Exit(code)


def sign(
    ctx: typer.Context,
    method: Annotated[str, typer.Argument(metavar="METHOD", help="GET, PUT or POST.")],
    url: Annotated[str, typer.Argument(metavar="URL", help="The URL to be called.")],
    body: Annotated[
        str | None, typer.Option(metavar="TEXT", help="The request's body.")
    ] = None,
    body_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A file with the body.")
    ] = None,
    key_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A file with the key."),
    ] = None,
    as_curl: Annotated[
        bool, typer.Option("--curl", help="Print a complete curl command.")
    ] = False,
) -> None:
    """Sign a request to the orders API.

    Prints the signature header, which is valid for five minutes. The key is the first
    line of --key-file, or of the secret to which KYCOURIER_API_KEYS refers.

    \b
    Examples:
      kycourier sign GET https://api.example/v1/health
      kycourier sign POST https://api.example/v1/orders/A1/collection \\
        --body '{"reopen":true}' --curl
    """
    from kycourier_devkit.request_signature import print_signature, read_body

    content = read_body(body, body_file)
    context = cli_context(ctx)
    print_signature(
        context, method, url, body=content, key_file=key_file, as_curl=as_curl
    )


def doctor(
    ctx: typer.Context,
    is_live: Annotated[
        bool,
        typer.Option("--live", help="Request a token if the platform's rules allow."),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a JSON object for each check.")
    ] = False,
) -> None:
    """Check settings and resources, and if orders can be collected.

    Checks settings, secrets, stores, the KYC host, the clock, the ticket pair, the last
    refresh, what the due orders wait for, and the circuit breaker. Shows no secret. The
    exit code is 1 if no order can be collected now.

    \b
    Examples:
      kycourier doctor
      kycourier doctor --live
    """
    from kycourier_devkit.doctor.run import run_doctor

    raise typer.Exit(run_doctor(cli_context(ctx), is_live=is_live, as_json=as_json))


def add_commands(app: typer.Typer) -> None:
    """Adds the group's commands."""
    for command in (verify, sign, doctor):
        app.command()(command)
