"""The steps of the demo on AWS: from an empty secret to evidence that verifies."""

import json
from collections.abc import Iterator

from kycourier_devkit.demo.looks import (
    see_all_collected,
    see_collected,
    see_collected_by_api,
    see_empty_secret,
    see_examined,
    see_first_pair,
    see_forgotten,
    see_photo,
    see_silence,
    see_verified,
)
from kycourier_devkit.demo.script import Seen, Step
from kycourier_devkit.demo_aws.queues import MOST_RECEIVES
from kycourier_devkit.demo_aws.stage import (
    API,
    COLLECT,
    FIRST_SWEEP_SECONDS,
    STACK,
    CloudStage,
)
from kycourier_devkit.sandbox import APP_ID

BATCH = tuple(f"DEMO{number:04}" for number in range(1, 10))
BROKEN = '{"order_no": "DEMO0010"'
ANNOUNCED, FORGOTTEN, LATER, DENIED = "DEMO0011", "DEMO0012", "DEMO0013", "DEMO0014"
NEVER, ALSO_LATER = "DEMO0015", "DEMO0016"


def _empty(stage: CloudStage) -> Iterator[Seen]:
    yield see_empty_secret(stage)
    stage.put_secret()
    yield Seen("its value is put", holds=True)


def _batch(stage: CloudStage) -> Iterator[Seen]:
    stage.orders.send(*map(_message, BATCH), BROKEN)
    returned = stage.deliver()
    yield Seen("only the broken one was returned, every time", set(returned) == {1})
    yield Seen(
        f"after {MOST_RECEIVES} times it is a dead letter",
        len(returned) == MOST_RECEIVES and stage.orders.dead_letters() == [BROKEN],
    )
    yield see_all_collected(stage, BATCH)


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
    yield from see_collected_by_api(stage, ANNOUNCED)
    yield _collected(stage, ANNOUNCED)


def _photo(stage: CloudStage) -> Iterator[Seen]:
    yield from see_photo(stage, ANNOUNCED)


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
    yield from see_forgotten(stage, [FORGOTTEN, NEVER], after=FIRST_SWEEP_SECONDS + 1)
    yield _collected(stage, FORGOTTEN)


def _verify(stage: CloudStage) -> Iterator[Seen]:
    ended = stage.operate("verify", f"{stage.stack.outputs['EvidenceUri']}/{APP_ID}")
    yield see_verified(stage, ended)


def _examine(stage: CloudStage) -> Iterator[Seen]:
    yield from see_examined(stage, stage.operate("--stack", STACK, "doctor"))


def _message(order_no: str) -> str:
    return json.dumps({"order_no": order_no})


def _collected(stage: CloudStage, order_no: str) -> Seen:
    return see_collected(stage, order_no, scheme="s3")


STEPS: tuple[Step[CloudStage], ...] = (
    Step("The stack is there, its app secret still empty.", _empty),
    Step("The refresh timer fires.", see_first_pair),
    Step("Ten messages in the queue, one of them broken.", _batch),
    Step(f"{COLLECT} may not write to the table; {DENIED} comes.", _denied),
    Step("The permission is back: the dead letter is redriven.", _redrive),
    Step(f"HTTP: {ANNOUNCED} is registered and collected by {API}.", _api),
    Step(f"HTTP: GET /v1/orders/{ANNOUNCED}/photos/original", _photo),
    Step(f"HTTP: {LATER} is collected before its result is there.", _later),
    Step("Two orders are registered, and nobody announces them.", _forget),
    Step("The operator: kycourier verify s3://…/evidence", _verify),
    Step(f"The operator: kycourier --stack {STACK} doctor", _examine),
    Step("Events, log lines and dead letters are searched.", see_silence),
)
