"""Hidden values do not show themselves."""

import copy
import json
import pickle

import msgspec
import pytest

from kycourier.core.hidden import CardNumber, PhotoBytes, Query, ReplyBody, Secret
from kycourier.core.models import KycRequest
from watching import watch_comparisons

CANARY = "canary4111"
VALUES = [
    Secret(CANARY),
    CardNumber(CANARY),
    PhotoBytes(CANARY.encode()),
    ReplyBody(CANARY.encode()),
    Query((("sign", CANARY),)),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_no_way_of_showing_gives_the_value_out(value):
    request = KycRequest(path="/", query=value)
    shown = [repr(value), str(value), f"{value}", f"{value!r:>60}", repr([value])]
    assert CANARY not in "".join([*shown, repr(request), "%s" % value])  # noqa: UP031 - it too


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize(
    "leak", [pickle.dumps, copy.copy, copy.deepcopy, json.dumps, msgspec.json.encode]
)
def test_writing_it_raises(value, leak):
    with pytest.raises(TypeError):
        leak(value)


def test_equality_compares_values_of_one_kind():
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != CardNumber("a")
    assert Secret("é") != "é"


def test_secrets_are_compared_in_constant_time(monkeypatch):
    compared = watch_comparisons(monkeypatch)
    assert Secret("a") != Secret("b")
    assert compared == [(b"a", b"b")]


def test_it_cannot_be_a_key():
    with pytest.raises(TypeError):
        {Secret("a")}
