"""Selects the KYC platform that serve calls: a sandbox, or the host in the settings."""

from collections.abc import Iterator
from contextlib import contextmanager

from kycourier.core.errors import SettingError
from kycourier.settings.reader import read_settings
from kycourier_devkit.cli.context import CliContext
from kycourier_devkit.errors import UsageError
from kycourier_devkit.orders.container import COLLECT_SETTINGS
from kycourier_devkit.sandbox import APP_ID
from kycourier_devkit.workspace.local_settings import (
    SANDBOX_URL,
    has_own_app,
    local_environ,
)
from kycourier_devkit.workspace.sandbox import (
    forget_sandbox,
    start_sandbox_on_any_port,
)

_KYC_URL = "KYCOURIER_KYC_URL"


def check_kyc_url(kyc_url: str | None) -> None:
    """Checks the option --kyc-url. Raises UsageError."""
    if kyc_url is None:
        return
    try:
        read_settings({_KYC_URL: kyc_url}, needs=frozenset())
    except SettingError as error:
        reason = error.why
    else:
        return
    raise UsageError(f"--kyc-url: {reason}")


@contextmanager
def open_platform(context: CliContext, kyc_url: str | None) -> Iterator[dict[str, str]]:
    """Starts a sandbox unless the settings name another app or host.

    Yields:
        The environment of the functions.
    """
    environ = dict(context.environ)
    if kyc_url is not None:
        environ[_KYC_URL] = kyc_url
    if has_own_app(environ) or environ.get(_KYC_URL):
        yield local_environ(environ, root=context.root)
        return
    with start_sandbox_on_any_port() as sandbox:
        values = local_environ(environ, root=context.root, kyc_url=sandbox.url)
        settings = read_settings(values, needs=COLLECT_SETTINGS)
        forget_sandbox(settings, context.adapter_context)
        context.terminal.line(f"The KYC sandbox is at {sandbox.url} for app {APP_ID}.")
        if sandbox.url != SANDBOX_URL:
            context.terminal.line("Its default port is taken. For other commands, run:")
            context.terminal.line(f"  export KYCOURIER_KYC_URL={sandbox.url}")
        yield values
