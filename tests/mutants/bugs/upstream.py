"""Bugs in calls to the platform: their number, their time, their replies."""

import re
from datetime import timedelta

import pybase64

from mutants.catalogue import edits, replaces

REPLIES = "tests/core/documents/test_bank_card_replies.py"
RETRY = "tests/core/test_retry.py"
BREAKER = "tests/usecases/test_circuit_breaker.py"
COLLECT = "tests/usecases/test_collect_result.py"
JSON = "tests/core/test_strict_json.py"
ID_CARD = "tests/core/documents/test_id_card.py"
DOCUMENTS = "tests/usecases/test_documents.py"
HTTP = "tests/adapters/kyc/test_transport.py"
TLS = (  # a warning of urllib3 must not be what catches the bug
    "tests/adapters/kyc/test_tls.py"
    " -W ignore::urllib3.exceptions.InsecureRequestWarning"
)


@replaces("kycourier.core.documents.bank_card:parse_object", "fault 18", REPLIES)
def success_field_is_trusted(parse, body):
    """A good result is refused because the documented sample has `success: false`."""
    reply = parse(body)
    return {**reply, "code": "66660099"} if reply.get("success") is False else reply


@replaces(
    "kycourier.core.documents.photos:_decode_base64",
    "bad input",
    "tests/core/documents/test_photos.py",
)
def base64_is_lax(_decode, text):
    """Characters that are no Base64 are dropped from a photo."""
    try:
        return pybase64.b64decode(
            bytes(text, "utf-8") if isinstance(text, str) else text
        )
    except ValueError:
        return None


@replaces(
    "kycourier.core.orders.order_request:parse_order_no",
    "bad input",
    "tests/core/orders/test_order_request.py",
)
def order_number_is_matched_with_dollar(parse, value):
    """An order number may end in a newline."""
    matches = isinstance(value, str) and re.match(r"^[A-Za-z0-9]{1,32}$", value)
    return value if matches else parse(value)


@replaces(
    "kycourier.adapters.http.sessions:_UnmergedSession.get_redirect_target",
    "fault 12",
    HTTP,
)
def redirects_are_followed(_get_redirect_target, _self, response):
    """The signed query is sent to the host that a redirect names."""
    return response.headers.get("Location")


@replaces("kycourier.adapters.http.connections:_build_tls_context", "fault 4", TLS)
def certificates_are_not_verified(build, extra_ca_file):
    """Any server may pose as the platform."""
    context = build(extra_ca_file)
    context.check_hostname, context.verify_mode = False, 0
    return context


@replaces("kycourier.core.retry:parse_retry_after", "I8", RETRY)
def retry_after_is_not_capped(parse, text):
    """`Retry-After: 1000000000` pauses the app for 31 years."""
    return parse(text) and timedelta(seconds=min(int(text), 10**9))


@replaces("kycourier.core.retry:full_jitter", "I8", RETRY)
def back_off_has_no_jitter(full_jitter, tries, *, draw, **options):
    """Orders that failed together are queried together again."""
    return full_jitter(tries, draw=draw * 0 + 1, **options)


@edits("kycourier.usecases.circuit_breaker:BREAKER_CACHE_SECONDS", "I8", BREAKER)
def open_breaker_is_not_shared(_seconds):
    """A worker goes on for an hour after another one opened the breaker."""
    return 3600.0


@replaces(
    "kycourier.usecases.concurrency:BoundedPool.__init__",
    "I8",
    "tests/usecases/test_bounded_pool.py",
)
def in_flight_cap_is_ignored(init, self, **_options):
    """A batch of a hundred orders makes a hundred calls at once."""
    init(self, size=100)


@replaces(
    "kycourier.triggers.invocation:parse_remaining_seconds",
    "I9",
    "tests/triggers/test_invocation.py",
)
def milliseconds_are_taken_for_seconds(parse, context):
    """Three seconds that are left are taken for three thousand."""
    return parse(context) * 1000


@edits("kycourier.usecases.deadlines:START_MIN_SECONDS", "I9", COLLECT)
def orders_start_without_time(_seconds):
    """An order is started that the end of the invocation cuts off."""
    return 0.0


@replaces(
    "kycourier.adapters.http.responses:DeadlineReader._bound_wait",
    "I9",
    "tests/adapters/kyc/test_deadline.py -k dripping",
)
def each_read_gets_a_new_deadline(_bound_wait, self):
    """A body that arrives one byte at a time never times out."""
    self._sock.settimeout(1.0)


@replaces("kycourier.adapters.kyc.transport:HttpKycTransport.__init__", "I12", HTTP)
def reply_has_no_byte_cap(init, self, url, *, max_reply_bytes, **options):
    """An endless reply fills the memory."""
    init(self, url, max_reply_bytes=max_reply_bytes << 20, **options)


@edits("kycourier.core.strict_json:_MAX_STRUCTURE", "I12", JSON)
def json_members_are_not_counted(most):
    """Millions of JSON members below the byte cap fill the memory."""
    return most * 1000


@replaces("kycourier.core.documents.id_card:parse_side_code", "document", ID_CARD)
def side_that_was_not_scanned_counts(parse, fields, side):
    """A side without a code is taken for a recognized one."""
    return parse(fields, side) or "0"


@replaces("kycourier.core.documents.id_card:mask_name", "document", ID_CARD)
def whole_name_in_the_event(_mask, name):
    """The masked name masks nothing."""
    return name.expose()


@replaces("kycourier.usecases.register_order:check_document", "document", DOCUMENTS)
def other_document_is_ignored(_check, _request, _record):
    """An order is asked for as another document."""


@replaces("kycourier.core.documents.face:decode_optional_photo", "document", DOCUMENTS)
def evidence_of_a_refusal_is_dropped(_decode, _kind, _value):
    """The photo of a refused face is not stored."""
