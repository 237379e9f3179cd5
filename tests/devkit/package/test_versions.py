"""All built distributions have the version of `kycourier.__version__`."""

import pytest
from hatchling.builders.wheel import WheelBuilder

from kycourier import __version__
from kycourier_devkit.repository import ROOT


@pytest.mark.parametrize(
    ("folder", "name"), [("", "kycourier"), ("devkit", "kycourier-devkit")]
)
def test_distribution_has_the_version_of_the_package(folder, name):
    metadata = WheelBuilder(str(ROOT / folder)).metadata

    assert metadata.core.name == name
    assert metadata.version == __version__
