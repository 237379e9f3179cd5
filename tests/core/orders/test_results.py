"""A result locates its evidence and holds the data of its event."""

import pytest

from kycourier.core.documents.bank_card import PhotoKind
from kycourier.core.evidence import locate_manifest, locate_photo
from kycourier.core.orders.results import FinalReason, collected_result
from support.sample_records import make_recognition

FOLDER = "SANDBOX1/2026/01/02/x"
URI = "s3://bucket/prefix"
ORIGINAL = f"{FOLDER}/original-0000000000000000.jpg"
NUMBER = f"{FOLDER}/number-0000000000000000.jpg"
MASKED = {"card": {"number_masked": "411111******1111"}}
MANIFEST = locate_manifest(b"{}", folder=FOLDER)
RECOGNITION = make_recognition(PhotoKind.ORIGINAL, PhotoKind.NUMBER)
RESULT = collected_result(
    RECOGNITION,
    MASKED,
    sealed="e30.a.b.c.d",
    photos=tuple(locate_photo(each, folder=FOLDER) for each in RECOGNITION.photos),
    manifest=MANIFEST,
    evidence_uri=URI,
)


def test_keys_are_those_of_photos_and_manifest():
    assert RESULT.keys() == {ORIGINAL, NUMBER, MANIFEST.key}


@pytest.mark.parametrize(
    ("kind", "uri", "key"),
    [
        ("original", URI, ORIGINAL),
        ("number", URI, NUMBER),
        ("cropped", URI, None),
        ("manifest", URI, None),
        ("original", "file:///x", None),
    ],
)
def test_photo_key_requires_the_kind_and_the_same_store(kind, uri, key):
    assert RESULT.photo_key(kind, evidence_uri=uri) == key


def test_data_holds_masked_values_and_uris():
    assert RESULT.data() == {
        **MASKED,
        "sealed": "e30.a.b.c.d",
        "photos": [
            {
                "kind": kind,
                "uri": f"{URI}/{key}",
                "sha256": "0" * 64,
                "bytes": 1,
                "media_type": "image/jpeg",
            }
            for kind, key in [("original", ORIGINAL), ("number", NUMBER)]
        ],
        "photos_missing": ["cropped"],
        "manifest": {"uri": f"{URI}/{MANIFEST.key}", "sha256": MANIFEST.sha256},
        "upstream": {"biz_seq_no": None, "transaction_time": None},
    }


def test_data_of_a_final_reason_is_code_and_name():
    reason = FinalReason(code="-9011", name="ocr_failed")
    assert reason.data() == {"reason": {"code": "-9011", "name": "ocr_failed"}}
