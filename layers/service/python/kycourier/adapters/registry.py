"""Opens the adapter that a setting's URL scheme selects, and imports only that one."""

# ruff: noqa: PLC0415 - an adapter's libraries slow down the start

from collections.abc import Callable
from typing import Any, TypeVar

from kycourier.adapters.context import AdapterContext
from kycourier.core.errors import KycourierError, SettingError, StoreUnavailableError
from kycourier.core.redaction import Secret, scrub_traceback
from kycourier.ports import (
    EventSink,
    EvidenceStore,
    Sealer,
    SecretSource,
    Stores,
    WebhookPort,
    WorkQueue,
)
from kycourier.settings.declarations import PREFIX
from kycourier.settings.resource_url import ResourceUrl
from kycourier.settings.secret_values import unwrap_secret

T = TypeVar("T")
AWS_SCHEMES = {
    "dynamodb",
    "s3",
    "eventbridge",
    "sqs",
    "aws-secretsmanager",
    "aws-ssm",
}
TENCENT_SCHEMES = {"cos", "tencent-eb", "tencent-ssm"}
_NO_SERVICE = "names a service this release lacks"


def open_stores(url: ResourceUrl, context: AdapterContext) -> Stores:
    """Opens tickets, leases, orders and circuit breaker. Raises SettingError."""
    opened: Stores = _open(
        "state", url, lambda factory: factory.open_stores(url, context)
    )
    return opened


def open_evidence(
    url: ResourceUrl, context: AdapterContext, *, state: ResourceUrl
) -> EvidenceStore:
    """Opens the evidence store; `state` is the state store's URL.

    Raises:
        SettingError: it cannot be used.
    """
    opened: EvidenceStore = _open(
        "evidence",
        url,
        lambda factory: factory.open_evidence(url, context, state=state),
    )
    return opened


def open_events(url: ResourceUrl, context: AdapterContext) -> EventSink:
    """Opens the event sink that is no webhook. Raises SettingError."""
    opened: EventSink = _open(
        "events", url, lambda factory: factory.open_events(url, context)
    )
    return opened


def open_webhook(
    url: ResourceUrl, secret: ResourceUrl | None, context: AdapterContext
) -> WebhookPort:
    """Opens the sink that sends webhooks. Raises SettingError."""
    if secret is None:
        raise SettingError(f"{PREFIX}WEBHOOK_SECRET", "is not set")

    def open_with(factory: Any) -> WebhookPort:  # noqa: ANN401 - see `find_factory`
        from kycourier.adapters.webhook.sink import WebhookSink

        return WebhookSink(
            f"{url.scheme}://{url.rest}",
            secret=UnwrappedSecret(factory.open_secret(secret, context), secret.member),
            clock=context.clock,
            extra_ca_file=context.environ.get("SSL_CERT_FILE") or None,
        )

    return _open("webhook_secret", secret, open_with)


def open_queue(url: ResourceUrl | None, context: AdapterContext) -> WorkQueue | None:
    """Opens the queue of delayed work, if one is set. Raises SettingError."""
    if url is None:
        return None
    opened: WorkQueue = _open(
        "queue", url, lambda factory: factory.open_queue(url, context)
    )
    return opened


def open_secret(name: str, url: ResourceUrl, context: AdapterContext) -> SecretSource:
    """Opens a secret reference and reads it once. Raises SettingError."""
    source, _ = read_secret(name, url, context)
    return source


def read_secret(
    name: str, url: ResourceUrl, context: AdapterContext
) -> tuple[SecretSource, Secret]:
    """Opens a secret reference and returns its value too. Raises SettingError."""

    def read(factory: Any) -> tuple[SecretSource, Secret]:  # noqa: ANN401 - see `find_factory`
        source = UnwrappedSecret(factory.open_secret(url, context), url.member)
        return source, source.get()

    return _open(name, url, read)


def open_sealer(url: ResourceUrl | None, context: AdapterContext) -> Sealer | None:
    """Opens the encryption to the partner's key, if one is set. Raises SettingError.

    A JWK is a JSON object itself, so only `?key=` unwraps what is stored.
    """
    if url is None:
        return None

    def open_with(factory: Any) -> Sealer:  # noqa: ANN401 - see `find_factory`
        from kycourier.adapters.sealing.jwe import open_sealer

        return open_sealer(_plain_secret(factory, url, context).get())

    return _open("recipient_key", url, open_with)


def open_ticket(url: ResourceUrl, context: AdapterContext) -> SecretSource:
    """Opens a ticket that another service keeps, without reading it.

    Its form is the ticket's own, unless the URL chooses a member. Raises SettingError.
    """
    return _open("ticket", url, lambda factory: _plain_secret(factory, url, context))


def _plain_secret(
    factory: Any,  # noqa: ANN401 - see `find_factory`
    url: ResourceUrl,
    context: AdapterContext,
) -> SecretSource:
    """Opens a secret that may be a JSON object: only `?key=` unwraps it."""
    source: SecretSource = factory.open_secret(url, context)
    return UnwrappedSecret(source, url.member) if url.member else source


class UnwrappedSecret:
    """A secret without what editors and consoles put around it."""

    def __init__(self, stored: SecretSource, member: str | None) -> None:
        self._stored, self._member = stored, member

    @scrub_traceback
    def get(self) -> Secret:
        """Reads it now. Raises StoreUnavailableError, also if its form is wrong."""
        return unwrap_secret(self._stored.get(), member=self._member)


def _open(name: str, url: ResourceUrl, open_adapter: Callable[[Any], T]) -> T:
    """Finds the factory and opens the adapter. Raises SettingError."""
    variable = PREFIX + name.upper()
    factory = find_factory(url.scheme)
    if factory is None:
        raise SettingError(variable, _NO_SERVICE)
    try:
        return open_adapter(factory)
    except KycourierError as error:
        reason = error.reason or error.code
    raise SettingError(variable, f"cannot be used: {reason}")


def find_factory(scheme: str) -> Any:  # noqa: ANN401 - a module, or an object like one
    """Imports the factory of a scheme's technology; returns None if there is none."""
    if scheme in {"sqlite", "file", "env"}:
        from kycourier.adapters.local import factory as local

        return local
    if scheme in AWS_SCHEMES:
        from kycourier.adapters.aws import factory as aws

        return aws
    if scheme in TENCENT_SCHEMES:
        from kycourier.adapters.tencent import factory as tencent

        return tencent
    if scheme in {"redis", "rediss"}:
        from kycourier.adapters.redis.factory import RedisFactory

        return RedisFactory(_open_password)
    return None


def _open_password(url: ResourceUrl, context: AdapterContext) -> SecretSource:
    """Opens the secret reference of a Redis password. Raises StoreUnavailableError."""
    factory = find_factory(url.scheme)
    if factory is None:
        raise StoreUnavailableError("its password is in a service this release lacks")
    return UnwrappedSecret(factory.open_secret(url, context), url.member)
