"""Everything one function uses: each part made once, and only if it is used."""

import sys
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from typing import TypeVar

from msgspec import Struct

from kycourier.adapters import places
from kycourier.adapters.kyc_http import KycHttp
from kycourier.adapters.surroundings import Surroundings
from kycourier.adapters.system import SystemClock, SystemNonces
from kycourier.adapters.triggers.invocation import Invocation
from kycourier.core.card import parse_fingerprint_key
from kycourier.core.errors import HandlerFailed, SettingError
from kycourier.core.models import PhotoKind
from kycourier.logs import PowertoolsJournal
from kycourier.ports import Ambient, EvidenceStore, SecretSource, WorkQueue
from kycourier.setting_forms import Place
from kycourier.settings import PREFIX, read_settings
from kycourier.usecases.ask_platform import AskPlatform
from kycourier.usecases.collect_result import CollectResult
from kycourier.usecases.heed_brake import BrakeGuard
from kycourier.usecases.keep_evidence import EvidenceKeeper
from kycourier.usecases.refresh_ticket import TicketRefresher
from kycourier.usecases.register_order import RegisterOrder
from kycourier.usecases.send_events import EventSender
from kycourier.usecases.side_by_side import AllAtOnce, SideBySide, run_in_turn
from kycourier.usecases.time_left import TimeLeft
from kycourier.usecases.use_ticket import ForeignTickets, OwnedTickets, Tickets

T = TypeVar("T")


class Function(Struct, frozen=True):
    """What a function file calls."""

    answer: Callable[[object, TimeLeft], object]
    invocation: Invocation
    answer_failed: Callable[[], object] | None = None

    def invoke(self, event: object, context: object) -> object:
        """Answer one event, a failure as `answer_failed` does. Raises HandlerFailed."""
        try:
            return self.invocation.run(lambda left: self.answer(event, left), context)
        except HandlerFailed:
            if self.answer_failed is None:
                raise
        return self.answer_failed()


class Assembly:
    """The parts of one function, wired as its settings say."""

    def __init__(
        self,
        name: str,
        environ: Mapping[str, str],
        needs: AbstractSet[str],
        *,
        opens_ahead: bool = False,
    ) -> None:
        """`opens_ahead` where the platform is sure to be asked at once."""
        self.settings = read_settings(environ, needs=needs)
        self._opens_ahead = opens_ahead
        self._transport = _begin(lambda: self._open_transport(environ))
        self.app_id = self.settings.app_id
        self.clock = SystemClock()
        self.journal = PowertoolsJournal(sys.stdout, app_id=self.app_id)
        self.invocation = Invocation(name, clock=self.clock, journal=self.journal)
        self.around = Surroundings(
            clock=self.clock,
            environ=environ,
            seconds_left=self.invocation.seconds_left,
        )
        self.ambient = Ambient(
            clock=self.clock, nonces=SystemNonces(), journal=self.journal
        )
        self.state = places.open_state(self.settings.state, self.around)
        self.brake = BrakeGuard(self.app_id, state=self.state, ambient=self.ambient)
        self.pool = SideBySide(most=self.settings.max_in_flight)

    def function(
        self,
        answer: Callable[[object, TimeLeft], object],
        *,
        answer_failed: Callable[[], object] | None = None,
    ) -> Function:
        """Make what the function file calls."""
        return Function(answer, self.invocation, answer_failed)

    @property
    def transport(self) -> KycHttp:
        """The one session to the platform; it was begun first, so ask for it last."""
        return self._transport.result()

    def _open_transport(self, environ: Mapping[str, str]) -> KycHttp:
        settings = self.settings
        transport = KycHttp(
            settings.kyc_url or settings.kyc_profile.url,
            connections=settings.max_in_flight,
            max_reply_bytes=settings.max_reply_bytes,
            extra_ca_file=environ.get("SSL_CERT_FILE") or None,
        )
        if self._opens_ahead:
            transport.open_ahead()
        return transport

    @cached_property
    def refresher(self) -> TicketRefresher | None:
        """Who buys tickets; None where somebody else does or the secret is not here."""
        if self.settings.ticket is not None or self.settings.app_secret is None:
            return None
        return TicketRefresher(
            self.app_id,
            profile=self.settings.kyc_profile,
            secret=self.secret("app_secret", self.settings.app_secret),
            transport=self.transport,
            brake=self.brake,
            call_seconds=self.settings.kyc_timeout_seconds,
            state=self.state,
            ambient=self.ambient,
        )

    @cached_property
    def tickets(self) -> Tickets:
        """Where queries find their ticket."""
        if self.settings.ticket is not None:
            source = self.secret("ticket", self.settings.ticket)
            return ForeignTickets(source, clock=self.clock)
        return OwnedTickets(
            self.app_id,
            refresher=self.refresher,
            state=self.state,
            ambient=self.ambient,
        )

    @cached_property
    def register(self) -> RegisterOrder:
        """Who writes an order's first row."""
        return RegisterOrder(
            ttl=self.settings.order_ttl_seconds,
            first_sweep=self.settings.first_sweep_seconds,
            state=self.state,
            ambient=self.ambient,
        )

    @cached_property
    def evidence(self) -> EvidenceStore:
        """Where photos and manifests lie."""
        return places.open_evidence(
            _demanded(self.settings.evidence), self.around, state=self.settings.state
        )

    @cached_property
    def evidence_uri(self) -> str:
        """What stands before a key in an object's `uri`."""
        return _demanded(self.settings.evidence).base_uri

    @cached_property
    def keeper(self) -> EvidenceKeeper:
        """Who stores the evidence."""
        place = _demanded(self.settings.fingerprint_key)
        _, kept = places.read_secret("fingerprint_key", place, self.around)
        key = parse_fingerprint_key(kept)
        if key is None:
            raise SettingError(
                f"{PREFIX}FINGERPRINT_KEY",
                "must be 32 characters or more, or lines v1=…, v2=…",
            )
        is_here = _demanded(self.settings.evidence).scheme == "file"
        at_once = len(PhotoKind) * self.settings.max_in_flight
        return EvidenceKeeper(
            self.evidence,
            uri=self.evidence_uri,
            fingerprint_key=key,
            run_all=run_in_turn if is_here else AllAtOnce(most=at_once).run,
        )

    @cached_property
    def sender(self) -> EventSender:
        """Who empties the outbox."""
        sink = places.open_events(_demanded(self.settings.events), self.around)
        return EventSender(sink, state=self.state, ambient=self.ambient)

    @cached_property
    def queue(self) -> WorkQueue | None:
        """Where delayed work goes."""
        return places.open_queue(self.settings.queue, self.around)

    @cached_property
    def collector(self) -> CollectResult:
        """Who collects one order."""
        evidence, sender, queue = self.keeper, self.sender, self.queue
        return CollectResult(
            self.register,
            platform=AskPlatform(
                tickets=self.tickets,
                transport=self.transport,
                brake=self.brake,
                call_seconds=self.settings.kyc_timeout_seconds,
                photo_patience=self.settings.photo_patience_seconds,
                state=self.state,
                ambient=self.ambient,
            ),
            brake=self.brake,
            evidence=evidence,
            sender=sender,
            queue=queue,
            state=self.state,
            ambient=self.ambient,
        )

    def secret(self, name: str, place: Place | None) -> SecretSource:
        """Open a secret reference of the settings."""
        return places.open_secret(name, _demanded(place), self.around)


def _begin(make: Callable[[], T]) -> Future[T]:
    """Begin to make a part that takes its time, as the roots of TLS take to be read."""
    aside = ThreadPoolExecutor(1)
    made = aside.submit(make)
    aside.shutdown(wait=False)
    return made


def _demanded(place: Place | None) -> Place:
    """Give a setting that this function demanded."""
    if place is None:
        raise SettingError(PREFIX, "a setting was not demanded")
    return place
