"""The routes of an order: register, collect, show, and a photo's link."""

import math
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta

from kycourier.core.documents.registry import document_type
from kycourier.core.errors import (
    ApiProblemError,
    OutOfTimeError,
    StaleOwnerError,
    StoreUnavailableError,
)
from kycourier.core.events.cloudevents import parse_traceparent
from kycourier.core.evidence import parent_of
from kycourier.core.orders import follow_up
from kycourier.core.orders.order_request import (
    OrderRequest,
    parse_body,
    parse_order_no,
    parse_order_request,
)
from kycourier.core.orders.outcomes import EFFECTS, outcome_of
from kycourier.core.orders.record import OrderKey, OrderRecord, OrderState, describe
from kycourier.core.orders.results import CollectedResult
from kycourier.core.orders.state_machine import Urgency
from kycourier.core.timing import COLLECT_CALL_SECONDS, PHOTO_LINK_SECONDS
from kycourier.ports import EvidenceStore, RuntimeDeps, Stores, WorkQueue
from kycourier.triggers.http.event import ApiResponse, HttpRequest
from kycourier.triggers.http.problems import HEADERS, build_json, build_problem
from kycourier.usecases.collect_result import CollectResult
from kycourier.usecases.deadlines import Deadline
from kycourier.usecases.register_order import RegisterOrder

_NO_DELAY = timedelta(0)
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"?')  # an open one extends to the end
_KNOWN = {"document", "app_id"}

Members = Mapping[str, object]


class OrderRoutes:
    """Handles requests for one app's orders."""

    def __init__(
        self,
        app_id: str,
        *,
        register: RegisterOrder,
        collector: CollectResult,
        evidence: EvidenceStore,
        evidence_uri: str,
        queue: WorkQueue | None,
        stores: Stores,
        deps: RuntimeDeps,
    ) -> None:
        self._app_id, self._register, self._collector = app_id, register, collector
        self._evidence, self._evidence_uri = evidence, evidence_uri
        self._queue, self._orders = queue, stores.orders
        self._event_log = deps.event_log

    def put(self, request: HttpRequest, order_no: str) -> ApiResponse:
        """Registers the order: 201 if it is new, else 200."""
        members = _parse_members(request, known=_KNOWN)
        claim = self._register.register(self._parse(request, members, order_no))
        return build_json(201 if claim.granted else 200, describe(claim.record))

    def collect(
        self,
        request: HttpRequest,
        deadline: Deadline,
        signed_at: datetime | None,
        order_no: str,
    ) -> ApiResponse:
        """Makes the order due, and collects it unless the caller prefers not to wait.

        A repeated signed call collects the order only if it is due, as the sweep does.
        """
        members = _parse_members(request, known={*_KNOWN, "reopen"})
        reopen = members.get("reopen")
        if not (reopen is None or isinstance(reopen, bool)):
            raise ApiProblemError("bad_member")
        order = self._parse(request, members, order_no)
        called = self._register.call(order, reopen=bool(reopen), signed_at=signed_at)
        record = called.record
        if record.state.is_final:
            return build_json(200, describe(record))
        if _is_async_preferred(request):
            if called.granted:
                self._enqueue(record)
            return self._respond(
                record, applied={"Preference-Applied": "respond-async"}
            )
        with suppress(OutOfTimeError):  # due in its row, where the sweep finds it
            record = self._collector.collect(
                order,
                urgency=Urgency.NOW if called.granted else Urgency.DUE,
                deadline=deadline.capped(COLLECT_CALL_SECONDS),
            )
        return self._respond(record)

    def show(self, order_no: str) -> ApiResponse:
        """Shows the order."""
        record = self._orders.get(self._key(order_no))
        if record is None:
            raise ApiProblemError("unknown_order")
        return build_json(200, describe(record))

    def link_photo(self, order_no: str, kind: str) -> ApiResponse:
        """Redirects to a photo: 409 while it may still come, 410 if it was deleted."""
        record = self._orders.get(self._key(order_no))
        key = _photo_key(record, kind, self._evidence_uri)
        if key is None:
            if record and not record.state.is_final and _is_kind(record, kind):
                return build_problem("photo_pending", state=record.state.value)
            raise ApiProblemError("unknown_photo")
        if record and key not in self._evidence.list(parent_of(key)):
            self._mark_gone(record, kind)
            raise ApiProblemError("photo_gone")
        link = self._evidence.link(key, seconds=PHOTO_LINK_SECONDS)
        return ApiResponse(status=302, headers={**HEADERS, "Location": link})

    def _mark_gone(self, record: OrderRecord, kind: str) -> None:
        """Has the order show that the photo is gone."""
        if kind in record.photos_gone:
            return
        gone = follow_up.mark_photo_gone(record, kind, now=self._orders.now())
        with suppress(StaleOwnerError, StoreUnavailableError):
            self._orders.commit(gone, expected=record)

    def _key(self, order_no: str) -> OrderKey:
        return OrderKey(self._app_id, parse_order_no(order_no))

    def _parse(
        self, request: HttpRequest, members: Members, order_no: str
    ) -> OrderRequest:
        traces = request.values("traceparent")
        return parse_order_request(
            {**members, "order_no": order_no},
            app_id=self._app_id,
            traceparent=parse_traceparent(traces[0]) if len(traces) == 1 else None,
        )

    def _enqueue(self, record: OrderRecord) -> None:
        """Enqueues the order at once; without a queue, the sweep finds it."""
        if self._queue is None:
            return
        try:
            self._queue.enqueue(record.key, _NO_DELAY)
        except StoreUnavailableError:
            self._event_log.emit("enqueue_failed", order_no=record.order_no)

    def _respond(
        self, record: OrderRecord, *, applied: dict[str, str] | None = None
    ) -> ApiResponse:
        """Responds 200 once the order is final, else 202 with `Retry-After`."""
        status = EFFECTS[outcome_of(record.state, record.reason)].http_status
        headers = dict(applied or {})
        if not record.state.is_final:
            headers["Retry-After"] = str(_seconds_to(record, self._orders.now()))
        return build_json(status, describe(record), headers=headers)


def _parse_members(request: HttpRequest, *, known: set[str]) -> Members:
    members = parse_body(request.body) if request.body else {}
    if not members.keys() <= known:
        raise ApiProblemError("unknown_member")
    return members


def _is_async_preferred(request: HttpRequest) -> bool:
    """Checks for the preference `respond-async` (RFC 7240)."""
    return any(
        preference.partition(";")[0].strip(" \t").lower() == "respond-async"
        for sent in request.values("prefer")
        for preference in _QUOTED.sub("", sent).split(",")
    )


def _is_kind(record: OrderRecord, kind: str) -> bool:
    return kind in document_type(record.document).photo_kinds


def _photo_key(record: OrderRecord | None, kind: str, evidence_uri: str) -> str | None:
    result = record.result if record else None
    if not isinstance(result, CollectedResult):
        return None
    return result.photo_key(kind, evidence_uri=evidence_uri)


def _seconds_to(record: OrderRecord, now: datetime) -> int:
    """Returns when to call again, in whole seconds; 1 while an attempt runs."""
    if record.state is OrderState.COLLECTING or record.due_at is None:
        return 1
    return max(1, math.ceil((record.due_at - now).total_seconds()))
