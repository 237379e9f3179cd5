"""Log events: one JSON line each, allow-listed fields, and the metrics they count."""

import json
import logging
import re
import sys
import threading
from collections import Counter
from contextvars import ContextVar
from typing import TextIO

from msgspec import Struct

from kycourier.core.causes import Cause, metric_of
from kycourier.core.orders.outcomes import EFFECTS, Outcome

SERVICE = "kycourier"
FIELDS = {
    "app_id", "attempts", "cause", "code", "count", "detail", "error",
    "failing_seconds", "fence", "function", "generation", "http_status", "key",
    "orders_due", "orders_unsent", "oldest_due_seconds", "oldest_unsent_seconds",
    "order_no", "outcome", "problem", "reason", "seconds", "source", "state",
}  # fmt: skip
# Threads copy it when they start: late lines keep the id of their own invocation.
_request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
_PRINTABLE = re.compile(r"[A-Za-z0-9_.:/+-]{0,160}")


class LogEvent(Struct, frozen=True):
    """How an event is logged: its level, and its metrics.

    `metrics` maps each name to the field that is measured, or to None if it counts one.
    """

    level: str = "info"
    metrics: dict[str, str | None] = {}


LOG_EVENTS = {
    "ticket_refreshed": LogEvent(metrics={"TicketsRefreshed": None}),
    "ticket_refresh_failed": LogEvent("warning", {"TicketRefreshesFailed": None}),
    "ticket_save_refused": LogEvent("warning", {"TicketSavesRefused": None}),
    "ticket_renewal_forced": LogEvent("warning", {"TicketRenewalsForced": None}),
    "ticket_store_unavailable": LogEvent("warning", {"TicketStoreFailures": None}),
    "ticket_age_measured": LogEvent(metrics={"TicketAgeSeconds": "seconds"}),
    "order_registered": LogEvent(),
    "order_reopened": LogEvent(),
    "order_waiting": LogEvent(metrics={"OrderFailingSeconds": "failing_seconds"}),
    "order_settled": LogEvent(metrics={"OrderFailingSeconds": "failing_seconds"}),
    "attempt_ended": LogEvent("debug"),
    "request_refused": LogEvent("warning"),
    "result_conflict": LogEvent("error", {"ResultConflicts": None}),
    "stale_owner_refused": LogEvent("warning", {"StaleOwnersRefused": None}),
    "evidence_conflict": LogEvent("error", {"EvidenceConflicts": None}),
    "evidence_unavailable": LogEvent("warning", {"EvidenceFailures": None}),
    "object_orphaned": LogEvent("warning", {"ObjectsOrphaned": None}),
    "event_published": LogEvent(metrics={"EventsPublished": None}),
    "event_publish_failed": LogEvent("warning", {"EventPublishFailures": None}),
    "event_undeliverable": LogEvent("error", {"EventsUndeliverable": None}),
    "enqueue_failed": LogEvent("warning", {"EnqueueFailures": None}),
    "breaker_opened": LogEvent(
        "warning", {"BreakerOpenings": None, "BreakerOpenSeconds": "seconds"}
    ),
    "breaker_closed": LogEvent(metrics={"BreakerClosings": None}),
    "app_stopped": LogEvent("error", {"AppsStopped": None}),
    "app_resumed": LogEvent(),
    "message_unprocessable": LogEvent("warning", {"UnprocessableMessages": None}),
    "record_returned": LogEvent("warning", {"RecordsReturned": None}),
    "rows_unreadable": LogEvent("error", {"RowsUnreadable": "count"}),
    "order_skipped": LogEvent("warning", {"OrdersSkipped": None}),
    "sweep_finished": LogEvent(
        metrics={
            "Sweeps": None,
            "OrdersDue": "orders_due",
            "EventsUnsent": "orders_unsent",
            "OldestDueSeconds": "oldest_due_seconds",
            "OldestUnsentSeconds": "oldest_unsent_seconds",
        }
    ),
    "handler_failed": LogEvent("error", {"HandlerFailures": None}),
}
COUNTED_BY_OUTCOME = {"attempt_ended", "request_refused"}  # counted as EFFECTS says
COUNTED_BY_CAUSE = {"attempt_ended", "ticket_refresh_failed"}  # as `metric_of` says


class PowertoolsEventLog:
    """Writes events through Powertools' Logger, and metrics in EMF at `flush`."""

    def __init__(self, stream: TextIO, *, app_id: str) -> None:
        """Prepares the log.

        Args:
            stream: Where lines go; metrics go to standard output, as EMF requires.
            app_id: A dimension of every metric, so that two stacks stay apart.
        """
        from aws_lambda_powertools import Logger  # noqa: PLC0415 - 45 ms, only where used

        self._app_id = app_id
        self._logger = Logger(service=SERVICE, location=None, utc=True)
        handler = self._logger.registered_handler  # one per process: the last one's
        if isinstance(handler, logging.StreamHandler):
            handler.setStream(stream)
        self._counts: Counter[str] = Counter()
        self._gauges: dict[str, float] = {}
        self._lock = threading.Lock()

    def begin(self, request_id: str | None) -> None:
        """Adds the invocation's request id to the lines of its threads."""
        _request_id.set(request_id)

    def emit(self, event: str, **fields: str | float | None) -> None:
        """Writes one event.

        Raises:
            KeyError: the event or a field is not on its list: a programming error.
        """
        known = LOG_EVENTS[event]
        if not fields.keys() <= FIELDS:
            raise KeyError("a field that is not allow-listed")
        shown = {name: _shown(value) for name, value in fields.items()}
        request_id = _request_id.get()
        extra = shown | ({"request_id": _shown(request_id)} if request_id else {})
        getattr(self._logger, known.level)(event, extra=extra)
        with self._lock:
            if event in COUNTED_BY_OUTCOME:
                self._counts[EFFECTS[Outcome(fields["outcome"])].metric] += 1
            if event in COUNTED_BY_CAUSE and (cause := fields.get("cause")):
                status = fields.get("http_status")
                self._counts[metric_of(Cause(cause), status)] += 1
            for metric, field in known.metrics.items():
                value = fields.get(field) if field else None
                if field is None:
                    self._counts[metric] += 1
                elif isinstance(value, int | float):
                    highest = max(float(value), self._gauges.get(metric, 0.0))
                    self._gauges[metric] = highest

    def flush(self) -> None:
        """Writes the metrics since the last flush as one EMF line."""
        from aws_lambda_powertools.metrics import (  # noqa: PLC0415 - only where used
            EphemeralMetrics,
            MetricUnit,
        )
        from aws_lambda_powertools.metrics.functions import (  # noqa: PLC0415 - the same
            is_metrics_disabled,
        )

        with self._lock:
            counts, gauges = self._counts, self._gauges
            self._counts, self._gauges = Counter(), {}
        if not counts and not gauges:
            return
        metrics = EphemeralMetrics(namespace=SERVICE, service=SERVICE)
        metrics.add_dimension("app_id", self._app_id)
        for name, count in counts.items():
            metrics.add_metric(name, MetricUnit.Count, count)
        for name, value in gauges.items():
            unit = MetricUnit.Seconds if name.endswith("Seconds") else MetricUnit.Count
            metrics.add_metric(name, unit, value)
        if is_metrics_disabled():
            return
        line = json.dumps(metrics.serialize_metric_set(), separators=(",", ":"))
        sys.stdout.write(f"{line}\n")  # one write: abandoned threads write too
        sys.stdout.flush()


def _shown(value: str | float | None) -> str | float | None:
    if isinstance(value, str) and not _PRINTABLE.fullmatch(value):
        return "unprintable"
    return value
