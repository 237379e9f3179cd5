"""Defines what `trigger` can make happen: sandbox behaviours and their ends."""

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType

from msgspec import Struct

from kycourier.core.documents.recognition import Document
from kycourier.core.orders.record import OrderState


class Scenario(Struct, frozen=True):
    """One scenario.

    `behaviour` is the magic part of the order number, for each document of `others`
    another one, None where it cannot happen. `ttl` is how long the order may wait for a
    result, None for the setting's.
    """

    help: str
    behaviour: str
    end: OrderState = OrderState.COLLECTED
    ttl: timedelta | None = None
    others: Mapping[str, str | None] = MappingProxyType({})

    def behaviour_of(self, document: Document) -> str | None:
        """Returns the behaviour for a document, None if it cannot happen."""
        return self.others.get(document, self.behaviour)


SCENARIOS = {
    "collected": Scenario("the result is complete at once", "good"),
    "rejected": Scenario(
        "blurred photo, no ID card, or not the person",
        "codem9012",
        OrderState.REJECTED,
        others={"id_card": "code66661001", "face": "refusedphoto"},
    ),
    "expired": Scenario(
        "no result before the deadline, which is now",
        "neverready",
        OrderState.EXPIRED,
        timedelta(0),
    ),
    "parked": Scenario(
        "a code that needs an operator",
        "code66660013",
        OrderState.PARKED,
        others={"face": "code66660016"},
    ),
    "late-photos": Scenario("the photos come 2 s late; then collected", "late2"),
    "missing-photos": Scenario(
        "two photos never come; collected without them, after 7 s",
        "lostcrops",
        others={"face": None},
    ),
    "not-ready": Scenario("no result for 3 s; waits, then collected", "notready3"),
    "throttled": Scenario(
        "HTTP 429: all orders pause for 2 s; then collected", "onceretryafter2"
    ),
    "server-error": Scenario("HTTP 503 once; waits, then collected", "oncehttp503"),
    "unreadable": Scenario("an HTML page once; waits, then collected", "oncehtml"),
}
