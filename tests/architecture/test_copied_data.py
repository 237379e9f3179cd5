"""Data that stands in two places on purpose: the sandbox imports no service code."""

import json
from importlib.resources import files


def read_codes(package: str, *names: str) -> dict[str, object]:
    pages = [json.loads(files(package).joinpath(name).read_bytes()) for name in names]
    keys = ("name", "meaning", "class", "source")
    return {
        code["code"]: {key: code.get(key) for key in keys}
        for page in pages
        for code in page["codes"]
    }


def test_sandbox_and_service_have_equal_code_tables():
    ours = read_codes(
        "kycourier.core",
        "documents/codes/platform.json",
        "documents/codes/bank_card.json",
    )
    theirs = read_codes("kycourier_devkit.sandbox.platform", "codes.json")
    assert ours == theirs
