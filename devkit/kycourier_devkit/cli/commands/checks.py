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
        list[str],
        typer.Argument(metavar="PATH", help="Manifests, or folders of manifests."),
    ],
) -> None:
    """Verify stored evidence against its manifests.

    Compares each manifest with the digest in its name, and each object with the size
    and SHA-256 in the manifest. Lists every object that is missing, changed or extra;
    if there is one, the exit code is 1.

    \b
    Examples:
      kycourier verify .kycourier/evidence
      kycourier verify s3://BUCKET/kyc/APP/2026/01/31
    """
    from kycourier_devkit.evidence.verify import verify_paths

    raise typer.Exit(verify_paths(cli_context(ctx), paths))


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


def doctor(ctx: typer.Context) -> None:
    """Check the settings and the resources they name.

    Checks settings, secrets, stores, the KYC host, the clock, the ticket pair, the
    backlog and the circuit breaker. Values of settings are not shown. If a check fails,
    the exit code is 1.

    \b
    Example:
      kycourier doctor
    """
    from kycourier_devkit.doctor.run import run_doctor

    raise typer.Exit(run_doctor(cli_context(ctx)))


def add_commands(app: typer.Typer) -> None:
    """Adds the group's commands."""
    for command in (verify, sign, doctor):
        app.command()(command)
