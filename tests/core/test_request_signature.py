"""Request signatures, by vectors that openssl made."""

import hashlib
import hmac
import json
import string
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kycourier.core.errors import BadRequest
from kycourier.core.hidden import Secret
from kycourier.core.request_signature import (
    SignedRequest,
    canonical_query,
    check_signature,
    parse_keys,
    sign_request,
)
from watching import watch_comparisons

DATA = Path(__file__).parent.parent / "data" / "request_signature_vectors.json"
VECTORS = json.loads(DATA.read_text("utf-8"))["vectors"]
KEY, OTHER_KEY = Secret("first-key-of-a-test"), Secret("second-key-of-a-test")
NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)
REQUEST = SignedRequest(
    method="PUT",
    path="/v1/orders/a1",
    query="b=2&a=1",
    body=b'{"document":"bank_card"}',
)
GOOD = sign_request(REQUEST, key=KEY, at=NOW)
DIGEST = GOOD.partition("v1=")[2]


def refusal(*sent, request=REQUEST, keys=(KEY,), now=NOW):
    """Name the problem, None when the signature is taken."""
    try:
        check_signature(sent, request, keys=keys, now=now)
    except BadRequest as error:
        return error.problem
    return None


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["says"])
def test_a_published_vector_is_made_and_taken(vector):
    request = SignedRequest(
        method=vector["method"],
        path=vector["path"],
        query=vector["query"],
        body=vector["body"].encode(),
    )
    key, at = Secret(vector["key"]), datetime.fromtimestamp(vector["t"], timezone.utc)
    assert sign_request(request, key=key, at=at) == vector["header"]
    assert refusal(vector["header"], request=request, keys=[key], now=at) is None


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["says"])
def test_a_published_vector_holds_by_the_definition_of_hmac(vector):
    padded = vector["key"].encode().ljust(64, b"\0")
    inner = hashlib.sha256(bytes(b ^ 0x36 for b in padded) + vector["signed"].encode())
    outer = hashlib.sha256(bytes(b ^ 0x5C for b in padded) + inner.digest())
    assert vector["header"] == f"t={vector['t']},v1={outer.hexdigest()}"


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
def test_a_query_is_spelled_in_one_way(query, canonical):
    assert canonical_query(query) == canonical


@given(st.text(max_size=60))
def test_a_canonical_query_stays_as_it_is(query):
    canonical = canonical_query(query)
    assert canonical_query(canonical) == canonical
    assert set(canonical) <= set(string.ascii_letters + string.digits + "-._~%&=")


@given(
    key=st.text(min_size=1, max_size=40),
    body=st.binary(max_size=40),
    path=st.text(max_size=20),
    at=st.integers(1, 10**11),
)
def test_what_is_signed_is_taken(key, body, path, at):
    request = SignedRequest(method="POST", path=path, body=body)
    moment = datetime.fromtimestamp(at, timezone.utc)
    secret = Secret(key)
    sent = sign_request(request, key=secret, at=moment)
    assert refusal(sent, request=request, keys=[secret], now=moment) is None


@pytest.mark.parametrize(
    "changed",
    [
        SignedRequest(method="GET", path=REQUEST.path, query="b=2&a=1"),
        SignedRequest(method="PUT", path="/v1/orders/a2", query="b=2&a=1"),
        SignedRequest(method="PUT", path="/v1/orders/a1"),
        SignedRequest(method="PUT", path="/v1/orders/a1", query="b=2&a=1", body=b"{} "),
    ],
    ids=["method", "path", "query", "body"],
)
def test_a_signature_is_of_one_request_only(changed):
    assert refusal(GOOD, request=changed) == "signature_mismatch"


def test_another_order_of_the_query_is_the_same_request():
    again = SignedRequest(
        method="PUT", path=REQUEST.path, query="a=1&b=%32", body=REQUEST.body
    )
    assert refusal(GOOD, request=again) is None


def test_the_time_is_signed_too():
    later = GOOD.replace("t=17672256", "t=17672257")
    assert later != GOOD
    assert refusal(later) == "signature_mismatch"


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_a_clock_may_be_five_minutes_off(seconds):
    assert refusal(GOOD, now=NOW + timedelta(seconds=seconds)) is None


@pytest.mark.parametrize("seconds", [-301, 300.5, 86_400])
def test_an_older_or_younger_signature_has_expired(seconds):
    assert refusal(GOOD, now=NOW + timedelta(seconds=seconds)) == "signature_expired"


def test_only_who_signed_is_told_that_it_has_expired():
    late = NOW + timedelta(days=1)
    assert refusal(GOOD, keys=[OTHER_KEY], now=late) == "signature_mismatch"


@pytest.mark.parametrize("keys", [[KEY, OTHER_KEY], [OTHER_KEY, KEY], [KEY]])
def test_any_live_key_will_do(keys):
    assert refusal(GOOD, keys=keys) is None


def test_a_key_that_is_no_longer_live_will_not():
    assert refusal(GOOD, keys=[OTHER_KEY]) == "signature_mismatch"


def test_every_key_is_compared_in_constant_time_also_after_one_that_fits(monkeypatch):
    compared = watch_comparisons(monkeypatch)
    assert refusal(f"{GOOD},v1={DIGEST}", keys=[KEY, OTHER_KEY]) is None
    assert [right == sent for right, sent in compared] == [True, True, False, False]


def test_a_caller_may_sign_with_both_keys_during_a_rotation():
    other = sign_request(REQUEST, key=OTHER_KEY, at=NOW).partition(",")[2]
    assert refusal(f"{GOOD},{other}", keys=[OTHER_KEY]) is None
    assert refusal(f"{GOOD},{other}", keys=[KEY]) is None
    wrong = Secret("third-key-of-a-test")
    assert refusal(f"{GOOD},{other}", keys=[wrong]) == "signature_mismatch"


def test_upper_case_digits_are_the_same_signature():
    assert refusal(f"t={NOW.timestamp():.0f},v1={DIGEST.upper()}") is None


def test_no_header_is_a_missing_signature():
    assert refusal() == "signature_missing"


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
def test_anything_but_the_one_form_is_malformed(sent):
    assert refusal(sent) == "signature_malformed"


def test_two_headers_are_malformed_even_if_both_are_right():
    assert refusal(GOOD, GOOD) == "signature_malformed"


@given(st.text(alphabet="t=v1,0aA9 \n\N{FULLWIDTH DIGIT ONE}", max_size=160))
def test_garbage_is_refused(sent):
    assert refusal(sent) in {"signature_malformed", "signature_mismatch"}


@given(st.integers(0, len(GOOD) - 1), st.characters(codec="utf-8"))
def test_one_other_character_is_refused(place, character):
    sent = GOOD[:place] + character + GOOD[place + 1 :]
    if sent.lower() != GOOD.lower():
        assert refusal(sent) in {"signature_malformed", "signature_mismatch"}


@pytest.mark.parametrize(
    ("kept", "keys"),
    [
        ("a", ["a"]),
        ("a\n", ["a"]),
        ("a\r\n", ["a"]),
        ("a\nb", ["a", "b"]),
        ("a\r\nb\r\n", ["a", "b"]),
        (" a \n\tb", [" a ", "\tb"]),
        ("aGk=\nx\u2028y", ["aGk=", "x\u2028y"]),
    ],
)
def test_keys_stand_a_line_each_and_only_line_ends_are_removed(kept, keys):
    assert [key.reveal() for key in parse_keys(Secret(kept))] == keys


@pytest.mark.parametrize(
    "kept", ["", " ", "\t\n", "\n", "a\n\nb", "a\n\n", "a\nb\nc", "\r\n"]
)
def test_no_key_an_empty_one_or_three_are_none(kept):
    assert parse_keys(Secret(kept)) is None


def test_a_keys_bytes_are_used_as_they_stand():
    key = Secret(" a key with spaces, é ")
    sent = sign_request(SignedRequest(method="GET", path="/v1/health"), key=key, at=NOW)
    signed = f"1767225600\nGET\n/v1/health\n\n{hashlib.sha256(b'').hexdigest()}"
    expected = hmac.new(key.reveal().encode(), signed.encode(), "sha256").hexdigest()
    assert sent == f"t=1767225600,v1={expected}"
