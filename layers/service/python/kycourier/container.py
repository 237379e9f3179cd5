"""The parts of one function: each is made once, and only if it is used."""

import sys
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from typing import TypeVar

from kycourier.adapters import registry
from kycourier.adapters.context import AdapterContext
from kycourier.adapters.kyc.transport import HttpKycTransport
from kycourier.adapters.system import SystemClock, SystemRandom
from kycourier.core.documents.registry import MAX_PHOTOS
from kycourier.core.errors import SettingError
from kycourier.core.fingerprints import FingerprintKey, parse_fingerprint_key
from kycourier.logs import PowertoolsEventLog
from kycourier.ports import EvidenceStore, RuntimeDeps, SecretSource, WorkQueue
from kycourier.settings.declarations import PREFIX
from kycourier.settings.reader import read_settings
from kycourier.settings.resource_url import ResourceUrl
from kycourier.triggers.function import Function
from kycourier.triggers.invocation import Invocation
from kycourier.usecases.attempt_end import AttemptEnd
from kycourier.usecases.circuit_breaker import CircuitBreaker
from kycourier.usecases.collect_result import CollectResult
from kycourier.usecases.concurrency import BoundedPool, FanOut, run_sequentially
from kycourier.usecases.deadlines import Deadline
from kycourier.usecases.provide_ticket import (
    KeptTickets,
    OwnedTickets,
    TicketProvider,
)
from kycourier.usecases.publish_events import EventPublisher, WebhookPublisher
from kycourier.usecases.query_result import ResultQuery
from kycourier.usecases.refresh_ticket import TicketRefresher
from kycourier.usecases.register_order import RegisterOrder
from kycourier.usecases.store_evidence import EvidenceWriter

T = TypeVar("T")


class Container:
    """Builds the parts of one function as its settings require."""

    def __init__(
        self,
        name: str,
        environ: Mapping[str, str],
        needs: AbstractSet[str],
        *,
        preconnects: bool = False,
    ) -> None:
        """Reads the settings, and opens the state.

        Args:
            name: The function's name, for its log.
            environ: The environment.
            needs: The settings that the function requires.
            preconnects: Whether to connect to the platform now, because the function
                is sure to call it.

        Raises:
            SettingError: a setting is missing, wrong, or names something unusable.
        """
        self.settings = read_settings(environ, needs=needs)
        self._preconnects = preconnects
        self._transport = _start(lambda: self._open_transport(environ))
        self.app_id = self.settings.app_id
        self.clock = SystemClock()
        self.event_log = PowertoolsEventLog(sys.stdout, app_id=self.app_id)
        self.invocation = Invocation(name, clock=self.clock, event_log=self.event_log)
        self.context = AdapterContext(
            clock=self.clock,
            environ=environ,
            seconds_left=self.invocation.seconds_left,
        )
        self.deps = RuntimeDeps(
            clock=self.clock, random=SystemRandom(), event_log=self.event_log
        )
        self.stores = registry.open_stores(self.settings.state, self.context)
        self.breaker = CircuitBreaker(self.app_id, stores=self.stores, deps=self.deps)
        self.pool = BoundedPool(size=self.settings.max_in_flight)

    def function(
        self,
        handle: Callable[[object, Deadline], object],
        *,
        handle_failure: Callable[[], object] | None = None,
    ) -> Function:
        """Builds what the function file calls."""
        return Function(handle, self.invocation, handle_failure)

    @property
    def transport(self) -> HttpKycTransport:
        """The platform's transport. It is built on a thread: use it last."""
        return self._transport.result()

    def _open_transport(self, environ: Mapping[str, str]) -> HttpKycTransport:
        settings = self.settings
        transport = HttpKycTransport(
            settings.kyc_url or settings.kyc_profile.url,
            connections=settings.max_in_flight,
            max_reply_bytes=settings.max_reply_bytes,
            extra_ca_file=environ.get("SSL_CERT_FILE") or None,
        )
        if self._preconnects:
            transport.preconnect()
        return transport

    @cached_property
    def refresher(self) -> TicketRefresher | None:
        """Refreshes tickets; None if another service does or there is no app secret."""
        if self.settings.ticket is not None or self.settings.app_secret is None:
            return None
        return TicketRefresher(
            self.app_id,
            profile=self.settings.kyc_profile,
            secret=self.secret("app_secret", self.settings.app_secret),
            transport=self.transport,
            breaker=self.breaker,
            call_seconds=self.settings.kyc_timeout_seconds,
            stores=self.stores,
            deps=self.deps,
        )

    @cached_property
    def tickets(self) -> TicketProvider:
        """Where queries get their ticket."""
        if self.settings.ticket is not None:
            source = registry.open_ticket(self.settings.ticket, self.context)
            return KeptTickets(source, clock=self.clock)
        return OwnedTickets(
            self.app_id,
            refresher=self.refresher,
            stores=self.stores,
            deps=self.deps,
        )

    @cached_property
    def register(self) -> RegisterOrder:
        """Registers orders."""
        return RegisterOrder(
            ttl=self.settings.order_ttl_seconds,
            first_sweep=self.settings.first_sweep_seconds,
            stores=self.stores,
            deps=self.deps,
        )

    @cached_property
    def evidence(self) -> EvidenceStore:
        """Where photos and manifests are stored."""
        return registry.open_evidence(
            _required(self.settings.evidence), self.context, state=self.settings.state
        )

    @cached_property
    def evidence_uri(self) -> str:
        """What an object's key is appended to for its URI."""
        return _required(self.settings.evidence).base_uri

    @cached_property
    def evidence_writer(self) -> EvidenceWriter:
        """Stores a collection's evidence."""
        is_local = _required(self.settings.evidence).scheme == "file"
        threads = MAX_PHOTOS * self.settings.max_in_flight
        return EvidenceWriter(
            self.evidence,
            uri=self.evidence_uri,
            fingerprint_key=self._read_fingerprint_key(),
            sealer=registry.open_sealer(self.settings.recipient_key, self.context),
            run_all=run_sequentially if is_local else FanOut(size=threads).run,
        )

    def _read_fingerprint_key(self) -> FingerprintKey:
        url = _required(self.settings.fingerprint_key)
        _, value = registry.read_secret("fingerprint_key", url, self.context)
        key = parse_fingerprint_key(value)
        if key is None:
            raise SettingError(
                f"{PREFIX}FINGERPRINT_KEY",
                "must be 32 characters or more, or lines v1=…, v2=…",
            )
        return key

    @cached_property
    def publisher(self) -> EventPublisher:
        """Publishes the outbox."""
        url = _required(self.settings.events)
        if not url.is_webhook:
            sink = registry.open_events(url, self.context)
            return EventPublisher(sink, stores=self.stores, deps=self.deps)
        secret = self.settings.webhook_secret
        return WebhookPublisher(
            registry.open_webhook(url, secret, self.context),
            queue=self.queue,
            stores=self.stores,
            deps=self.deps,
        )

    @cached_property
    def queue(self) -> WorkQueue | None:
        """Where delayed work is enqueued."""
        return registry.open_queue(self.settings.queue, self.context)

    @cached_property
    def collector(self) -> CollectResult:
        """Collects one order."""
        evidence, publisher, queue = self.evidence_writer, self.publisher, self.queue
        return CollectResult(
            self.register,
            query=ResultQuery(
                tickets=self.tickets,
                transport=self.transport,
                breaker=self.breaker,
                call_seconds=self.settings.kyc_timeout_seconds,
                photo_patience=self.settings.photo_patience_seconds,
                options=self.settings.document_options,
                stores=self.stores,
                deps=self.deps,
            ),
            breaker=self.breaker,
            evidence=evidence,
            publisher=publisher,
            attempt_end=AttemptEnd(queue=queue, stores=self.stores, deps=self.deps),
            stores=self.stores,
            deps=self.deps,
        )

    def secret(self, name: str, url: ResourceUrl | None) -> SecretSource:
        """Opens a secret reference of the settings. Raises SettingError."""
        return registry.open_secret(name, _required(url), self.context)


def _start(make: Callable[[], T]) -> Future[T]:
    """Starts to build a part on a thread: TLS root certificates take 13 ms to read."""
    executor = ThreadPoolExecutor(1)
    part = executor.submit(make)
    executor.shutdown(wait=False)
    return part


def _required(url: ResourceUrl | None) -> ResourceUrl:
    """Returns a setting that this function requires."""
    if url is None:
        raise SettingError(PREFIX, "a setting was not required")
    return url
