"""One JSON line per fact, allow-listed fields, and the metrics that facts carry."""

import json
import logging
import re
import sys
import threading
from collections import Counter
from typing import TextIO

from msgspec import Struct

from kycourier.core.outcomes import EFFECTS, Outcome

SERVICE = "kycourier"
FIELDS = {
    "app_id", "attempts", "code", "count", "error", "fence", "function", "generation",
    "key", "orders_due", "orders_unsent", "oldest_due_seconds", "oldest_unsent_seconds",
    "order_no", "outcome", "problem", "reason", "seconds", "source", "state",
}  # fmt: skip
_PRINTABLE = re.compile(r"[A-Za-z0-9_.:/+-]{0,160}")


class Fact(Struct, frozen=True):
    """How a fact is written: its level, and metrics as name → the field that measures.

    A metric without a field counts one.
    """

    level: str = "info"
    metrics: dict[str, str | None] = {}


FACTS = {
    "ticket_refreshed": Fact(metrics={"TicketsRefreshed": None}),
    "ticket_refresh_failed": Fact("warning", {"TicketRefreshesFailed": None}),
    "ticket_save_refused": Fact("warning", {"TicketSavesRefused": None}),
    "ticket_renewal_forced": Fact("warning", {"TicketRenewalsForced": None}),
    "ticket_store_unavailable": Fact("warning", {"TicketStoreFailures": None}),
    "ticket_seen": Fact(metrics={"TicketAgeSeconds": "seconds"}),
    "order_registered": Fact(),
    "order_reopened": Fact(),
    "order_waiting": Fact(),
    "order_settled": Fact(),
    "attempt_ended": Fact("debug"),
    "request_refused": Fact("warning"),
    "result_conflict": Fact("error", {"ResultConflicts": None}),
    "stale_owner_refused": Fact("warning", {"StaleOwnersRefused": None}),
    "evidence_conflict": Fact("error", {"EvidenceConflicts": None}),
    "evidence_unavailable": Fact("warning", {"EvidenceFailures": None}),
    "object_unreferenced": Fact("warning", {"ObjectsUnreferenced": None}),
    "event_sent": Fact(metrics={"EventsSent": None}),
    "event_not_sent": Fact("warning", {"EventsNotSent": None}),
    "work_not_enqueued": Fact("warning", {"WorkNotEnqueued": None}),
    "brake_tripped": Fact("warning", {"BrakeTrips": None, "BrakeSeconds": "seconds"}),
    "brake_released": Fact(metrics={"BrakeReleases": None}),
    "app_stopped": Fact("error", {"AppsStopped": None}),
    "app_resumed": Fact(),
    "message_unusable": Fact("warning", {"PoisonMessages": None}),
    "record_returned": Fact("warning", {"RecordsReturned": None}),
    "rows_unreadable": Fact("error", {"RowsUnreadable": "count"}),
    "order_skipped": Fact("warning", {"OrdersSkipped": None}),
    "sweep_finished": Fact(
        metrics={
            "Sweeps": None,
            "OrdersDue": "orders_due",
            "EventsUnsent": "orders_unsent",
            "OldestDueSeconds": "oldest_due_seconds",
            "OldestUnsentSeconds": "oldest_unsent_seconds",
        }
    ),
    "handler_failed": Fact("error", {"HandlerFailures": None}),
}
BY_OUTCOME = {"attempt_ended", "request_refused"}  # counted as EFFECTS says


class PowertoolsJournal:
    """Writes facts through Powertools' Logger, and metrics in EMF at `flush`."""

    def __init__(self, stream: TextIO, *, app_id: str) -> None:
        """`stream` is where lines go; metrics go to standard output, as EMF wants.

        The app is a dimension, so that two stacks of one account stay apart.
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
        self._invocation: dict[str, str | float | None] = {}

    def begin(self, request_id: str | None) -> None:
        """Let every line from now on name the invocation that it is of."""
        self._invocation = {"request_id": _show(request_id)} if request_id else {}

    def note(self, fact: str, **fields: str | float | None) -> None:
        """Write one fact. An unknown fact or field is a programming error: KeyError."""
        known = FACTS[fact]
        if not fields.keys() <= FIELDS:
            raise KeyError("a field that is not allow-listed")
        shown = {name: _show(value) for name, value in fields.items()}
        extra = shown | self._invocation
        getattr(self._logger, known.level)(fact, extra=extra)
        with self._lock:
            if fact in BY_OUTCOME:
                self._counts[EFFECTS[Outcome(fields["outcome"])].metric] += 1
            for metric, field in known.metrics.items():
                value = fields.get(field) if field else None
                if field is None:
                    self._counts[metric] += 1
                elif isinstance(value, int | float):
                    self._gauges[metric] = float(value)

    def flush(self) -> None:
        """Write the metrics gathered since the last time as one EMF line."""
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
        sys.stdout.write(f"{line}\n")  # whole: a thread that was given up writes too
        sys.stdout.flush()


def _show(value: str | float | None) -> str | float | None:
    if isinstance(value, str) and not _PRINTABLE.fullmatch(value):
        return "unprintable"
    return value
