"""Evidence keys, URIs and manifests have the documented form."""

import hashlib
import json
from datetime import datetime, timezone

import pytest
from msgspec.structs import replace

from kycourier.core.documents.bank_card import PhotoKind
from kycourier.core.errors import EvidenceUnavailableError
from kycourier.core.evidence import (
    StoredObject,
    build_key,
    build_manifest,
    check_key,
    folder_of,
    is_key,
    locate_manifest,
    locate_photo,
    new_folder,
    uri_of,
)
from support.sample_records import make_recognition

FOLDER = "SANDBOX1/2026/01/02/5f3a"
IDENTITY = {"app_id": "SANDBOX1", "order_no": "order1", "document": "bank_card"}
MASKED = {"card": {"number_masked": "411111******1111"}}
RECOGNITION = make_recognition(PhotoKind.ORIGINAL, PhotoKind.NUMBER)


def manifest_of(recognition):
    photos = [locate_photo(each, folder=FOLDER) for each in recognition.photos]
    return build_manifest(IDENTITY, MASKED, recognition=recognition, photos=photos)


def test_folder_is_app_date_and_random_name():
    now = datetime(2026, 1, 2, 23, 59, tzinfo=timezone.utc)
    assert folder_of("SANDBOX1", new_folder(now, nonce="5f3a")) == FOLDER


def test_unclaimed_order_has_no_folder():
    with pytest.raises(EvidenceUnavailableError):
        folder_of("SANDBOX1", None)


@pytest.mark.parametrize(
    ("media_type", "extension"),
    [
        *(("image/jpeg", "jpg"), ("image/png", "png"), ("image/webp", "webp")),
        *(("application/json", "json"), ("application/octet-stream", "bin")),
        ("text/html", "bin"),
    ],
)
def test_key_is_folder_kind_digest_and_extension(media_type, extension):
    key = build_key(FOLDER, "original", sha256="ab" * 32, media_type=media_type)
    assert key == f"{FOLDER}/original-abababababababab.{extension}"


@pytest.mark.parametrize("key", ["a", "A.b-c_d", f"{FOLDER}/original-0011.jpg", "..."])
def test_plain_names_between_slashes_are_a_key(key):
    assert is_key(key)
    assert check_key(key) == key


@pytest.mark.parametrize(
    "key",
    ["", "/a", "a/", "a//b", ".", "..", "a/../b", "../a", "a b", "a\n", "é", "a\\b"],
)
def test_any_other_key_is_rejected(key):
    assert not is_key(key)
    with pytest.raises(EvidenceUnavailableError):
        check_key(key)


def test_object_is_located_by_kind_digest_and_uri_of_the_store():
    [photo] = make_recognition(PhotoKind.CROPPED).photos
    located = locate_photo(photo, folder=FOLDER)
    assert located == StoredObject(
        kind="cropped",
        key=f"{FOLDER}/cropped-0000000000000000.jpg",
        sha256="0" * 64,
        size_bytes=1,
        media_type="image/jpeg",
    )
    uri = uri_of(located, evidence_uri="s3://bucket/prefix")
    assert uri == f"s3://bucket/prefix/{located.key}"
    sha256 = hashlib.sha256(b"{}").hexdigest()
    assert locate_manifest(b"{}", folder=FOLDER) == StoredObject(
        kind="manifest",
        key=f"{FOLDER}/manifest-{sha256[:16]}.json",
        sha256=sha256,
        size_bytes=2,
        media_type="application/json",
    )


def test_manifest_lists_order_masked_values_and_objects():
    assert json.loads(manifest_of(RECOGNITION)) == {
        "manifest": "kycourier.manifest.v1",
        **IDENTITY,
        "code": "0",
        **MASKED,
        "photos_missing": ["cropped"],
        "objects": [
            {
                "kind": kind,
                "name": f"{kind}-0000000000000000.jpg",
                "sha256": "0" * 64,
                "bytes": 1,
                "media_type": "image/jpeg",
            }
            for kind in ("original", "number")
        ],
    }


def test_manifest_is_equal_for_every_query_and_holds_no_card_number():
    later = replace(RECOGNITION, biz_seq_no="other", transaction_time="2" * 14)
    assert manifest_of(later) == manifest_of(RECOGNITION)
    assert b"4111111111111111" not in manifest_of(RECOGNITION)
