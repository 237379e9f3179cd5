"""Commands that check and prove: verify, sign, doctor."""

# ruff: noqa: PLC0415 - each command imports what it runs, so that --help is quick
# ruff: noqa: D301 - \b is Click's: it keeps the lines that follow

from pathlib import Path
from typing import Annotated

import typer

from kycourier_devkit.session import session_of


def verify(
    context: typer.Context,
    paths: Annotated[
        list[str],
        typer.Argument(metavar="PATH", help="Manifests, or folders of them."),
    ],
) -> None:
    """Check evidence against its manifests, offline.

    Compares every manifest with the digest in its name, and every object with the
    manifest's size and SHA-256; names each object that is missing, changed or extra.
    Exit code 1 when there is one.

    \b
    Example:
      kycourier verify .kycourier/evidence
    """
    from kycourier_devkit.evidence.verify import verify_paths

    raise typer.Exit(verify_paths(session_of(context), paths))


def sign(
    context: typer.Context,
    method: Annotated[str, typer.Argument(metavar="METHOD", help="GET, PUT, …")],
    url: Annotated[str, typer.Argument(metavar="URL", help="As it will be called.")],
    body: Annotated[
        str | None, typer.Option(metavar="TEXT", help="The body, as it will be sent.")
    ] = None,
    body_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A file with the body.")
    ] = None,
    key_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The key, instead of KYCOURIER_API_KEYS."),
    ] = None,
    as_curl: Annotated[  # noqa: FBT002 - an option
        bool, typer.Option("--curl", help="Print a whole curl command.")
    ] = False,
) -> None:
    """Sign a request to the API: print its signature header.

    The key is the first line of the secret that KYCOURIER_API_KEYS refers to, or of
    --key-file. The signature is good for five minutes.

    \b
    Examples:
      kycourier sign GET https://api.example/v1/health
      kycourier sign POST https://api.example/v1/orders/A1/collection \\
        --body '{"reopen":true}' --curl
    """
    from kycourier_devkit.sign import print_signature, read_body

    session = session_of(context)
    content = read_body(body, body_file)
    print_signature(
        session, method, url, body=content, key_file=key_file, as_curl=as_curl
    )


def doctor(context: typer.Context) -> None:
    """Say what is wrong with the settings and what they name.

    Looks at settings, secrets, stores, the KYC host, the clock, the ticket, the backlog
    and the pause. Shows no setting's value. Exit code 1 when something is wrong.

    \b
    Example:
      kycourier doctor
    """
    from kycourier_devkit.doctor.run import examine

    raise typer.Exit(examine(session_of(context)))


def add_commands(app: typer.Typer) -> None:
    """Add them to the command line."""
    for command in (verify, sign, doctor):
        app.command()(command)
