"""What is particular to one document is named in its own modules only."""

import json
import re
from importlib.resources import files
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "layers/service/python/kycourier"
ROOMS = ("core", "usecases", "adapters", "triggers")
DOCUMENTS = "core/documents/"
WORDS = {
    "bank_card": re.compile(r"bank[ _]?card", re.IGNORECASE),
    "id_card": re.compile(r"\bid[ _]?card", re.IGNORECASE),
    "face": re.compile(r"(?<![a-z])face", re.IGNORECASE),
}
# Besides its own modules and data: the list of documents; one duration of a face's.
ALLOWED = {
    "bank_card": {"core/documents/registry.py", "core/documents/recognition.py"},
    "id_card": {"core/documents/registry.py"},
    "face": {"core/documents/registry.py", "core/timing.py"},
}


@pytest.mark.parametrize("document", WORDS)
def test_only_its_own_modules_its_data_and_the_registry_name_a_document(document):
    named = {
        path
        for path, text in read_sources()
        if WORDS[document].search(text)
        if not re.match(rf"{DOCUMENTS}(codes/)?{document}[._]", path)
    }
    assert named == ALLOWED[document]


def read_sources():
    """Yield path and text of every source; the codes' notes compare documents."""
    for room in ROOMS:
        for path in (PACKAGE / room).rglob("*"):
            name = str(path.relative_to(PACKAGE))
            if path.suffix == ".json" and name.startswith(DOCUMENTS + "codes/"):
                pages = json.loads(path.read_bytes())["codes"]
                yield name, " ".join(each["name"] for each in pages)
            elif path.suffix in {".py", ".json"}:
                yield name, path.read_text("utf-8")


def read_codes(package: str, *names: str) -> dict[str, object]:
    pages = [json.loads(files(package).joinpath(name).read_bytes()) for name in names]
    keys = ("name", "meaning", "class", "source")
    return {
        code["code"]: {key: code.get(key) for key in keys}
        for page in pages
        for code in page["codes"]
    }


@pytest.mark.parametrize("document", WORDS)
def test_sandbox_and_service_have_equal_code_tables(document):
    """The codes are in two places because the sandbox imports no service code."""
    pages = ("platform.json", f"{document}.json")
    ours = read_codes("kycourier.core", *(f"documents/codes/{each}" for each in pages))
    theirs = read_codes(
        "kycourier_devkit.sandbox.platform", *(f"codes/{each}" for each in pages)
    )
    assert ours == theirs
