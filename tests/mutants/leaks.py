"""Leaks that each put a secret or personal value into one sink."""

import base64
import hashlib
import tempfile
from pathlib import Path
from urllib.parse import urlencode

import msgspec
from msgspec.structs import replace

from kycourier.core.errors import HandlerFailedError, TransportError
from mutants.catalogue import replaces

SINKS = "tests/leaks/test_sinks.py -k local_sink"
EDGES = "tests/leaks/test_side_outputs.py"
COLLECTOR = "kycourier.usecases.collect_result:CollectResult"
HTTP = "kycourier.adapters.kyc.transport:HttpKycTransport"


@replaces(f"{COLLECTOR}._store", "log field", SINKS, finding=("log", "raw"))
def card_number_in_a_log_field(store, self, record, recognition):
    """An allow-listed field of a log event holds the card number."""
    self._event_log.emit("order_registered", code=recognition.fields.number.expose())
    return store(self, record, recognition)


@replaces(f"{COLLECTOR}._store", "metric", SINKS, finding=("log", "raw"))
def card_number_as_a_metric(store, self, record, recognition):
    """The value of a metric is the card number."""
    number = float("0" + recognition.fields.number.expose().replace("x", ""))
    self._event_log.emit("ticket_age_measured", seconds=number)
    return store(self, record, recognition)


@replaces(
    "kycourier.core.documents.bank_card:BankCard.mask",
    "stdout",
    SINKS,
    finding=("log", "base64 at 2"),
)
def card_number_printed_in_base64(mask, self, recognition, key):
    """Base64 on standard output has the card number in its middle."""
    text = f"n={recognition.fields.number.expose()};"
    print(base64.b64encode(text.encode()).decode())
    return mask(self, recognition, key)


@replaces(
    "kycourier.adapters.kyc.transport:mute_http_libraries",
    "library log",
    SINKS,
    finding=("log", "raw"),
)
def libraries_log_urls(_mute):
    """The DEBUG log of urllib3 shows every URL."""


@replaces(
    "kycourier.core.documents.bank_card_numbers:mask_number",
    "event",
    SINKS,
    finding=("events", "dashed"),
)
def unmasked_number_in_the_event(_mask, number):
    """The masked number masks nothing and has dashes."""
    digits = number.expose()
    return "-".join(digits[at : at + 4] for at in range(0, len(digits), 4))


@replaces(
    "kycourier.usecases.store_evidence:build_manifest",
    "manifest",
    SINKS,
    finding=("manifests", "md5"),
)
def bare_digest_in_the_manifest(build, identity, masked, *, recognition, photos):
    """The manifest identifies the card by its MD5."""
    manifest = build(identity, masked, recognition=recognition, photos=photos)
    number = recognition.fields.number.expose().encode()
    digest = hashlib.md5(number, usedforsecurity=False).hexdigest()
    return msgspec.json.encode({**msgspec.json.decode(manifest), "card_id": digest})


@replaces(
    "kycourier.usecases.store_evidence:EvidenceWriter.store",
    "object key",
    SINKS,
    finding=("keys", "reversed"),
)
def reversed_number_in_an_object_key(store, self, record, recognition):
    """The folder of the evidence ends in the card number, back to front."""
    folder = f"{record.folder}/{recognition.fields.number.expose()[::-1]}"
    return store(self, replace(record, folder=folder), recognition)


@replaces(f"{COLLECTOR}._store", "state row", SINKS, finding=("state", "hex"))
def card_number_in_the_row(store, self, record, recognition):
    """The order's row keeps the card number in hexadecimal."""
    number = recognition.fields.number.expose().encode().hex()
    return replace(store(self, record, recognition), reason=number)


@replaces(f"{COLLECTOR}._process", "queue message", SINKS, finding=("queue", "raw"))
def ticket_in_a_queue_message(process, self, claimed, deadline):
    """A queue message carries the ticket to save the next worker a read."""
    record = process(self, claimed, deadline)
    ticket = self._query._tickets._cached.pair.ticket.expose()
    self._attempt_end._enqueue(replace(claimed, order_no=ticket))
    return record


@replaces(
    "kycourier.triggers.http.health:Health._ticket",
    "API response",
    SINKS,
    finding=("responses", "raw"),
)
def ticket_in_the_health_response(describe, self, now):
    """The health of the service shows the ticket."""
    pair = self._tickets.get(self._app_id)
    return {**describe(self, now), "ticket": pair.ticket.expose()}


@replaces(
    "kycourier.triggers.http.router:HttpRouter.route",
    "response header",
    EDGES,
    finding=("headers", "raw"),
)
def path_in_a_response_header(route, self, request, *arguments, **options):
    """A header of the response repeats the requested path."""
    response = route(self, request, *arguments, **options)
    return {**response, "headers": {**response["headers"], "X-Path": request.path}}


@replaces(
    "kycourier.adapters.local.links:build_link", "link", EDGES, finding=("link", "raw")
)
def signing_key_in_a_link(build, secret, key, **options):
    """The link to a photo carries the key that signs all links."""
    return build(secret, key, **options).replace("?", f"?by={secret.expose()}&")


@replaces(f"{HTTP}._read", "temporary file", EDGES, finding=("files", "raw"))
def reply_in_a_temporary_file(read, self, *arguments, **options):
    """A temporary file keeps the last reply."""
    body = read(self, *arguments, **options)
    Path(tempfile.gettempdir(), "last-reply").write_bytes(body.expose())
    return body


@replaces(
    "kycourier.triggers.function:Function.invoke",
    "dead letter",
    EDGES,
    finding=("collect_results failed", "6225880000001234"),
)
def event_in_the_error_of_a_handler(invoke, self, event, context):
    """The error that leaves a handler repeats the event."""
    try:
        return invoke(self, event, context)
    except HandlerFailedError as error:
        reason = error.reason
    raise HandlerFailedError(f"{reason} at {event}")


@replaces(
    "kycourier.adapters.s3.evidence:S3EvidenceStore._try_put",
    "object metadata",
    EDGES,
    finding=("metadata", "hex"),
)
def content_in_the_metadata_of_an_object(put, self, key, content, **_options):
    """The metadata of an object shows its bytes in hexadecimal."""
    return put(self, key, content, media_type=f"image/{content.hex()}")


@replaces(
    f"{HTTP}.send",
    "exception text",
    "tests/adapters/kyc/test_logging.py",
    finding=("canaryTicket0123456789",),
)
def query_in_the_text_of_an_error(send, self, request, **options):
    """The text of an error holds the signed query."""
    try:
        return send(self, request, **options)
    except TransportError as error:
        reason = f"{error.reason} {urlencode(request.query.expose())}"
    raise TransportError(reason)


@replaces(
    "kycourier.core.redaction:Redacted.__repr__", "repr", "tests/core/test_redaction.py"
)
def secret_in_its_repr(_repr, self):
    """A secret in a list or an f-string is written out."""
    return f"{type(self).__name__}({self._value!r})"


@replaces(
    "kycourier.core.redaction:Redacted.__reduce_ex__",
    "pickle",
    "tests/core/test_redaction.py",
)
def secret_in_a_pickle(_reduce, self, _protocol):
    """A secret can be pickled and copied."""
    return type(self), (self._value,)


@replaces(
    "kycourier.adapters.sealing.jwe:JweSealer.seal",
    "event",
    SINKS,
    finding=("events", "raw"),
)
def unsealed_content_as_the_sealed(_seal, _self, content):
    """What should be sealed is published in clear."""
    return content.expose().decode()


@replaces(
    "kycourier.usecases.store_evidence:build_manifest",
    "manifest",
    SINKS,
    finding=("manifests", "raw"),
)
def clear_values_in_the_manifest(build, identity, masked, *, recognition, photos):
    """The manifest shows the fields that only the partner may open."""
    revealed = {**masked, "sealed": {"card": recognition.fields.number.expose()}}
    return build(identity, revealed, recognition=recognition, photos=photos)
