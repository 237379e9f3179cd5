"""Each listed result code has a class and a name; all others are unknown."""

import pytest

from kycourier.core.result_codes import CodeClass, load_codes

CODES = load_codes("bank_card")


@pytest.mark.parametrize(
    ("code", "class_", "name"),
    [
        ("400101", CodeClass.CREDENTIALS, "sign_rejected"),
        ("-9011", CodeClass.RECOGNITION_FAILED, "ocr_failed"),
        ("9011", CodeClass.RECOGNITION_FAILED, "ocr_failed"),
        *(
            (text, CodeClass.UNKNOWN, "unknown_code")
            for text in ("00", " 0", "", "777")
        ),
    ],
)
def test_code_has_its_class_and_name_with_or_without_a_minus_sign(code, class_, name):
    classified = CODES.classify(code)
    assert (classified.class_, classified.name) == (class_, name)


def test_only_zero_is_ok():
    ok = [each.code for each in CODES.codes.values() if each.class_ is CodeClass.OK]
    assert ok == ["0"]


def test_warning_has_its_name_or_is_unknown():
    assert CODES.warning_name("9110") == "invalid_date"
    assert CODES.warning_name("-9999") == "unknown_warning"


def test_codes_of_a_document_are_unknown_to_token_calls():
    assert load_codes().classify("-9011").class_ is CodeClass.UNKNOWN
    assert load_codes().classify("400101") == CODES.classify("400101")
