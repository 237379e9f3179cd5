"""What is fuzzed: each target takes any bytes.

It fails when something foreign is raised, or when what it demands does not hold.
Nothing but the service and its fakes is imported: atheris has not the rest.
"""

import base64
import json
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timezone

from kycourier.adapters.triggers.http_event import HttpRequest, parse_event
from kycourier.core import brake, events, order_record, ticket
from kycourier.core.card import FingerprintKey, digits_of
from kycourier.core.errors import (
    BadRequest,
    MalformedReply,
    NewerSchema,
    StoreUnavailable,
)
from kycourier.core.hidden import ReplyBody, Secret
from kycourier.core.json_text import MalformedJson, parse_json, parse_json_with_views
from kycourier.core.message import parse_body, parse_order
from kycourier.core.models import PhotoKind, Recognition
from kycourier.core.photos import decode_photo
from kycourier.core.request_signature import (
    SignedRequest,
    canonical_query,
    check_signature,
    sign_request,
)
from kycourier.core.wire import (
    parse_result_reply,
    parse_ticket_reply,
    parse_token_reply,
)
from kycourier.setting_forms import WrongForm
from kycourier.settings import SETTINGS, Setting
from worlds import APP, World

KEY = Secret("a-key-of-a-test-of-32-characters")
FINGERPRINT = FingerprintKey("v1", KEY)
NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)
LEAST_CARD = 12  # digits; fewer may stand anywhere
MOST_BYTES = 16 * 1024


def result_reply(data: bytes) -> None:
    """Show a result without its card number."""
    try:
        answer = parse_result_reply(ReplyBody(data))
    except MalformedReply:
        return
    if isinstance(answer, Recognition):
        digits = digits_of(answer.card_number).reveal()
        shown = json.dumps(events.build_result(answer, FINGERPRINT))
        marks = f"{answer.biz_seq_no} {answer.transaction_time}"
        assert len(digits) < LEAST_CARD or digits not in f"{shown} {marks}"


def bought_replies(data: bytes) -> None:
    """Buy what lives for a time, and is printable."""
    for parse in (parse_token_reply, parse_ticket_reply):
        with suppress(MalformedReply):
            answer = parse(ReplyBody(data))
            if not hasattr(answer, "code"):
                assert 0 < answer.lives.total_seconds() <= 7200
                assert answer.value.reveal().isprintable()


def json_text(data: bytes) -> None:
    """Parse with views as the plain way does."""
    try:
        expected = parse_json(data)
    except MalformedJson:
        expected = None
    with suppress(MalformedJson):
        found = _plain(parse_json_with_views(data))
        assert expected is None or found == expected


def _plain(value: object) -> object:
    if isinstance(value, memoryview):
        return json.loads(str(b'"' + value + b'"', "utf-8", "replace"), strict=False)
    if isinstance(value, dict):
        return {name: _plain(member) for name, member in value.items()}
    return [_plain(part) for part in value] if isinstance(value, list) else value


def photo(data: bytes) -> None:
    """Take the one spelling only, whether as text or in place."""
    text = data.decode("latin-1")
    stripped = "".join(text.split(" ")).translate(dict.fromkeys(map(ord, "\t\r\n")))
    decoded = [_decode(given) for given in (stripped, memoryview(data))]
    if stripped == text:
        assert decoded[0] == decoded[1]
    if decoded[0] is not None:
        spelled = base64.b64encode(decoded[0]).decode()
        assert stripped == spelled or stripped.endswith(f";base64,{spelled}")


def _decode(given: str | memoryview) -> bytes | None:
    try:
        found = decode_photo(PhotoKind.ORIGINAL, given)
    except MalformedReply:
        return None
    return found.content.reveal() if found else b""


def http_event(data: bytes) -> None:
    """Read an event within its bounds, or refuse it; lines are made one."""
    with suppress(BadRequest):
        request = parse_event(_event_of(data))
        assert isinstance(request, HttpRequest)
        assert len(request.path) + len(request.query) <= MOST_BYTES
        assert len(request.body) <= MOST_BYTES
        for values in request.headers.reveal().values():
            assert "\n" not in "".join(values)
        f"{request.method}{request.path}{request.query}".encode()


def _event_of(data: bytes) -> object:
    with suppress(ValueError, RecursionError):
        return json.loads(data)
    text = data.decode("utf-8", "surrogateescape")
    line, _, rest = text.partition("\n")
    path, _, query = line.partition("?")
    head, _, body = rest.partition("\n\n")
    headers = dict(each.partition(":")[::2] for each in head.split("\n"))
    v1 = {"httpMethod": "PUT", "path": path, "queryString": query}
    v2 = {
        "requestContext": {"http": {"method": "PUT"}, "stage": path[:1]},
        "rawPath": path,
        "rawQueryString": query,
        "isBase64Encoded": body.startswith("e"),
    }
    return {**(v1 if len(path) % 2 else v2), "headers": headers, "body": body}


def queue_envelope(data: bytes) -> None:
    """Answer a batch with ids that it had."""
    try:
        event = json.loads(data)
    except (ValueError, RecursionError):
        event = {"Records": [{"messageId": "m1", "body": data.decode("latin-1")}]}
    world = World()
    answer = world.worker().orders_queue().answer(event, world.time())
    for failure in answer.get("batchItemFailures", ()):
        assert failure["itemIdentifier"] in {
            each["messageId"]
            for each in event["Records"]
            if isinstance(each, dict) and isinstance(each.get("messageId"), str)
        }


def message(data: bytes) -> None:
    """Find an order of ours in a message, or none."""
    with suppress(BadRequest):
        order, _ = parse_order(parse_body(data), app_id=APP)
        assert order.app_id == APP
        assert order.order_no.isascii()
        assert order.order_no.isalnum()


def request_signature(data: bytes) -> None:
    """Take the right signature only; leave a canonical query as it is."""
    text = data.decode("utf-8", "surrogateescape")
    sent, _, query = text.partition("\n")
    canonical = canonical_query(query)
    assert canonical_query(canonical) == canonical
    request = SignedRequest(method="GET", path="/v1/health", query=query)
    good = sign_request(request, key=KEY, at=NOW)
    try:
        check_signature([sent], request, keys=[KEY], now=NOW)
    except BadRequest:
        assert sent != good
    else:
        assert good.partition("v1=")[2] in sent.lower()
    check_signature([good], request, keys=[KEY], now=NOW)


def settings(data: bytes) -> None:
    """Read a setting, or say that it is wrong without telling its value."""
    text = data.decode("utf-8", "surrogateescape")
    for setting in SETTINGS:
        said = _refusal(setting, text)
        assert len(text) < LEAST_CARD or text not in said


def _refusal(setting: Setting, text: str) -> str:
    try:
        setting.parse(text)
    except WrongForm as wrong:
        return str(wrong)
    return ""


def stored(data: bytes) -> None:
    """Read a record, or say that it is damaged or newer."""
    for decode in (
        ticket.decode_pair,
        order_record.decode_record,
        brake.decode_brake,
    ):
        with suppress(StoreUnavailable, NewerSchema):
            decode(data)


TARGETS: dict[str, Callable[[bytes], None]] = {
    target.__name__: target
    for target in (
        result_reply,
        bought_replies,
        json_text,
        photo,
        http_event,
        queue_envelope,
        message,
        request_signature,
        settings,
        stored,
    )
}
