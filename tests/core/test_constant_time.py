"""Signatures and secrets are compared by `hmac.compare_digest` and by nothing else."""

import hmac
from datetime import datetime, timezone

import pytest

from kycourier.adapters.local import links
from kycourier.core.errors import BadRequest
from kycourier.core.hidden import Secret
from kycourier.core.request_signature import (
    SignedRequest,
    check_signature,
    sign_request,
)

FIRST, SECOND = Secret("first-key-of-a-test"), Secret("second-key-of-a-test")
NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)
REQUEST = SignedRequest(method="PUT", path="/v1/orders/a1")
LINK = "SANDBOX1/2026/01/01/a/original-0123456789abcdef.jpg"


def is_admitted(*keys, signed_with=(FIRST,)):
    first, *rest = [sign_request(REQUEST, key=key, at=NOW) for key in signed_with]
    sent = ",".join([first, *(each.partition(",")[2] for each in rest)])
    try:
        check_signature([sent], REQUEST, keys=keys, now=NOW)
    except BadRequest:
        return False
    return True


def is_link_taken(signature):
    return links.is_valid_link(
        FIRST, LINK, expires="2000000000", signature=signature, now=NOW.timestamp()
    )


DECIDED = {
    "request": (lambda: is_admitted(FIRST), lambda: is_admitted(SECOND)),
    "secret": (
        lambda: Secret(FIRST.reveal()) == FIRST,
        lambda: FIRST == SECOND,
    ),
    "link": (
        lambda: is_link_taken(
            links.build_link(FIRST, LINK, expires=2000000000).rpartition("=")[2]
        ),
        lambda: is_link_taken("0" * 64),
    ),
}


@pytest.mark.parametrize("name", DECIDED)
def test_its_word_alone_decides(name, monkeypatch):
    right, wrong = DECIDED[name]
    assert right()
    assert not wrong()
    monkeypatch.setattr(hmac, "compare_digest", lambda *_: False)
    assert not right()
    monkeypatch.setattr(hmac, "compare_digest", lambda *_: True)
    assert wrong()


@pytest.fixture
def compared(monkeypatch):
    """Count what is compared, and with the digest of which key."""
    kept, compare = [], hmac.compare_digest

    def count(ours, theirs):
        kept.append(ours)
        return compare(ours, theirs)

    monkeypatch.setattr(hmac, "compare_digest", count)
    return kept


@pytest.mark.parametrize("signed_with", [(FIRST,), (SECOND,), (Secret("other"),)])
def test_every_live_key_is_compared_whichever_it_was(compared, signed_with):
    is_admitted(FIRST, SECOND, signed_with=signed_with)
    assert len(set(compared)) == 2


def test_each_key_is_compared_with_each_signature(compared):
    assert is_admitted(FIRST, SECOND, signed_with=(FIRST, SECOND))
    assert len(compared) == 4
