"""What is particular to one document is named in its own module only."""

import json
from importlib.resources import files
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "layers/service/python/kycourier"
ROOMS = ("core", "usecases", "adapters", "triggers")
# The document's module and data, and the registry that lists the documents.
ALLOWED = {
    "core/documents/bank_card.py",
    "core/documents/bank_card_issuers.json",
    "core/documents/bank_card_issuers.py",
    "core/documents/bank_card_numbers.py",
    "core/documents/codes/bank_card.json",
    "core/documents/registry.py",
}


def test_only_its_own_module_its_data_and_the_registry_name_the_card():
    named = {
        str(path.relative_to(PACKAGE))
        for room in ROOMS
        for path in (PACKAGE / room).rglob("*")
        if path.suffix in {".py", ".json"}
        if "card" in path.read_text().lower().replace("discard", "")
    }
    named -= {path for path in named if path == "core/documents/codes/platform.json"}
    assert named == ALLOWED


def read_codes(package: str, *names: str) -> dict[str, object]:
    pages = [json.loads(files(package).joinpath(name).read_bytes()) for name in names]
    keys = ("name", "meaning", "class", "source")
    return {
        code["code"]: {key: code.get(key) for key in keys}
        for page in pages
        for code in page["codes"]
    }


def test_sandbox_and_service_have_equal_code_tables():
    """The codes are in two places because the sandbox imports no service code."""
    ours = read_codes(
        "kycourier.core",
        "documents/codes/platform.json",
        "documents/codes/bank_card.json",
    )
    theirs = read_codes(
        "kycourier_devkit.sandbox.platform",
        "codes/platform.json",
        "codes/bank_card.json",
    )
    assert ours == theirs
