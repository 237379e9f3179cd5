"""Workers killed and frozen at random moments, on every store: nothing is lost."""

import random
import time

import pytest

from fleet import GRACE_SECONDS, Feed, Fleet, storm, wait_until
from houses import open_house
from kycourier_devkit.sandbox import Sandbox
from outside import FINAL, furnish
from stand_ins import IN_CLOUD
from watch import Watch

pytestmark = [*IN_CLOUD]
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

    def is_over() -> bool:
        rows = stores.rows()
        sent = all(event["sent"] for row in rows.values() for event in row.events)
        return sent and orders.keys() == {
            order for order, row in rows.items() if row.state in FINAL
        }

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
        wait_until(is_over, seconds=30, what="all orders have ended")
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
