"""Request signatures match vectors made with openssl, and nothing else is accepted."""

import json
import string
from datetime import datetime, timedelta, timezone
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kycourier.core.errors import ApiProblemError
from kycourier.core.redaction import Secret
from kycourier.core.request_signature import (
    SignedRequest,
    canonical_query,
    check_signature,
    parse_keys,
    sign_request,
)

DATA = Path(__file__).parents[1] / "data/request_signature_vectors.json"
VECTORS = json.loads(DATA.read_text("utf-8"))["vectors"]
KEY, OTHER_KEY = Secret("first-key-of-a-test"), Secret("second-key-of-a-test")
NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)
REQUEST = SignedRequest(
    method="PUT",
    path="/v1/orders/a1",
    query="b=2&a=1",
    body=b'{"document":"bank_card"}',
)
HEADER = sign_request(REQUEST, key=KEY, at=NOW)
DIGEST = HEADER.partition("v1=")[2]


def problem_of(*sent, request=REQUEST, keys=(KEY,), now=NOW):
    """Return the problem's code, or None if the signature is accepted."""
    try:
        check_signature(sent, request, keys=keys, now=now)
    except ApiProblemError as error:
        return error.problem
    return None


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["description"])
def test_published_vector_is_reproduced_and_accepted(vector):
    request = SignedRequest(
        method=vector["method"],
        path=vector["path"],
        query=vector["query"],
        body=vector["body"].encode(),
    )
    key, at = Secret(vector["key"]), datetime.fromtimestamp(vector["t"], timezone.utc)
    assert sign_request(request, key=key, at=at) == vector["header"]
    assert problem_of(vector["header"], request=request, keys=[key], now=at) is None


@pytest.mark.parametrize(
    ("query", "canonical"),
    [
        ("", ""),
        ("b=2&a=1", "a=1&b=2"),
        ("a=2&a=1", "a=1&a=2"),
        ("a-b=1&a=2", "a=2&a-b=1"),
        ("a", "a="),
        ("&&a=1&", "a=1"),
        ("a=1=2", "a=1%3D2"),
        ("a=%7e~%2d", "a=~~-"),
        ("a=b+c%20d", "a=b%2Bc%20d"),
        ("a=%", "a=%25"),
        ("a=%zz", "a=%25zz"),
        ("a=%ff", "a=%FF"),
        ("a=é", "a=%C3%A9"),
        ("a=%2541", "a=%2541"),
    ],
)
def test_query_has_one_canonical_form(query, canonical):
    assert canonical_query(query) == canonical


@given(st.text(max_size=60))
def test_canonical_query_is_unchanged_by_canonicalization(query):
    canonical = canonical_query(query)
    assert canonical_query(canonical) == canonical
    assert set(canonical) <= set(string.ascii_letters + string.digits + "-._~%&=")


@given(
    key=st.text(min_size=1, max_size=40),
    body=st.binary(max_size=40),
    path=st.text(max_size=20),
    at=st.integers(1, 10**11),
)
def test_any_signed_request_is_accepted(key, body, path, at):
    request = SignedRequest(method="POST", path=path, body=body)
    signed_at = datetime.fromtimestamp(at, timezone.utc)
    secret = Secret(key)
    sent = sign_request(request, key=secret, at=signed_at)
    assert problem_of(sent, request=request, keys=[secret], now=signed_at) is None


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"method": "GET"}, "signature_mismatch"),
        ({"path": "/v1/orders/a2"}, "signature_mismatch"),
        ({"query": ""}, "signature_mismatch"),
        ({"query": "a=1&b=%32"}, None),
        ({"body": b"{} "}, "signature_mismatch"),
    ],
    ids=str,
)
def test_signature_is_valid_for_one_request_only(changes, problem):
    request = SignedRequest(**(msgspec.structs.asdict(REQUEST) | changes))
    assert problem_of(HEADER, request=request) == problem


def test_time_is_signed():
    later = HEADER.replace("t=17672256", "t=17672257")
    assert later != HEADER
    assert problem_of(later) == "signature_mismatch"


@pytest.mark.parametrize(
    ("seconds", "problem"),
    [
        *((seconds, None) for seconds in (-300, 0, 300)),
        *((seconds, "signature_expired") for seconds in (-301, 300.5, 86_400)),
    ],
)
def test_clock_may_be_off_by_five_minutes(seconds, problem):
    now = NOW + timedelta(seconds=seconds)
    assert problem_of(HEADER, now=now) == problem
    assert problem_of(HEADER, keys=[OTHER_KEY], now=now) == "signature_mismatch"


@pytest.mark.parametrize(
    ("signers", "keys", "is_valid"),
    [
        ([KEY], [KEY], True),
        ([KEY], [KEY, OTHER_KEY], True),
        ([KEY], [OTHER_KEY, KEY], True),
        ([KEY], [OTHER_KEY], False),
        ([KEY, OTHER_KEY], [OTHER_KEY], True),
        ([KEY, OTHER_KEY], [KEY], True),
        ([KEY, OTHER_KEY], [Secret("third-key-of-a-test")], False),
    ],
    ids=["same", "first", "second", "removed", "both 1", "both 2", "third"],
)
def test_signature_of_any_active_key_is_accepted(signers, keys, is_valid):
    signatures = [sign_request(REQUEST, key=key, at=NOW) for key in signers]
    others = [each.partition(",")[2] for each in signatures[1:]]
    problem = problem_of(",".join([signatures[0], *others]), keys=keys)
    assert problem == (None if is_valid else "signature_mismatch")


def test_upper_case_hex_digits_are_accepted():
    assert problem_of(f"t={NOW.timestamp():.0f},v1={DIGEST.upper()}") is None


@pytest.mark.parametrize(
    "sent",
    [
        "",
        DIGEST,
        f"v1={DIGEST}",
        "t=1767225600",
        "t=1767225600,v1=",
        f"v1={DIGEST},t=1767225600",
        f"t=1767225600,t=1767225600,v1={DIGEST}",
        f"t=1767225600,v1={DIGEST},t=1767225600",
        f"t=1767225600, v1={DIGEST}",
        f"t=1767225600,v1={DIGEST},",
        f"t=1767225600,v1={DIGEST}\n",
        f"\nt=1767225600,v1={DIGEST}",
        f"t=1767225600,v1={DIGEST},v1={DIGEST},v1={DIGEST}",
        f"t=1767225600,v1={DIGEST},v2={DIGEST}",
        f"t=1767225600,v1={DIGEST[:-1]}",
        f"t=1767225600,v1={DIGEST}0",
        f"t=1767225600,v1=g{DIGEST[1:]}",
        f"t=1767225600,v1=\N{FULLWIDTH DIGIT ONE}{DIGEST[1:]}",
        f"t=\N{ARABIC-INDIC DIGIT ONE}767225600,v1={DIGEST}",
        f"t=+1767225600,v1={DIGEST}",
        f"t=01767225600,v1={DIGEST}",
        f"t=-1767225600,v1={DIGEST}",
        f"t=1767225600.0,v1={DIGEST}",
        f"t=1e9,v1={DIGEST}",
        f"t={'9' * 5000},v1={DIGEST}",
        f"T=1767225600,V1={DIGEST}",
        "\ud800",
        "x" * 1_000_000,
    ],
    ids=lambda sent: ascii(sent[:40]),
)
def test_any_other_header_form_is_malformed(sent):
    assert problem_of(sent) == "signature_malformed"


def test_exactly_one_header_is_required():
    assert problem_of() == "signature_missing"
    assert problem_of(HEADER, HEADER) == "signature_malformed"


@given(st.integers(0, len(HEADER) - 1), st.characters(codec="utf-8"))
def test_header_with_one_changed_character_is_rejected(position, character):
    sent = HEADER[:position] + character + HEADER[position + 1 :]
    if sent.lower() != HEADER.lower():
        assert problem_of(sent) in {"signature_malformed", "signature_mismatch"}


@pytest.mark.parametrize(
    ("secret", "keys"),
    [
        ("a", ["a"]),
        ("a\n", ["a"]),
        ("a\r\n", ["a"]),
        ("a\nb", ["a", "b"]),
        ("a\r\nb\r\n", ["a", "b"]),
        (" a \n\tb", ["a", "b"]),
        ("a\n\nb\n \n", ["a", "b"]),
        ("aGk=\nx\u2028y", ["aGk=", "x\u2028y"]),
    ],
)
def test_keys_are_one_per_line_without_the_white_space_around_them(secret, keys):
    assert [key.expose() for key in parse_keys(Secret(secret))] == keys


@pytest.mark.parametrize("secret", ["", " ", "\t\n", "\n", "a\nb\nc", "\r\n"])
def test_no_keys_and_more_than_two_are_unusable(secret):
    assert parse_keys(Secret(secret)) is None
