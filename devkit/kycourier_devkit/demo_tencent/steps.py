"""The demo's steps on Tencent Cloud: from a deployment to evidence that verifies."""

import json
from collections.abc import Iterator

from kycourier_devkit.demo.looks import (
    last_line,
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
from kycourier_devkit.demo_tencent.stage import (
    COLLECT,
    SWEEP,
    CloudStage,
)
from kycourier_devkit.demo_tencent.wanted import EVIDENCE_URI, FIRST_SWEEP_SECONDS
from kycourier_devkit.sandbox import APP_ID
from kycourier_devkit.scf_runtime.deployment import REGION

_ORDERS = [f"DEMO{number:04}" for number in range(1, 10)]
_MIDDLE = 5
RENEWED, NO_OBJECT, NO_EVENT = "DEMO0011", "DEMO0012", "DEMO0013"
ANNOUNCED, LATER, FORGOTTEN, NEVER = "DEMO0014", "DEMO0015", "DEMO0016", "DEMO0017"
_MOST_RETRY_SECONDS = 5  # of the first time that an order waits
_UNSIGNED, _ACCEPTED = 401, 202


def _message(order_no: str) -> str:
    return json.dumps({"order_no": order_no})


_MESSAGES = [_message(order) for order in _ORDERS]
BATCH = [*_MESSAGES[:_MIDDLE], '{"order_no": "DEMO0010"', *_MESSAGES[_MIDDLE:]]


def _deploy(stage: CloudStage) -> Iterator[Seen]:
    ended = stage.deploy()
    made = stage.account.scf
    triggers = [each for one in made.functions.values() for each in one.triggers]
    counts = (len(made.functions), len(made.layers.versions), len(triggers))
    yield Seen(last_line(ended), ended.code == 0)
    text = "four functions, two layers, four triggers, and secrets in SSM"
    yield Seen(text, ended.code == 0 and counts == (4, 2, 4))
    left = [line.strip() for line in ended.lines if "kycourier deploy secret" in line]
    yield Seen(f"it says what is left: {' '.join(left)}", len(left) == 1)
    again = stage.deploy()
    yield Seen("once more: nothing differs", "Nothing differs." in again.lines)


def _empty(stage: CloudStage) -> Iterator[Seen]:
    yield see_empty_secret(stage)
    put = stage.put_app_secret(), stage.put_api_key()
    text = "kycourier deploy secret puts its value, and a key of the API's callers"
    yield Seen(text, all(ended.code == 0 for ended in put))


def _batch(stage: CloudStage) -> Iterator[Seen]:
    yield Seen("nothing is returned, so the partition goes on", stage.deliver(*BATCH))
    yield see_all_collected(stage, _ORDERS)
    told = len(stage.facts("message_unusable"))
    text = "the broken record is counted as poison, in Redis and in the log"
    yield Seen(text, (stage.poison(), told) == (1, 1))


def _again(stage: CloudStage) -> Iterator[Seen]:
    before = stage.events(), stage.report().queries_per_order
    yield Seen("nothing is returned", stage.deliver(*BATCH))
    after = stage.events(), stage.report().queries_per_order
    yield Seen("no query and no event more: one effect, one id", after == before)


def _renew(stage: CloudStage) -> Iterator[Seen]:
    earlier, process = stage.account.role_environ(), stage.start(COLLECT).pid
    stage.account.renew_role()
    yield Seen("those before them are refused", stage.refuses(earlier))
    yield Seen("nothing is returned", stage.deliver(_message(RENEWED)))
    yield Seen("in the same process", stage.start(COLLECT).pid == process)
    yield _collected(stage, RENEWED)


def _no_object(stage: CloudStage) -> Iterator[Seen]:
    with stage.account.denied("cos:PutObject"):
        yield Seen("nothing is returned", stage.deliver(_message(NO_OBJECT)))
    yield _named(stage, "evidence_unavailable", "cos:PutObject")
    yield _held(stage, NO_OBJECT, "waiting", "no event is sent")


def _no_event(stage: CloudStage) -> Iterator[Seen]:
    with stage.account.denied("eb:PutEvents"):
        yield Seen("nothing is returned", stage.deliver(_message(NO_EVENT)))
    yield _named(stage, "event_not_sent", "eb:PutEvents")
    yield _held(stage, NO_EVENT, "collected", "its event kept in its row")


def _given_back(stage: CloudStage) -> Iterator[Seen]:
    stage.clock.sleep(_MOST_RETRY_SECONDS + 1)
    stage.fire(SWEEP)
    for order in (NO_OBJECT, NO_EVENT):
        yield _collected(stage, order)


def _url(stage: CloudStage) -> Iterator[Seen]:
    unsigned = stage.request("PUT", f"/v1/orders/{ANNOUNCED}", signed=False)
    yield Seen("without a signature: 401", unsigned.status == _UNSIGNED)
    yield from see_collected_by_api(stage, ANNOUNCED)
    yield _collected(stage, ANNOUNCED)


def _photo(stage: CloudStage) -> Iterator[Seen]:
    yield from see_photo(stage, ANNOUNCED)


def _later(stage: CloudStage) -> Iterator[Seen]:
    stage.choose(LATER, "notready1")
    answer = stage.request("POST", f"/v1/orders/{LATER}/collection")
    waits = answer.status == _ACCEPTED and answer.members["reason"] == "not_ready"
    seconds = answer.headers["Retry-After"]
    yield Seen(f"202, not_ready, Retry-After: {seconds}", waits)
    stage.clock.sleep(int(seconds) + 1)
    yield Seen("then the sweep finds it due", stage.fire(SWEEP)["due"] == 1)
    yield _collected(stage, LATER)


def _forget(stage: CloudStage) -> Iterator[Seen]:
    stage.choose(NEVER, "neverready")
    yield from see_forgotten(stage, [FORGOTTEN, NEVER], after=FIRST_SWEEP_SECONDS + 1)
    yield _collected(stage, FORGOTTEN)


def _verify(stage: CloudStage) -> Iterator[Seen]:
    where = f"{EVIDENCE_URI}/{APP_ID}?region={REGION}"
    yield see_verified(stage, stage.operate("verify", where))


def _examine(stage: CloudStage) -> Iterator[Seen]:
    settings = {**stage.settings(), "KYCOURIER_QUEUE": "none"}
    yield from see_examined(stage, stage.operate("doctor", **settings))


def _held(stage: CloudStage, order_no: str, state: str, what: str) -> Seen:
    """See that an order is in a state, and that no event of it came out."""
    found = stage.request("GET", f"/v1/orders/{order_no}").members["state"]
    held = found == state and not stage.events(order_no)
    return Seen(f"the order is {state}, {what}", held)


def _named(stage: CloudStage, fact: str, action: str) -> Seen:
    """See that the last fact of a kind names the permission that was lacking."""
    problems = [line.get("problem", "") for line in stage.facts(fact)]
    named = bool(problems) and problems[-1].startswith(f"denied_{action}_on_a_")
    return Seen(f"the log names the permission: {action}", named)


def _collected(stage: CloudStage, order_no: str) -> Seen:
    return see_collected(stage, order_no, scheme="cos")


STEPS: tuple[Step[CloudStage], ...] = (
    Step("The operator: kycourier deploy tencent", _deploy),
    Step("A function starts, the app secret still empty.", _empty),
    Step("The refresh timer fires.", see_first_pair),
    Step("CKafka hands over a batch of ten, one of them broken.", _batch),
    Step("CKafka hands over the same batch again.", _again),
    Step("SCF puts new credentials of the role in place; an order comes.", _renew),
    Step(f"The role may not put objects into COS; {NO_OBJECT} comes.", _no_object),
    Step(f"The role may not put events on the bus; {NO_EVENT} comes.", _no_event),
    Step("Both are permitted again; the sweep timer fires.", _given_back),
    Step(f"Function URL: {ANNOUNCED} is registered and collected.", _url),
    Step(f"Function URL: GET /v1/orders/{ANNOUNCED}/photos/original", _photo),
    Step(f"Function URL: {LATER} is collected before its result is there.", _later),
    Step("Two orders are registered, and nobody announces them.", _forget),
    Step("The operator: kycourier verify cos://…/evidence", _verify),
    Step("The operator: kycourier doctor, with the functions' settings", _examine),
    Step("Events, log lines and what was printed are searched.", see_silence),
)
