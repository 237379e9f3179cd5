"""Workers killed and frozen at random moments, on every store: nothing is lost."""

import random
import time
from datetime import datetime, timedelta

import pytest

from fleet import GRACE_SECONDS, Feed, Fleet, storm, wait_until
from houses import open_house
from kycourier.adapters.system import SystemClock
from kycourier_devkit.sandbox import Sandbox
from outside import FINAL, Row, furnish
from stand_ins import IN_CLOUD
from watch import Watch

pytestmark = [*IN_CLOUD, pytest.mark.timeout(180)]
LIMIT = 5.5  # seconds an invocation may live: enough to refresh
MARGIN = 3.0  # by which DynamoDB's leases outlast what their holder knows
WORDS = {  # magic order numbers, how often, and what becomes of them
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
def house(tmp_path):
    """Give a house whose platform takes its time, and whose tickets grow old fast."""
    sandbox = Sandbox(query_latency_seconds=0.1, ticket_lifetime_seconds=24)
    with open_house(tmp_path, sandbox) as house:
        yield house


def draw_orders(draw: random.Random, count: int) -> dict[str, str]:
    """Draw order numbers, and the end that each must come to."""
    weights = [weight for weight, _ in WORDS.values()]
    words = draw.choices(list(WORDS), weights, k=count)
    return {f"{word}x{at}": WORDS[word][1] for at, word in enumerate(words)}


def is_told(row: Row | None) -> bool:
    """Tell whether an order has ended, and its event was sent."""
    return row is not None and row.state in FINAL and row.events[-1]["sent"]


def backs_off(row: Row | None) -> bool:
    """Tell whether the sweep will not take an order for some seconds yet."""
    if row is None or row.state != "waiting" or row.due_at is None:
        return False
    due_at = datetime.fromisoformat(row.due_at.replace("Z", "+00:00"))
    return due_at > SystemClock().now() + timedelta(seconds=5)


@pytest.mark.parametrize(
    ("kind", "count", "seconds"),
    [("sqlite", 240, 11.0), ("redis", 240, 11.0), ("dynamodb", 100, 11.0)],
)
def test_orders_of_killed_and_frozen_workers_are_ended_once(
    house, request, seed, figures, kind, count, seconds
):
    """On moto, since dynalite ends with a client that is killed in the middle."""
    draw = random.Random(f"{seed}/{kind}")  # noqa: S311 - repeatable on purpose
    stores = furnish(house, kind, request.getfixturevalue)
    orders = draw_orders(draw, count)
    messages = [*orders, *draw.choices(list(orders), k=count // 2)]
    begun = time.monotonic()
    feed = Feed(messages, draw, over=seconds)
    fleet = Fleet(house, feed, collectors=4, limit=LIMIT, patience=15.0)

    def left() -> dict[str, Row | None]:
        rows = stores.rows()
        return {each: rows.get(each) for each in orders if not is_told(rows.get(each))}

    def is_over() -> bool:
        """Ask out of turn, as whoever waits may, for those that back off for long."""
        rows = left()
        for order in [each for each, row in rows.items() if backs_off(row)]:
            caller.invoke({"order_no": order})
        return not rows

    caller = house.start("collect_results")
    is_slow = kind == "dynamodb"
    with Watch(house, stores, rows_every=40 if is_slow else 10) as watch, fleet:
        storm(
            fleet,
            draw,
            until=lambda: time.monotonic() > begun + seconds,
            every=(0.1, 0.4),
            lease=LIMIT + GRACE_SECONDS + (MARGIN if is_slow else 0),
            frozen=0.25,
        )
        wait_until(
            is_over, seconds=60, what=lambda: f"the end of {left()}: {house.facts()}"
        )
    watch.judge(orders)
    assert fleet.count("died at work")
    assert fleet.count("frozen")
    figures(
        "killed and frozen at random moments",
        stores.kind,
        orders=count,
        messages=feed.delivered,
        kills=fleet.count("killed"),
        freezes=fleet.count("frozen"),
    )
