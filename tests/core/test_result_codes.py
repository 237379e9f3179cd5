"""Each listed result code has a class and a name; all others are unknown."""

import json
from importlib.resources import files

import pytest

from kycourier.core.result_codes import CodeClass, load_codes

DATA = files("kycourier.core").joinpath("documents/codes")
PLATFORM, CARD = (
    json.loads(DATA.joinpath(f"{name}.json").read_text())
    for name in ("platform", "bank_card")
)
CODES = load_codes("bank_card")


@pytest.mark.parametrize(
    "entry", [*PLATFORM["codes"], *CARD["codes"]], ids=lambda entry: entry["code"]
)
def test_listed_code_has_its_class_and_name(entry):
    code = CODES.classify(entry["code"])
    assert (code.class_.value, code.name) == (entry["class"], entry["name"])


def test_only_zero_is_ok():
    assert [
        each.code for each in CODES.codes.values() if each.class_ is CodeClass.OK
    ] == ["0"]


@pytest.mark.parametrize("text", ["00", " 0", "0.0", "unreadable", "", "777"])
def test_unlisted_code_is_unknown(text):
    assert CODES.classify(text).class_ is CodeClass.UNKNOWN
    assert CODES.classify(text).name == "unknown_code"


def test_negative_codes_match_without_their_minus_sign():
    assert CODES.classify("9011").class_ is CodeClass.RECOGNITION_FAILED
    assert CODES.warning_name("9110") == "invalid_date"


def test_unlisted_warning_is_unknown_warning():
    assert CODES.warning_name("-9999") == "unknown_warning"


def test_codes_of_a_document_are_unknown_to_token_calls():
    assert load_codes().classify("-9011").class_ is CodeClass.UNKNOWN
    assert load_codes().classify("400101") == CODES.classify("400101")
