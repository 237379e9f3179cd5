"""Workers are killed and frozen at random times on every store: no order is lost."""

import random
from datetime import datetime, timedelta

import pytest

from kycourier.adapters.system import SystemClock
from kycourier_devkit.sandbox import Sandbox
from support.processes.invariant_monitor import InvariantMonitor
from support.processes.raw_stores import FINAL_STATES, RawOrder, configure_stores
from support.processes.service_rig import open_service_rig
from support.processes.worker_fleet import (
    LEASE_GRACE_SECONDS,
    MessageFeed,
    WorkerFleet,
    inject_failures,
    wait_until,
)
from support.servers.emulators import EMULATOR_MARKS

pytestmark = [*EMULATOR_MARKS, pytest.mark.timeout(180)]
SECONDS = 11.0  # of failures
LIMIT = 5.5  # seconds of an invocation: enough for a refresh
MARGIN = 3.0  # DynamoDB's leases last longer than their owners assume
SCRIPTS = {  # the emulator's scripted orders: weight and final state
    "good": (6, "collected"),
    "slow1": (2, "collected"),
    "late1": (1, "collected"),
    "changing": (2, "collected"),
    "notready2": (1, "collected"),
    "once503": (1, "collected"),
    "codem9011": (1, "rejected"),
    "othernumber": (1, "rejected"),
    "code66660007": (1, "parked"),
}


@pytest.fixture
def service_rig(tmp_path):
    """Run the functions against a slow platform whose tickets expire soon."""
    sandbox = Sandbox(query_latency_seconds=0.1, ticket_lifetime_seconds=24)
    with open_service_rig(tmp_path, sandbox) as service_rig:
        yield service_rig


def draw_orders(draw: random.Random, count: int) -> dict[str, str]:
    """Draw order numbers with the final state of each."""
    weights = [weight for weight, _ in SCRIPTS.values()]
    words = draw.choices(list(SCRIPTS), weights, k=count)
    return {f"{word}x{at}": SCRIPTS[word][1] for at, word in enumerate(words)}


def is_published(row: RawOrder | None) -> bool:
    """Return whether an order is final and its event published."""
    return row is not None and row.state in FINAL_STATES and row.events[-1]["sent"]


def backs_off(row: RawOrder | None) -> bool:
    """Return whether an order is not due for some seconds."""
    if row is None or row.state != "waiting" or row.due_at is None:
        return False
    due_at = datetime.fromisoformat(row.due_at.replace("Z", "+00:00"))
    return due_at > SystemClock().now() + timedelta(seconds=5)


@pytest.mark.parametrize(
    ("kind", "count"), [("sqlite", 240), ("redis", 240), ("dynamodb", 100)]
)
def test_orders_of_killed_and_frozen_workers_are_final_once(
    service_rig, request, seed, figures, kind, count
):
    """DynamoDB is moto: dynalite exits when a client is killed during a call."""
    draw = random.Random(f"{seed}/{kind}")  # noqa: S311 - repeatable on purpose
    stores = configure_stores(service_rig, kind, request.getfixturevalue)
    orders = draw_orders(draw, count)
    messages = [*orders, *draw.choices(list(orders), k=count // 2)]
    feed = MessageFeed(messages, draw, over=SECONDS)
    fleet = WorkerFleet(service_rig, feed, collectors=4, limit=LIMIT, patience=15.0)

    def unfinished() -> dict[str, RawOrder | None]:
        rows = stores.rows()
        return {
            each: rows.get(each) for each in orders if not is_published(rows.get(each))
        }

    def is_over() -> bool:
        """Collect orders directly whose back-off is long."""
        rows = unfinished()
        for order in [each for each, row in rows.items() if backs_off(row)]:
            caller.invoke({"order_no": order})
        return not rows

    caller = service_rig.start("collect_results")
    is_slow = kind == "dynamodb"
    with (
        InvariantMonitor(
            service_rig, stores, rows_every=40 if is_slow else 10
        ) as watch,
        fleet,
    ):
        inject_failures(
            fleet,
            draw,
            seconds=SECONDS,
            lease=LIMIT + LEASE_GRACE_SECONDS + (MARGIN if is_slow else 0),
        )
        wait_until(
            is_over,
            seconds=240,  # for a busy machine
            what=lambda: f"{unfinished()}: {service_rig.count_log_events()}",
        )
    watch.check(orders)
    assert fleet.count("died while busy")
    assert fleet.count("frozen")
    figures(
        "killed and frozen at random moments",
        stores.kind,
        orders=count,
        messages=feed.delivered,
        kills=fleet.count("killed"),
        freezes=fleet.count("frozen"),
    )
