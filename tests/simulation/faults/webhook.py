"""Fault 61: the receiver of webhooks fails in every way that a receiver can."""

from datetime import timedelta

from kycourier.core.errors import SinkUnavailableError
from simulation.environment.interceptor import PortCall
from simulation.faults.actions import Proceed
from simulation.faults.registry import FaultRun, fault

WORDS = (
    *("connect_failed", "connection_reset", "reply_not_http", "tls_failed"),
    *("http_500", "http_302", "http_400"),
)
KINDS = ("word", "word", "word", "hang", "late", "lost", "pause", "gone")


def _check(run: FaultRun) -> None:
    """Check that every event arrived, or got a 410, and that no order waited (I20)."""
    received = {event.id for event in run.context.stores.sink.events}
    for row in run.context.stores.rows():
        for event in row.events:
            is_gone = row.delivery is not None and row.delivery.problem == "http_410"
            run.expect(event.id in received or is_gone, "an event did not arrive")
            run.expect(event.undeliverable <= is_gone, "an event was given up early")
    run.expect(all(scan.query_count == 1 for scan in run.scans), "a query was repeated")
    waits = run.log_events("order_waiting")
    run.expect(not waits, "an order waited because of the receiver")


@fault(
    61,
    "webhook receiver fails, hangs, answers late or loses its answer",
    check=_check,
    expects=("event_publish_failed", "event_undeliverable", "outbox re-sent"),
)
def receiver_fails(run: FaultRun) -> None:
    run.context.has_webhook = True
    kinds = KINDS if run.rng.random() < 0.5 else KINDS[:-1]

    def action(call: PortCall, proceed: Proceed) -> object:
        kind = run.rng.choice(kinds)
        if kind in {"hang", "late"}:
            call.machine.sleep(float(str(call.named["seconds"])))
        if kind in {"late", "lost"}:
            proceed()
        if kind == "pause":
            raise SinkUnavailableError(
                word="http_503", retry_after=timedelta(seconds=run.rng.randint(1, 40))
            )
        if kind == "gone":
            raise SinkUnavailableError(word="http_410", is_gone=True)
        timed_out = kind in {"hang", "late"}
        raise SinkUnavailableError(
            word="timed_out" if timed_out else run.rng.choice(WORDS)
        )

    chance = run.rng.choice((0.5, 1.0))
    run.during("sink.publish_within", action, ends_at=290, chance=chance)
