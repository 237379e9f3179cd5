"""What several demos look at alike, each on a stage of its own."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from kycourier.ports import Clock
from kycourier_devkit.demo.commands import Ended
from kycourier_devkit.demo.script import Seen
from kycourier_devkit.demo.stage import Answer, Members
from kycourier_devkit.errors import FunctionNotStarted
from kycourier_devkit.functions.running import RunningFunction
from kycourier_devkit.sandbox import Report

_COLLECTED = "kycourier.ocr.collected.v1"
_JPEG = b"\xff\xd8\xff"


class Playable(Protocol):
    """A stage: functions whose timers fire, the platform, and what came out."""

    def fire(self, name: str) -> Members:
        """Let a function's timer fire."""

    def report(self) -> Report:
        """Give what the platform has seen."""

    def events(self, order_no: str | None = None) -> list[Members]:
        """Give the events sent so far, or those of one order."""

    def leaks(self) -> int:
        """Count the secrets and card numbers that stand where none may."""


class PlayableCloud(Playable, Protocol):
    """A stage in a cloud: its functions start cold, its API has a bucket's links."""

    @property
    def clock(self) -> Clock:
        """The time that passes on it."""

    def start(self, name: str) -> RunningFunction:
        """Start a function cold, or give it as it runs. Raises FunctionNotStarted."""

    def request(self, method: str, path: str) -> Answer:
        """Send a request to the API, as one of those who may."""

    def download(self, link: str) -> bytes:
        """Follow a link as a browser does."""

    def canaries(self) -> Sequence[str]:
        """Give what must not be seen."""


def see_empty_secret(stage: PlayableCloud) -> Seen:
    """See that nothing starts with an app secret that nobody has put in yet."""
    said = "it started"
    try:
        stage.start("refresh_ticket")
    except FunctionNotStarted as error:
        said = str(error)
    names = said.startswith("KYCOURIER_APP_SECRET: ") and "put its value" in said
    return Seen("the start stops with KYCOURIER_APP_SECRET, and what to do", names)


def see_first_pair(stage: Playable) -> Iterator[Seen]:
    """Let the refresh timer fire; see that it buys one pair."""
    answer, report = stage.fire("refresh_ticket"), stage.report()
    yield Seen("refresh_ticket bought the first ticket pair", answer["generation"] == 1)
    calls = (report.token_calls, report.ticket_calls)
    yield Seen("the platform saw one token call and one ticket call", calls == (1, 1))


def see_all_collected(stage: Playable, orders: Sequence[str]) -> Seen:
    """See that each order of a batch of nine is collected, with one event."""
    types = [event["type"] for order in orders for event in stage.events(order)]
    good = types == [_COLLECTED] * len(orders)
    return Seen("nine orders collected; the bus carried one event of each", good)


def see_collected(stage: Playable, order_no: str, *, scheme: str) -> Seen:
    """See that an order has one event, which names all three photos."""
    events = stage.events(order_no)
    if [event["type"] for event in events] != [_COLLECTED]:
        return Seen(f"{order_no} has no event of its own", holds=False)
    data = events[0]["data"]
    number, photos = data["card"]["number_masked"], data["photos"]
    text = f"collected {number} with {len(photos)} photos, one event"
    stored = all(photo["uri"].startswith(f"{scheme}://") for photo in photos)
    return Seen(text, stored and len(photos) == 3)  # noqa: PLR2004 - all


def see_collected_by_api(stage: PlayableCloud, order_no: str) -> Iterator[Seen]:
    """Register an order and have it collected; see what is answered."""
    put = stage.request("PUT", f"/v1/orders/{order_no}")
    registered = (put.status, put.members["state"]) == (201, "registered")
    yield Seen("201, registered", registered)
    answer = stage.request("POST", f"/v1/orders/{order_no}/collection")
    collected = (answer.status, answer.members["state"]) == (200, "collected")
    yield Seen("200, collected while the caller waited", collected)


def see_photo(stage: PlayableCloud, order_no: str) -> Iterator[Seen]:
    """Ask for a photo; see that its link gives it."""
    answer = stage.request("GET", f"/v1/orders/{order_no}/photos/original")
    link = answer.headers.get("Location", "")
    signed = answer.status == 302 and "X-Amz-Signature=" in link  # noqa: PLR2004 - Found
    yield Seen("302 to the bucket, signed for five minutes", signed)
    yield Seen("the link gives a JPEG", stage.download(link).startswith(_JPEG))


def see_forgotten(
    stage: PlayableCloud, orders: Sequence[str], *, after: float
) -> Iterator[Seen]:
    """Register two orders that nobody announces; see that the sweep finds them.

    `after` are the seconds until they are due.
    """
    for order in orders:
        answer = stage.request("PUT", f"/v1/orders/{order}")
        yield Seen(f"201, registered: {order}", answer.status == 201)  # noqa: PLR2004 - Created
    stage.clock.sleep(after)
    health = stage.request("GET", "/v1/health").members
    ticket, backlog = health["ticket"], health["backlog"]
    seen = (ticket["state"], backlog["due"], backlog["unsent"])
    well = seen == ("fresh", len(orders), 0)
    yield Seen("/v1/health: a fresh ticket, two orders due", well)
    swept = stage.fire("sweep_orders")
    yield Seen("sweep_orders found both due", swept["due"] == len(orders))


def see_verified(stage: Playable, ended: Ended) -> Seen:
    """See that a manifest of every event was verified, and how that ended."""
    whole = ended.code == 0 and len(stage.events()) == len(ended.lines) - 1
    return Seen(last_line(ended), whole)


def see_examined(stage: PlayableCloud, ended: Ended) -> Iterator[Seen]:
    """See how the doctor ended, and that it shows no secret."""
    problems = [line for line in ended.lines if line.startswith("problem")]
    for line in problems or [last_line(ended)]:
        yield Seen(" ".join(line.split()), ended.code == 0)
    said = "".join(ended.lines)
    secret = any(canary in said for canary in stage.canaries())
    yield Seen("it shows no secret", not secret)


def see_silence(stage: Playable) -> Iterator[Seen]:
    """See that nothing secret stands in what came out."""
    text = "no card number, secret, token, ticket or signature stands in them"
    yield Seen(text, stage.leaks() == 0)


def last_line(ended: Ended) -> str:
    """Give what a command said last: what went wrong, where something did."""
    lines = [*ended.lines, *ended.problems]
    return lines[-1] if lines else "it said nothing"
