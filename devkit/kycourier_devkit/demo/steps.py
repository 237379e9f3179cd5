"""The demo's steps: each tells what is sent, and checks what comes of it."""

import json
from collections.abc import Iterator

from kycourier_devkit.demo.looks import see_collected, see_first_pair, see_silence
from kycourier_devkit.demo.script import Seen, Step
from kycourier_devkit.demo.stage import FIRST_SWEEP_SECONDS, Stage
from kycourier_devkit.functions.trigger_events import Message

GOOD, LATE, UNREADABLE = "DEMO0001", "DEMO0002", "DEMO0003"
ANNOUNCED, RENEWED, FORGOTTEN = "DEMO0004", "DEMO0005", "DEMO0006"
BESIDE = ("DEMO0007", "DEMO0008")
_REJECTED = "kycourier.ocr.rejected.v1"


def _good(stage: Stage) -> Iterator[Seen]:
    returned = stage.deliver(_message(GOOD))
    yield Seen("collect_results returned nothing of the batch", not returned)
    yield _collected(stage, GOOD)
    yield Seen("the platform was asked once", stage.queries(GOOD) == 1)


def _late(stage: Stage) -> Iterator[Seen]:
    stage.choose(LATE, "late1")
    stage.deliver(_message(LATE))
    yield _collected(stage, LATE)
    asked = stage.queries(LATE)
    yield Seen("asked again in place until the photos were there", 1 < asked <= 4)  # noqa: PLR2004 - 1, 2, 4 s


def _unreadable(stage: Stage) -> Iterator[Seen]:
    stage.choose(UNREADABLE, "codem9012")
    stage.deliver(_message(UNREADABLE))
    events = stage.events(UNREADABLE)
    rejected = [event["type"] for event in events] == [_REJECTED]
    reason = events[0]["data"]["reason"]["name"] if events else "no event"
    yield Seen(f"one event says so: rejected, {reason}", rejected)


def _again(stage: Stage) -> Iterator[Seen]:
    before = stage.events(), stage.queries(GOOD)
    returned = stage.deliver(_message(GOOD, receives=2))
    yield Seen("the message is acknowledged", not returned)
    after = stage.events(), stage.queries(GOOD)
    yield Seen("no query and no event more: one effect, one id", after == before)


def _register(stage: Stage) -> Iterator[Seen]:
    answer = stage.request("PUT", f"/v1/orders/{ANNOUNCED}")
    registered = (answer.status, answer.members["state"]) == (201, "registered")
    yield Seen("201, registered; the platform is not asked yet", registered)


def _collect(stage: Stage) -> Iterator[Seen]:
    answer = stage.request("POST", f"/v1/orders/{ANNOUNCED}/collection")
    collected = (answer.status, answer.members["state"]) == (200, "collected")
    yield Seen("200, collected while the caller waited", collected)
    yield _collected(stage, ANNOUNCED)


def _read(stage: Stage) -> Iterator[Seen]:
    answer = stage.request("GET", f"/v1/orders/{ANNOUNCED}")
    [event] = stage.events(ANNOUNCED)
    same = (answer.status, answer.members["event_id"]) == (200, event["id"])
    yield Seen("200, with the masked number and the event's id", same)


def _photo(stage: Stage) -> Iterator[Seen]:
    answer = stage.request("GET", f"/v1/orders/{ANNOUNCED}/photos/original")
    link = answer.headers.get("Location", "")
    signed = answer.status == 302 and "signature=" in link  # noqa: PLR2004 - Found
    yield Seen("302 to a signed link that ends after five minutes", signed)


def _renew(stage: Stage) -> Iterator[Seen]:
    stage.kill_ticket()
    before = stage.report()
    stage.deliver(_message(RENEWED))
    after = stage.report()
    yield Seen(
        "the platform refused the dead ticket once",
        after.sign_rejections == before.sign_rejections + 1,
    )
    yield Seen(
        "one renewal, then the query was signed again",
        after.token_calls == before.token_calls + 1,
    )
    yield _collected(stage, RENEWED)


def _forget(stage: Stage) -> Iterator[Seen]:
    answer = stage.request("PUT", f"/v1/orders/{FORGOTTEN}")
    waits = answer.status == 201 and stage.queries(FORGOTTEN) == 0  # noqa: PLR2004 - Created
    yield Seen("201, registered; no message, no request will follow", waits)


def _sweep(stage: Stage) -> Iterator[Seen]:
    stage.clock.sleep(FIRST_SWEEP_SECONDS)
    answer = stage.fire("sweep_orders")
    yield Seen("sweep_orders found one order due", answer["due"] == 1)
    yield _collected(stage, FORGOTTEN)


def _broken(stage: Stage) -> Iterator[Seen]:
    broken = Message(id="m-broken", body="this is not JSON")
    first, last = map(_message, BESIDE)
    returned = stage.deliver(first, broken, last)
    yield Seen("only the broken one is returned to the queue", returned == [broken.id])
    for order in BESIDE:
        yield _collected(stage, order)


def _message(order_no: str, *, receives: int = 1) -> Message:
    body = json.dumps({"order_no": order_no})
    return Message(id=f"m-{order_no}", body=body, receives=receives)


def _collected(stage: Stage, order_no: str) -> Seen:
    """See that an order has one event, which names all three photos."""
    return see_collected(stage, order_no, scheme="file")


STEPS: tuple[Step[Stage], ...] = (
    Step("The refresh timer fires.", see_first_pair),
    Step(f"A queue message says that {GOOD} is ready.", _good),
    Step(f"The photos of {LATE} come a second late.", _late),
    Step(f"{UNREADABLE} is a scan that could not be read.", _unreadable),
    Step(f"The queue delivers {GOOD} a second time.", _again),
    Step(f"HTTP: PUT /v1/orders/{ANNOUNCED}", _register),
    Step(f"HTTP: POST /v1/orders/{ANNOUNCED}/collection", _collect),
    Step(f"HTTP: GET /v1/orders/{ANNOUNCED}", _read),
    Step(f"HTTP: GET /v1/orders/{ANNOUNCED}/photos/original", _photo),
    Step(f"The platform revokes the pair; then {RENEWED} is ready.", _renew),
    Step(f"{FORGOTTEN} is registered, and nobody announces it.", _forget),
    Step("A second later the sweep timer fires.", _sweep),
    Step("A batch of three messages, one of them broken.", _broken),
    Step("All events and log lines are searched.", see_silence),
)
