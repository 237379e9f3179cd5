"""The platform's codes, each with its class."""

import json
from importlib.resources import files

import pytest

from kycourier.core.codes import CodeClass, find, listed, warning_name

PAGE = json.loads(files("kycourier.core").joinpath("codes.json").read_text())


@pytest.mark.parametrize("entry", PAGE["codes"], ids=lambda entry: entry["code"])
def test_every_listed_code_has_its_class_and_name(entry):
    code = find(entry["code"])
    assert (code.class_.value, code.name) == (entry["class"], entry["name"])


def test_only_zero_is_ok():
    assert [code.code for code in listed() if code.class_ is CodeClass.OK] == ["0"]


@pytest.mark.parametrize("text", ["00", " 0", "0.0", "unreadable", "", "777"])
def test_a_code_that_is_not_listed_is_unknown(text):
    assert find(text).class_ is CodeClass.UNKNOWN
    assert find(text).name == "unknown_code"


def test_old_lists_print_codes_without_the_minus_sign():
    assert find("9011").class_ is CodeClass.RECOGNITION_FAILED
    assert warning_name("9110") == "invalid_date"


def test_unknown_warnings_are_named_so():
    assert warning_name("-9999") == "unknown_warning"
