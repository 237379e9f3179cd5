"""Data that stands twice stands alike."""

from importlib.resources import files


def test_emulator_and_service_read_the_same_page_of_codes():
    """They are copies so that neither imports the other."""
    ours = files("kycourier.core").joinpath("codes.json").read_bytes()
    theirs = files("kycourier_devkit.sandbox").joinpath("codes.json").read_bytes()
    assert ours == theirs
