"""The four routes of an order: register, collect, show, and a photo's link."""

import math
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta

from kycourier.adapters.triggers.http_event import Answer, HttpRequest
from kycourier.adapters.triggers.problems import HEADERS, build_json
from kycourier.core.errors import BadRequest, OutOfTime, StoreUnavailable
from kycourier.core.events import find_photo, parse_traceparent
from kycourier.core.message import parse_body, parse_order, parse_order_no
from kycourier.core.models import OrderKey, PhotoKind
from kycourier.core.order import Urgency
from kycourier.core.order_record import OrderRecord, describe
from kycourier.core.order_record import State as OrderState
from kycourier.core.outcomes import EFFECTS, outcome_of
from kycourier.ports import Ambient, EvidenceStore, State, WorkQueue
from kycourier.usecases.collect_result import CollectResult
from kycourier.usecases.register_order import Expected, RegisterOrder
from kycourier.usecases.time_left import TimeLeft

LONGEST_SECONDS = 20.0
LINK_SECONDS = 300
_NO_DELAY = timedelta(0)
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"?')  # one that is left open goes on to the end
_NAMED = {"document", "app_id"}

Members = Mapping[str, object]


class OrderRoutes:
    """Answers for one app's orders."""

    def __init__(
        self,
        app_id: str,
        *,
        register: RegisterOrder,
        collector: CollectResult,
        evidence: EvidenceStore,
        evidence_uri: str,
        queue: WorkQueue | None,
        state: State,
        ambient: Ambient,
    ) -> None:
        self._app_id, self._register, self._collector = app_id, register, collector
        self._evidence, self._evidence_uri = evidence, evidence_uri
        self._queue, self._orders, self._journal = queue, state.orders, ambient.journal

    def put(self, request: HttpRequest, order_no: str) -> Answer:
        """Register the order: 201 when it is new, else 200."""
        members = _parse_members(request, known=_NAMED)
        claim = self._register.register(self._expected(request, members, order_no))
        return build_json(201 if claim.granted else 200, describe(claim.record))

    def collect(
        self,
        request: HttpRequest,
        time_left: TimeLeft,
        signed_at: datetime | None,
        order_no: str,
    ) -> Answer:
        """Make the order due, and collect it now unless the caller will not wait.

        A signed call that was sent again collects what is due, as the sweep does.
        """
        members = _parse_members(request, known={*_NAMED, "reopen"})
        reopen = members.get("reopen", False)
        if not isinstance(reopen, bool):
            raise BadRequest("bad_member")
        expected = self._expected(request, members, order_no)
        called = self._register.call(expected, reopen=reopen, signed_at=signed_at)
        record = called.record
        if record.state.is_final:
            return build_json(200, describe(record))
        if _is_async_preferred(request):
            if called.granted:
                self._enqueue(record)
            return self._answer(record, applied={"Preference-Applied": "respond-async"})
        with suppress(OutOfTime):  # it is due in its row, where the sweep finds it
            record = self._collector.collect(
                expected,
                urgency=Urgency.NOW if called.granted else Urgency.DUE,
                time_left=time_left.at_most(LONGEST_SECONDS),
            )
        return self._answer(record)

    def show(self, order_no: str) -> Answer:
        """Show the order as it stands."""
        record = self._orders.load(self._key(order_no))
        if record is None:
            raise BadRequest("unknown_order")
        return build_json(200, describe(record))

    def link_photo(self, order_no: str, kind: str) -> Answer:
        """Send the caller to a photo; whatever is not there is answered alike."""
        record = self._orders.load(self._key(order_no))
        key = _find_key(record, kind, self._evidence_uri)
        if key is None:
            raise BadRequest("unknown_photo")
        link = self._evidence.link(key, seconds=LINK_SECONDS)
        return Answer(status=302, headers={**HEADERS, "Location": link})

    def _key(self, order_no: str) -> OrderKey:
        return OrderKey(self._app_id, parse_order_no(order_no))

    def _expected(
        self, request: HttpRequest, members: Members, order_no: str
    ) -> Expected:
        order, document = parse_order(
            {**members, "order_no": order_no}, app_id=self._app_id
        )
        traces = request.values("traceparent")
        return Expected(
            order=order,
            document=document,
            traceparent=parse_traceparent(traces[0]) if len(traces) == 1 else None,
        )

    def _enqueue(self, record: OrderRecord) -> None:
        """Hand it to the queue at once; without one, the sweep finds it."""
        if self._queue is None:
            return
        try:
            self._queue.enqueue(record.key, _NO_DELAY)
        except StoreUnavailable:
            self._journal.note("work_not_enqueued", order_no=record.order_no)

    def _answer(
        self, record: OrderRecord, *, applied: dict[str, str] | None = None
    ) -> Answer:
        """Answer 200 once the order is final, else 202 and when to ask again."""
        status = EFFECTS[outcome_of(record.state, record.reason)].http_status
        headers = dict(applied or {})
        if not record.state.is_final:
            headers["Retry-After"] = str(_seconds_to(record, self._orders.now()))
        return build_json(status, describe(record), headers=headers)


def _parse_members(request: HttpRequest, *, known: set[str]) -> Members:
    members = parse_body(request.body) if request.body else {}
    if not members.keys() <= known:
        raise BadRequest("unknown_member")
    return members


def _is_async_preferred(request: HttpRequest) -> bool:
    """Look for `respond-async` among the preferences (RFC 7240)."""
    return any(
        preference.partition(";")[0].strip(" \t").lower() == "respond-async"
        for sent in request.values("prefer")
        for preference in _QUOTED.sub("", sent).split(",")
    )


def _find_key(record: OrderRecord | None, kind: str, evidence_uri: str) -> str | None:
    kinds = {each.value: each for each in PhotoKind}
    if record is None or record.state is not OrderState.COLLECTED or kind not in kinds:
        return None
    return find_photo(record.events[-1], kinds[kind], evidence_uri=evidence_uri)


def _seconds_to(record: OrderRecord, now: datetime) -> int:
    """Tell when to ask again, in whole seconds; at once while another works on it."""
    if record.state is OrderState.COLLECTING or record.due_at is None:
        return 1
    return max(1, math.ceil((record.due_at - now).total_seconds()))
