"""Signatures and secrets are compared in constant time, by `hmac.compare_digest`."""

import hmac
from datetime import datetime, timezone

import pytest

from kycourier.adapters.local import links
from kycourier.core.errors import ApiProblemError
from kycourier.core.redaction import Secret
from kycourier.core.request_signature import (
    SignedRequest,
    check_signature,
    sign_request,
)
from support.spies import spy_on_compare_digest

FIRST, SECOND = Secret("first-key-of-a-test"), Secret("second-key-of-a-test")
NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)
REQUEST = SignedRequest(method="PUT", path="/v1/orders/a1")
LINK = "SANDBOX1/2026/01/01/a/original-0123456789abcdef.jpg"


def is_authenticated(*keys, signed_with=(FIRST,)):
    first, *rest = [sign_request(REQUEST, key=key, at=NOW) for key in signed_with]
    sent = ",".join([first, *(each.partition(",")[2] for each in rest)])
    try:
        check_signature([sent], REQUEST, keys=keys, now=NOW)
    except ApiProblemError:
        return False
    return True


def is_valid_link(signature):
    return links.is_valid_link(
        FIRST, LINK, expires="2000000000", signature=signature, now=NOW.timestamp()
    )


COMPARISONS = {
    "request": (lambda: is_authenticated(FIRST), lambda: is_authenticated(SECOND)),
    "secret": (lambda: Secret(FIRST.expose()) == FIRST, lambda: FIRST == SECOND),
    "link": (
        lambda: is_valid_link(
            links.build_link(FIRST, LINK, expires=2000000000).rpartition("=")[2]
        ),
        lambda: is_valid_link("0" * 64),
    ),
}


@pytest.mark.parametrize(("equal", "different"), COMPARISONS.values(), ids=COMPARISONS)
def test_compare_digest_alone_decides(equal, different, monkeypatch):
    assert equal()
    assert not different()
    monkeypatch.setattr(hmac, "compare_digest", lambda *_: False)
    assert not equal()
    monkeypatch.setattr(hmac, "compare_digest", lambda *_: True)
    assert different()


@pytest.mark.parametrize("signed_with", [(FIRST,), (SECOND,), (Secret("other"),)])
def test_all_active_keys_are_compared_whichever_matches(monkeypatch, signed_with):
    compared = spy_on_compare_digest(monkeypatch)
    is_authenticated(FIRST, SECOND, signed_with=signed_with)
    assert len({expected for expected, _ in compared}) == 2


def test_comparisons_continue_after_a_match(monkeypatch):
    """Each key is compared with each signature of the request."""
    compared = spy_on_compare_digest(monkeypatch)
    assert is_authenticated(FIRST, SECOND, signed_with=(FIRST, SECOND))
    assert [expected == sent for expected, sent in compared] == [
        *(True, False),
        *(False, True),
    ]
