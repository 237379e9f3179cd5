"""The list of codes, and the names the sandbox has for some of them."""

import json
from importlib.resources import files

import pytest

from kycourier_devkit.sandbox import codes

LISTED = {
    entry["name"]: entry["code"]
    for entry in json.loads(
        files(codes.__package__ or "").joinpath("codes.json").read_text("utf-8")
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
def test_named_code_is_the_listed_one(name: str) -> None:
    assert getattr(codes, name) == LISTED[name.lower()]


def test_unlisted_code_is_in_no_list() -> None:
    assert codes.UNLISTED not in codes.meanings()
