"""Redacted values and scrubbed tracebacks reveal nothing."""

import copy
import json
import pickle

import msgspec
import pytest

from kycourier.core.documents.bank_card_numbers import CardNumber
from kycourier.core.errors import TransportError
from kycourier.core.redaction import (
    PhotoBytes,
    Query,
    ReplyBody,
    Secret,
    error_fields,
    scrub_traceback,
)
from kycourier.core.wire.messages import KycRequest

CANARY = "canary4111"
VALUES = [
    Secret(CANARY),
    CardNumber(CANARY),
    PhotoBytes(CANARY.encode()),
    ReplyBody(CANARY.encode()),
    Query((("sign", CANARY),)),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_no_formatting_reveals_the_value(value):
    request = KycRequest(path="/", query=value)
    texts = [repr(value), str(value), f"{value}", f"{value!r:>60}", repr([value])]
    assert CANARY not in "".join([*texts, repr(request), "%s" % value])  # noqa: UP031 - also by the old operator


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize(
    "serialize",
    [pickle.dumps, copy.copy, copy.deepcopy, json.dumps, msgspec.json.encode],
)
def test_serializing_and_copying_raise(value, serialize):
    with pytest.raises(TypeError):
        serialize(value)


def test_equality_requires_the_same_type_and_values_are_not_hashable():
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != CardNumber("a")
    assert Secret("é") != "é"
    with pytest.raises(TypeError):
        {Secret("a")}


@pytest.mark.parametrize(
    ("error", "fields"),
    [
        (
            TransportError("too large"),
            {"error": "upstream_unreachable", "problem": "too_large"},
        ),
        (TransportError(), {"error": "upstream_unreachable"}),
        (ValueError(CANARY), {"error": "ValueError"}),
    ],
    ids=repr,
)
def test_error_fields_hold_no_text_of_foreign_errors(error, fields):
    assert error_fields(error) == fields


def test_scrubbed_traceback_keeps_lines_and_loses_variables():
    def fail():
        secret = CANARY
        raise ValueError(len(secret))

    @scrub_traceback
    def work():
        fail()

    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the traceback matters
        work()
    frames = {entry.name: entry.frame.f_locals for entry in caught.traceback}
    assert frames["fail"] == {}
