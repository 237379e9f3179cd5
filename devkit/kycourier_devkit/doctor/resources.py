"""Checks that the secrets, stores and queues in the settings can be used."""

import json
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping

import pybase64

from kycourier.adapters import registry
from kycourier.adapters.webhook.client import ReceiverClient
from kycourier.container import Container
from kycourier.core.causes import Cause
from kycourier.core.errors import KycourierError, SettingError, StoreUnavailableError
from kycourier.core.events.sealed_content import SealedContent
from kycourier.core.fingerprints import parse_fingerprint_key
from kycourier.core.request_signature import parse_keys
from kycourier.settings.resource_url import ResourceUrl
from kycourier.usecases.deadlines import Deadline
from kycourier.usecases.provide_ticket import KeptTickets
from kycourier_devkit.doctor.check import OK, PROBLEM, WARNING, CheckResult

_LEASE = _LEASE_OWNER = "doctor"
_LEASE_SECONDS = 5
_NOT_SET = "not set"
_APP_SECRET = re.compile("[A-Za-z0-9]{64}")
_TICKET_SECONDS = _RECEIVER_SECONDS = 8.0

Check = Callable[[Container], str]  # returns the detail, or raises


def check_resources(container: Container) -> Iterator[CheckResult]:
    """Opens each resource once."""
    for name, check in _CHECKS.items():
        yield _run(name, check, container)
    url = container.settings.events
    if url is not None and url.is_webhook:
        yield _check_receiver(url, container)


def _check_receiver(url: ResourceUrl, container: Container) -> CheckResult:
    """Connects to the receiver and sends nothing; it is somebody else's to mend."""
    ca_file = container.context.environ.get("SSL_CERT_FILE") or None
    client = ReceiverClient(f"{url.scheme}://{url.rest}", extra_ca_file=ca_file)
    try:
        client.connect(seconds=_RECEIVER_SECONDS)
    except KycourierError as error:
        waits = "events wait until it can be reached"
        return CheckResult(WARNING, "receiver", f"{error.reason}: {waits}")
    return CheckResult(OK, "receiver", "accepts connections")


def _run(name: str, check: Check, container: Container) -> CheckResult:
    """Runs a check; a resource that fails orders is named by their cause, too."""
    try:
        return CheckResult(OK, name, check(container))
    except SettingError as error:
        why = error.why
    except KycourierError as error:
        why = error.reason or error.code
    except OSError as error:
        why = f"cannot be written: {error.strerror}"
    cause = _CAUSES.get(name)
    return CheckResult(PROBLEM, name, f"{cause.value}: {why}" if cause else why)


def _check_app_secret(container: Container) -> str:
    if container.settings.ticket is not None:
        return "not needed: the ticket has another source"
    source = container.secret("app_secret", container.settings.app_secret)
    if not _APP_SECRET.fullmatch(source.get().expose()):
        raise StoreUnavailableError("must be 64 letters and digits, as the vendor's is")
    return "has the vendor's form"


def _check_ticket_source(container: Container) -> str:
    if container.settings.ticket is None:
        return "owned: refreshed by this service"
    url = container.settings.ticket
    ticket = KeptTickets(
        registry.open_ticket(url, container.context), clock=container.clock
    )
    ticket.current(Deadline(container.clock.monotonic, seconds=_TICKET_SECONDS))
    return "holds a ticket"


def _check_fingerprint_key(container: Container) -> str:
    source = container.secret("fingerprint_key", container.settings.fingerprint_key)
    if parse_fingerprint_key(source.get()) is None:
        raise StoreUnavailableError("must be 32 characters or more, or lines v1=…")
    return "can be read"


def _check_recipient_key(container: Container) -> str:
    url = container.settings.recipient_key
    sealer = registry.open_sealer(url, container.context)
    if sealer is None:
        return "not set: results are not sealed"
    header = sealer.seal(SealedContent(b"{}")).partition(".")[0]
    members = json.loads(pybase64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))
    return f"{members['alg']}, kid {members['kid']}"


def _check_api_keys(container: Container) -> str:
    if container.settings.api_keys is None:
        return _NOT_SET
    keys = parse_keys(container.secret("api_keys", container.settings.api_keys).get())
    if keys is None:
        raise StoreUnavailableError("must be one or two keys, a line each")
    return f"{len(keys)} valid"


def _check_state(container: Container) -> str:
    leases = container.stores.leases
    lease = leases.acquire(_LEASE, owner=_LEASE_OWNER, seconds=_LEASE_SECONDS)
    if lease is not None:
        leases.release(_LEASE, lease=lease)
    return "can be written"


def _check_evidence(container: Container) -> str:
    url = container.settings.evidence
    if url is None:
        return _NOT_SET
    registry.open_evidence(url, container.context, state=container.settings.state)
    if url.scheme != "file":
        return "can be listed"  # a test object would remain: no right to delete it
    with tempfile.TemporaryFile(dir=url.rest):
        return "can be written"


def _check_events(container: Container) -> str:
    url = container.settings.events
    if url is None:
        return _NOT_SET
    if url.is_webhook:
        secret = container.settings.webhook_secret
        registry.open_webhook(url, secret, container.context)
        return "a webhook, signed"
    registry.open_events(url, container.context)
    return "can be written" if url.scheme == "file" else "exists"


def _check_queue(container: Container) -> str:
    queue = registry.open_queue(container.settings.queue, container.context)
    return "exists" if queue else "none: the sweep alone collects orders"


_CAUSES = {
    "state": Cause.STORE_UNAVAILABLE,
    "evidence": Cause.EVIDENCE_UNAVAILABLE,
    "events": Cause.SINK_UNAVAILABLE,
}
_CHECKS: Mapping[str, Check] = {
    "app secret": _check_app_secret,
    "ticket source": _check_ticket_source,
    "recipient key": _check_recipient_key,
    "fingerprint key": _check_fingerprint_key,
    "API keys": _check_api_keys,
    "state": _check_state,
    "evidence": _check_evidence,
    "events": _check_events,
    "queue": _check_queue,
}
