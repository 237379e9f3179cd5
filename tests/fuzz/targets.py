"""Fuzz targets: functions that take any bytes.

A target fails if it raises an exception that is not ours, or if an assertion fails.
Targets import only the service and its fakes: atheris' environment lacks the rest.
"""

import base64
import json
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timezone

from kycourier.core import circuit_breaker
from kycourier.core.documents.bank_card import BankCard
from kycourier.core.documents.bank_card_numbers import digits_of
from kycourier.core.documents.face import Face
from kycourier.core.documents.id_card import IdCard
from kycourier.core.documents.photos import decode_photo
from kycourier.core.documents.recognition import Recognition
from kycourier.core.errors import (
    ApiProblemError,
    MalformedReplyError,
    NewerSchemaError,
    StoreUnavailableError,
)
from kycourier.core.fingerprints import FingerprintKey
from kycourier.core.orders import record
from kycourier.core.orders.order_request import parse_body, parse_order_request
from kycourier.core.redaction import ReplyBody, Secret
from kycourier.core.request_signature import (
    SignedRequest,
    canonical_query,
    check_signature,
    sign_request,
)
from kycourier.core.strict_json import (
    MalformedJsonError,
    parse_json,
    parse_json_with_views,
)
from kycourier.core.tickets import pair
from kycourier.core.wire.token_replies import parse_ticket_reply, parse_token_reply
from kycourier.settings.declarations import SETTINGS, Setting
from kycourier.settings.parsers import InvalidSettingError
from kycourier.triggers.http.event import HttpRequest, parse_event
from support.rigs.in_memory import APP, InMemoryApp

KEY = Secret("a-key-of-a-test-of-32-characters")
FINGERPRINT = FingerprintKey("v1", KEY)
NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)
MIN_CARD_DIGITS = 12  # fewer occur by chance
MIN_PHOTO_BYTES = 64
FUZZED_OPTIONS = {"id_card_sides": "any", "face_files": "photo_and_video"}
MAX_BYTES = 16 * 1024


def result_reply(data: bytes) -> None:
    """The shown part of a result does not hold the card number."""
    try:
        reply = BankCard().parse_reply(ReplyBody(data))
    except MalformedReplyError:
        return
    if isinstance(reply, Recognition):
        digits = digits_of(reply.fields.number).expose()
        shown = json.dumps(BankCard().mask(reply, FINGERPRINT))
        marks = f"{reply.biz_seq_no} {reply.transaction_time}"
        assert len(digits) < MIN_CARD_DIGITS or digits not in f"{shown} {marks}"


def document_reply(data: bytes) -> None:
    """The shown part of an ID card or a face holds neither number nor name."""
    for document in (IdCard(), Face()):
        with suppress(MalformedReplyError):
            reply = document.parse_reply(ReplyBody(data), FUZZED_OPTIONS)
            if not isinstance(reply, Recognition):
                continue
            shown = json.dumps(document.mask(reply, FINGERPRINT), ensure_ascii=False)
            shown += f"{reply.biz_seq_no} {reply.transaction_time}"
            [part] = document.reveal(reply).values()
            for name in ("name", "number", "address"):
                text = str(part.get(name) or "")
                assert len(text) < MIN_CARD_DIGITS or text not in shown
            json.dumps(part).encode()


def issued_credentials(data: bytes) -> None:
    """A token or ticket is printable and has a limited lifetime."""
    for parse in (parse_token_reply, parse_ticket_reply):
        with suppress(MalformedReplyError):
            issued = parse(ReplyBody(data))
            if not hasattr(issued, "code"):
                assert 0 < issued.lifetime.total_seconds() <= 7200
                assert issued.value.expose().isprintable()


def strict_json(data: bytes) -> None:
    """Parsing with views gives the same values as plain parsing."""
    try:
        expected = parse_json(data)
    except MalformedJsonError:
        expected = None
    with suppress(MalformedJsonError):
        found = _plain(parse_json_with_views(data))
        assert expected is None or found == expected


def _plain(value: object) -> object:
    if isinstance(value, memoryview):
        return json.loads(str(b'"' + value + b'"', "utf-8", "replace"), strict=False)
    if isinstance(value, dict):
        return {name: _plain(member) for name, member in value.items()}
    return [_plain(part) for part in value] if isinstance(value, list) else value


def photo(data: bytes) -> None:
    """Only canonical Base64 is accepted, both as text and as a view."""
    text = data.decode("latin-1")
    stripped = text.replace("\r", "").replace("\n", "")
    decoded = [_decode(form) for form in (text, memoryview(stripped.encode("latin-1")))]
    assert decoded[0] == decoded[1]
    if decoded[0]:
        assert len(decoded[0]) >= MIN_PHOTO_BYTES
        encoded = base64.b64encode(decoded[0]).decode()
        assert stripped == encoded or stripped.endswith(f";base64,{encoded}")


def _decode(text: str | memoryview) -> bytes | None:
    try:
        found = decode_photo("original", text)
    except MalformedReplyError:
        return None
    return found.content.expose() if found else b""


def http_event(data: bytes) -> None:
    """An accepted event is within its size limits and has no line breaks."""
    with suppress(ApiProblemError):
        request = parse_event(_event_of(data))
        assert isinstance(request, HttpRequest)
        assert len(request.path) + len(request.query) <= MAX_BYTES
        assert len(request.body) <= MAX_BYTES
        for values in request.headers.expose().values():
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
    """A batch returns only message ids that it contained; the rest is refused."""
    try:
        event = json.loads(data)
    except (ValueError, RecursionError):
        event = {"Records": [{"messageId": "m1", "body": data.decode("latin-1")}]}
    app = InMemoryApp()
    response = {}
    with suppress(ApiProblemError):
        response = app.worker().orders_queue().handle(event, app.time())
    records = event.get("Records") if isinstance(event, dict) else event
    for failure in response.get("batchItemFailures", ()):
        assert failure["itemIdentifier"] in {
            each["messageId"]
            for each in records
            if isinstance(each, dict) and isinstance(each.get("messageId"), str)
        }


def order_request(data: bytes) -> None:
    """An accepted message names a valid order of our app."""
    with suppress(ApiProblemError):
        order = parse_order_request(parse_body(data), app_id=APP).order
        assert order.app_id == APP
        assert order.order_no.isascii()
        assert order.order_no.isalnum()


def request_signature(data: bytes) -> None:
    """Only the right signature is accepted; a canonical query stays as it is."""
    text = data.decode("utf-8", "surrogateescape")
    sent, _, query = text.partition("\n")
    canonical = canonical_query(query)
    assert canonical_query(canonical) == canonical
    request = SignedRequest(method="GET", path="/v1/health", query=query)
    good = sign_request(request, key=KEY, at=NOW)
    try:
        check_signature([sent], request, keys=[KEY], now=NOW)
    except ApiProblemError:
        assert sent != good
    else:
        assert good.partition("v1=")[2] in sent.lower()
    check_signature([good], request, keys=[KEY], now=NOW)


def settings(data: bytes) -> None:
    """The error about a setting does not repeat its value."""
    text = data.decode("utf-8", "surrogateescape")
    for setting in SETTINGS:
        error = _error_text(setting, text)
        assert len(text) < MIN_CARD_DIGITS or text not in error


def _error_text(setting: Setting, text: str) -> str:
    try:
        setting.parse(text)
    except InvalidSettingError as wrong:
        return str(wrong)
    return ""


def stored_records(data: bytes) -> None:
    """A record is read, or refused as damaged or newer."""
    for decode in (
        pair.decode_pair,
        record.decode_record,
        circuit_breaker.decode_breaker,
    ):
        with suppress(StoreUnavailableError, NewerSchemaError):
            decode(data)


TARGETS: dict[str, Callable[[bytes], None]] = {
    target.__name__: target
    for target in (
        result_reply,
        document_reply,
        issued_credentials,
        strict_json,
        photo,
        http_event,
        queue_envelope,
        order_request,
        request_signature,
        settings,
        stored_records,
    )
}
