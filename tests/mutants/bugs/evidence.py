"""Bugs in evidence and events: named before they exist, replaced, or left over."""

from contextlib import suppress

from msgspec.structs import replace

from kycourier.core.errors import EvidenceUnavailableError
from mutants.catalogue import replaces

COLLECT = "tests/usecases/test_collect_result.py"
STORE = "tests/ports/test_evidence_store.py"
SEALED = "tests/usecases/test_sealed_results.py"
JWE = "tests/adapters/sealing/test_jwe.py"
WRITER = "kycourier.usecases.store_evidence:EvidenceWriter"


@replaces("kycourier.usecases.collect_result:CollectResult._process", "I3", COLLECT)
def event_is_published_before_the_put(process, self, claimed, deadline):
    """The event is published first; then the objects that it names are stored."""
    writer, puts = self._evidence, []
    writer._put = lambda *what, more: puts.append((what, more))
    record = process(self, claimed, deadline)
    del writer._put
    for what, more in puts:
        writer._put(*what, more=more)
    return record


@replaces(f"{WRITER}._put", "I3", COLLECT)
def object_that_was_not_stored_is_named(put, self, *what, **options):
    """An object that the store did not take is named in the event."""
    with suppress(EvidenceUnavailableError):
        put(self, *what, **options)


@replaces("kycourier.adapters.local.files:write_file_once", "I4", f"{STORE} -k file")
def file_is_replaced(write, path, content, **options):
    """Other bytes under the same key replace the file."""
    path.unlink(missing_ok=True)
    return write(path, content, **options)


@replaces(
    "kycourier.adapters.s3.evidence:S3EvidenceStore._is_stored",
    "I4",
    f"{STORE} -k s3",
)
def bytes_in_the_bucket_are_not_compared(_is_stored, self, key, _sha256):
    """Other bytes under the same key count as stored."""
    return self.digest(key) is not None


@replaces("kycourier.core.orders.state_machine:claim", "I5", COLLECT)
def evidence_folder_holds_the_order_number(claim, record, *, folder, **options):
    """The keys of the evidence show the order number."""
    return claim(record, folder=f"{folder}/{record.order_no}", **options)


@replaces(f"{WRITER}.orphans", "I16", COLLECT)
def orphans_are_not_reported(_orphans, _self, _record):
    """Objects that an earlier attempt left behind are reported by no sweep."""
    return []


@replaces(
    "kycourier.adapters.aws.events:EventBridgeSink._put",
    "fault 56",
    "tests/adapters/aws/test_events.py -k eventbridge",
)
def put_events_entries_are_not_read(put, self, entries):
    """A 200 of PutEvents counts for all entries, whatever it reports for each."""
    put(self, entries)
    return []


@replaces("kycourier.usecases.store_evidence:EvidenceWriter._seal", "I18", SEALED)
def nothing_is_sealed(_seal, _self, _record, _recognition):
    """A recipient's key is set, and the clear values go nowhere."""


@replaces("kycourier.usecases.store_evidence:build_sealed_content", "I18", SEALED)
def another_order_is_sealed(build, record, recognized):
    """The content names another order than its event."""
    return build(replace(record, order_no="another"), recognized)


@replaces("kycourier.adapters.sealing.jwe:JweSealer.seal", "I18", JWE)
def sealed_result_names_no_key(seal, self, content):
    """The header has no `kid`: after a change of keys nobody knows which one opens."""
    self._header.pop("kid", None)
    return seal(self, content)
