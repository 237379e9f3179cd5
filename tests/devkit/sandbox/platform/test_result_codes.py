"""Names of result codes against the documented list."""

import json
from importlib.resources import files

import pytest

from kycourier_devkit.sandbox.platform import result_codes

DOCUMENTED = {
    entry["name"]: entry["code"]
    for entry in json.loads(
        files(result_codes.__package__ or "").joinpath("codes.json").read_text("utf-8")
    )["codes"]
}


@pytest.mark.parametrize(
    "name",
    [
        "OK",
        "TOKEN_EXPIRED",
        "SIGN_REJECTED",
        "TOKEN_REJECTED",
        "AUTHENTICATION_FAILED",
        "BAD_VERSION",
        "BAD_ORDER_NO",
        "UNKNOWN_APP",
        "SERVICE_EXPIRED",
        "NO_SUCH_RESULT",
        "BAD_PARAMETER",
        "OCR_RESULT_NOT_FOUND",
        "PARAMETER_TOO_LONG",
    ],
)
def test_named_code_equals_documented_code(name: str) -> None:
    assert getattr(result_codes, name) == DOCUMENTED[name.lower()]


def test_unlisted_code_is_not_documented() -> None:
    assert result_codes.UNLISTED not in result_codes.meanings()
