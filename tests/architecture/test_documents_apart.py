"""What is particular to one document is named in its own module only."""

from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "layers/service/python/kycourier"
ROOMS = ("core", "usecases", "adapters", "triggers")
# The document's module and data, and the registry that lists the documents.
ALLOWED = {
    "core/documents/bank_card.py",
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
