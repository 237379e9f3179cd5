"""The steps of the demo on AWS: from an empty secret to evidence that verifies."""

import json
from collections.abc import Iterator

from kycourier_devkit.demo.script import Seen, Step
from kycourier_devkit.demo.stage import Members
from kycourier_devkit.demo_aws.queues import MOST_RECEIVES
from kycourier_devkit.demo_aws.stage import (
    API,
    COLLECT,
    FIRST_SWEEP_SECONDS,
    REFRESH,
    STACK,
    SWEEP,
    CloudStage,
)
from kycourier_devkit.errors import FunctionNotStarted
from kycourier_devkit.sandbox import APP_ID

BATCH = tuple(f"DEMO{number:04}" for number in range(1, 10))
BROKEN = '{"order_no": "DEMO0010"'
ANNOUNCED, FORGOTTEN, LATER, DENIED = "DEMO0011", "DEMO0012", "DEMO0013", "DEMO0014"
NEVER, ALSO_LATER = "DEMO0015", "DEMO0016"
_COLLECTED = "kycourier.ocr.collected.v1"
_JPEG = b"\xff\xd8\xff"


def _empty(stage: CloudStage) -> Iterator[Seen]:
    try:
        stage.start(REFRESH)
    except FunctionNotStarted as error:
        said = str(error)
    else:
        said = "it started"
    names = said.startswith("KYCOURIER_APP_SECRET: ") and "put its value" in said
    yield Seen("the start stops with KYCOURIER_APP_SECRET, and what to do", names)
    stage.put_secret()
    yield Seen("its value is put", holds=True)


def _first_pair(stage: CloudStage) -> Iterator[Seen]:
    answer, report = stage.fire(REFRESH), stage.report()
    yield Seen("refresh_ticket bought the first ticket pair", answer["generation"] == 1)
    calls = (report.token_calls, report.ticket_calls)
    yield Seen("the platform saw one token call and one ticket call", calls == (1, 1))


def _batch(stage: CloudStage) -> Iterator[Seen]:
    stage.orders.send(*map(_message, BATCH), BROKEN)
    returned = stage.deliver()
    yield Seen("only the broken one was returned, every time", set(returned) == {1})
    yield Seen(
        f"after {MOST_RECEIVES} times it is a dead letter",
        len(returned) == MOST_RECEIVES and stage.orders.dead_letters() == [BROKEN],
    )
    types = {event["type"] for order in BATCH for event in stage.events(order)}
    count = sum(len(stage.events(order)) for order in BATCH)
    all_nine = types == {_COLLECTED} and count == len(BATCH)
    yield Seen("nine orders collected; the bus carried one event of each", all_nine)


def _denied(stage: CloudStage) -> Iterator[Seen]:
    stage.orders.drop_dead_letters()
    with stage.denied(COLLECT):
        stage.orders.send(_message(DENIED))
        stage.deliver()
    dead = stage.orders.dead_letters()
    yield Seen("the message is a dead letter, the order is not lost", len(dead) == 1)
    problems = {line.get("problem") for line in stage.log_lines()}
    named = "denied_dynamodb:UpdateItem_on_a_table" in problems
    yield Seen("the log names the permission: dynamodb:UpdateItem", named)


def _redrive(stage: CloudStage) -> Iterator[Seen]:
    moved = stage.orders.redrive()
    returned = stage.deliver()
    yield Seen("one message moved back, none returned", (moved, returned) == (1, [0]))
    yield _collected(stage, DENIED)


def _api(stage: CloudStage) -> Iterator[Seen]:
    put = stage.request("PUT", f"/v1/orders/{ANNOUNCED}")
    yield Seen("201, registered", (put.status, put.members["state"]) == _REGISTERED)
    answer = stage.request("POST", f"/v1/orders/{ANNOUNCED}/collection")
    collected = (answer.status, answer.members["state"]) == (200, "collected")
    yield Seen("200, collected while the caller waited", collected)
    yield _collected(stage, ANNOUNCED)


def _photo(stage: CloudStage) -> Iterator[Seen]:
    answer = stage.request("GET", f"/v1/orders/{ANNOUNCED}/photos/original")
    link = answer.headers.get("Location", "")
    signed = answer.status == 302 and "X-Amz-Signature=" in link  # noqa: PLR2004 - Found
    yield Seen("302 to the bucket, signed for five minutes", signed)
    yield Seen("the link gives a JPEG", stage.download(link).startswith(_JPEG))


def _later(stage: CloudStage) -> Iterator[Seen]:
    for order in (LATER, ALSO_LATER):
        stage.choose(order, "notready2")
    answer = stage.request("POST", f"/v1/orders/{LATER}/collection")
    waits = answer.status == 202 and answer.members["reason"] == "not_ready"  # noqa: PLR2004 - Accepted
    yield Seen(f"202, not_ready, Retry-After: {answer.headers['Retry-After']}", waits)
    stage.orders.send(_message(ALSO_LATER))
    yield Seen(f"{ALSO_LATER}, by the queue: acknowledged", stage.deliver() == [0])
    stage.clock.sleep(6)
    yield Seen("six seconds on the queue brings both back", stage.deliver() == [0])
    for order in (LATER, ALSO_LATER):
        yield _collected(stage, order)


def _forget(stage: CloudStage) -> Iterator[Seen]:
    stage.choose(NEVER, "neverready")
    for order in (FORGOTTEN, NEVER):
        answer = stage.request("PUT", f"/v1/orders/{order}")
        yield Seen(f"201, registered: {order}", answer.status == 201)  # noqa: PLR2004 - Created
    stage.clock.sleep(FIRST_SWEEP_SECONDS + 1)
    health = stage.request("GET", "/v1/health").members
    yield Seen("/v1/health: a fresh ticket, two orders due", _is_well(health, due=2))
    swept = stage.fire(SWEEP)
    yield Seen("sweep_orders found both due", swept["due"] == 2)  # noqa: PLR2004 - both
    yield _collected(stage, FORGOTTEN)


def _is_well(health: Members, *, due: int) -> bool:
    ticket, backlog = health["ticket"], health["backlog"]
    seen = (ticket["state"], backlog["due"], backlog["unsent"])
    return seen == ("fresh", due, 0)


def _verify(stage: CloudStage) -> Iterator[Seen]:
    ended = stage.operate("verify", f"{stage.stack.outputs['EvidenceUri']}/{APP_ID}")
    whole = ended.code == 0 and len(stage.events()) == len(ended.lines) - 1
    yield Seen(ended.lines[-1] if ended.lines else "it said nothing", whole)


def _examine(stage: CloudStage) -> Iterator[Seen]:
    ended = stage.operate("--stack", STACK, "doctor")
    problems = [line for line in ended.lines if line.startswith("problem")]
    said = problems or ended.lines[-1:] or ["it said nothing"]
    yield from (Seen(" ".join(line.split()), ended.code == 0) for line in said)
    secret = any(canary in "".join(ended.lines) for canary in stage.canaries())
    yield Seen("it shows no secret", not secret)


def _silence(stage: CloudStage) -> Iterator[Seen]:
    text = "no card number, secret, token, ticket or signature stands in them"
    yield Seen(text, stage.leaks() == 0)


def _message(order_no: str) -> str:
    return json.dumps({"order_no": order_no})


def _collected(stage: CloudStage, order_no: str) -> Seen:
    """See that an order has one event, which names all three photos."""
    events = stage.events(order_no)
    if [event["type"] for event in events] != [_COLLECTED]:
        return Seen(f"{order_no} has no event of its own", holds=False)
    data = events[0]["data"]
    photos = len(data["photos"])
    text = f"collected {data['card']['number_masked']} with {photos} photos, one event"
    in_bucket = all(photo["uri"].startswith("s3://") for photo in data["photos"])
    return Seen(text, photos == 3 and in_bucket)  # noqa: PLR2004 - all


_REGISTERED = (201, "registered")
STEPS = (
    Step("The stack is there, its app secret still empty.", _empty),
    Step("The refresh timer fires.", _first_pair),
    Step("Ten messages in the queue, one of them broken.", _batch),
    Step(f"{COLLECT} may not write to the table; {DENIED} comes.", _denied),
    Step("The permission is back: the dead letter is redriven.", _redrive),
    Step(f"HTTP: {ANNOUNCED} is registered and collected by {API}.", _api),
    Step(f"HTTP: GET /v1/orders/{ANNOUNCED}/photos/original", _photo),
    Step(f"HTTP: {LATER} is collected before its result is there.", _later),
    Step("Two orders are registered, and nobody announces them.", _forget),
    Step("The operator: kycourier verify s3://…/evidence", _verify),
    Step(f"The operator: kycourier --stack {STACK} doctor", _examine),
    Step("Events, log lines and dead letters are searched.", _silence),
)
