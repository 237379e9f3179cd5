"""Steps in which a queue message or a timer starts the work."""

import json
from collections.abc import Iterator

from kycourier.core.documents.registry import document_type, parse_document
from kycourier.core.events.cloudevents import event_type
from kycourier.core.orders.record import OrderState
from kycourier_devkit.demo.environments.environment import Environment, events_of
from kycourier_devkit.demo.runner import Check

GOOD, LATE, UNREADABLE, REVOKED = "DEMO0001", "DEMO0002", "DEMO0003", "DEMO0005"
ID_CARD, FACE = "DEMO0031", "DEMO0032"
BATCH = tuple(f"DEMO00{number}" for number in range(11, 20))
BROKEN = '{"order_no": "DEMO0020"'
MAX_PHOTO_QUERIES = 4  # after 0, 1, 3 and 7 s
_CARD = "bank_card"
_PHOTOS = {_CARD: 3, "id_card": 5, "face": 1}
_REJECTED = "kycourier.bank_card.rejected.v1"


def build_message(order_no: str, document: str | None = None) -> str:
    """Builds the body of a queue message; without a document it is a bank card."""
    return json.dumps(
        {"order_no": order_no, **({"document": document} if document else {})}
    )


_MESSAGES = tuple(map(build_message, BATCH))
_BATCH_MESSAGES = (*_MESSAGES[:5], BROKEN, *_MESSAGES[5:])


def refresh_ticket(environment: Environment) -> Iterator[Check]:
    """Fires the refresh timer."""
    result = environment.fire_timer("refresh_ticket")
    yield Check(
        "refresh_ticket obtained the first ticket pair", result["generation"] == 1
    )
    report = environment.sandbox.report()
    calls = (report.token_calls, report.ticket_calls)
    yield Check(
        "the platform received one token call, one ticket call", calls == (1, 1)
    )


def collect_from_queue(environment: Environment) -> Iterator[Check]:
    """Delivers one message."""
    returned = environment.deliver(build_message(GOOD))
    yield Check("collect_results acknowledged the message", not returned)
    yield check_collected(environment, GOOD)
    yield Check("the platform received one query", _queries(environment, GOOD) == 1)


def wait_for_photos(environment: Environment) -> Iterator[Check]:
    """Delivers a message for an order whose photos are late."""
    environment.sandbox.set_order(LATE, "late1")
    environment.deliver(build_message(LATE))
    yield check_collected(environment, LATE)
    repeated = 1 < _queries(environment, LATE) <= MAX_PHOTO_QUERIES
    yield Check("the same invocation repeated the query until they came", repeated)


def collect_documents(environment: Environment) -> Iterator[Check]:
    """Delivers a message for an ID card and one for a face."""
    for order, document in ((ID_CARD, "id_card"), (FACE, "face")):
        environment.deliver(build_message(order, document))
        yield check_collected(environment, order, document)


def reject_unreadable(environment: Environment) -> Iterator[Check]:
    """Delivers a message for an order whose scan failed for good."""
    environment.sandbox.set_order(UNREADABLE, "codem9012")
    environment.deliver(build_message(UNREADABLE))
    events = events_of(environment, UNREADABLE)
    rejected = [event["type"] for event in events] == [_REJECTED]
    reason = events[0]["data"]["reason"]["name"] if events else "no event"
    yield Check(f"one event was published: rejected, {reason}", rejected)


def collect_batch(environment: Environment) -> Iterator[Check]:
    """Delivers ten messages, one of them broken."""
    yield check_acknowledged(environment, environment.deliver(*_BATCH_MESSAGES))
    yield from environment.check_broken_message(BROKEN)
    collected = all(check_collected(environment, order).passed for order in BATCH)
    yield Check("nine orders collected, each with three photos, one event", collected)


def repeat_batch(environment: Environment) -> Iterator[Check]:
    """Delivers the same ten messages again."""
    before = environment.events(), environment.sandbox.report().queries_per_order
    yield check_acknowledged(environment, environment.deliver(*_BATCH_MESSAGES))
    after = environment.events(), environment.sandbox.report().queries_per_order
    yield Check("no further query and no further event", after == before)


def replace_revoked_ticket(environment: Environment) -> Iterator[Check]:
    """Revokes the ticket, then delivers a message."""
    environment.sandbox.kill_ticket()
    before = environment.sandbox.report()
    environment.deliver(build_message(REVOKED))
    after = environment.sandbox.report()
    yield Check(
        "the platform rejected the revoked ticket once",
        after.sign_rejections == before.sign_rejections + 1,
    )
    yield Check(
        "one refresh, then the query was signed again",
        after.token_calls == before.token_calls + 1,
    )
    yield check_collected(environment, REVOKED)


def check_acknowledged(environment: Environment, returned: list[str]) -> Check:
    """Checks that only the broken message was returned, if the queue supports that."""
    times = environment.traits.broken_returns
    text = {
        0: "the whole batch was acknowledged, so the partition advances",
        1: "only the broken message was returned to the queue",
    }.get(times, f"only the broken message was returned, {times} times")
    return Check(text, returned == [BROKEN] * times)


def check_collected(
    environment: Environment, order_no: str, document: str = _CARD
) -> Check:
    """Checks that an order has one event, which refers to all of its photos."""
    events, type_ = events_of(environment, order_no), parse_document(document)
    collected = event_type(type_, OrderState.COLLECTED)
    if [event["type"] for event in events] != [collected]:
        return Check(f"{order_no} has no single collected event", passed=False)
    data = events[0]["data"]
    photos, shown = data["photos"], document_type(type_).headline(data)
    plural = "" if len(photos) == 1 else "s"
    text = f"collected {shown} with {len(photos)} photo{plural}, one event"
    scheme = environment.traits.evidence_scheme
    stored = all(photo["uri"].startswith(f"{scheme}://") for photo in photos)
    return Check(text, stored and len(photos) == _PHOTOS[document])


def _queries(environment: Environment, order_no: str) -> int:
    return environment.sandbox.report().queries_per_order[order_no]
