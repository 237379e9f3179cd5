"""Layers are locked by hash to the versions that the suite runs on."""

import json
import re

import pytest

from kycourier_devkit.repository import ROOT

LOCKS = (
    "sdk_aws/requirements.txt",
    "sdk_aws/boto3.txt",
    "sdk_tencent/requirements.txt",
    "sdk_sealing/requirements.txt",
)
LAYERS = ("sdk_aws", "sdk_tencent")
PIN = re.compile(r"(?m)^([a-z0-9-]+)==([^ ]+)(?: ;[^\\]*)? \\$")
LINE = re.compile(
    r"[a-z0-9-]+(\[[a-z0-9, -]+\])?==[^ ]+( ; [^\\]+)? \\"
    r"|    --hash=sha256:[0-9a-f]{64}( \\)?| *#.*|"
)
HASHED = re.compile(r"(?m)^[a-z0-9][^\n]*\n(?:    --hash=sha256:[0-9a-f]{64}[^\n]*\n)+")


def find(suffix):
    """Return the requirements files and locks with this suffix."""
    folders = (ROOT / "devkit", ROOT / "devkit/tools", *(ROOT / "layers").iterdir())
    return sorted(path for folder in folders for path in folder.glob(f"*{suffix}"))


ALL = find(".txt")


def pins(path):
    return PIN.findall(path.read_text())


@pytest.mark.parametrize("name", LOCKS)
def test_layer_has_the_versions_that_the_suite_runs_on(name):
    devkit = set(pins(ROOT / "devkit/requirements.txt"))
    layer = pins(ROOT / "layers" / name)
    assert layer
    assert set(layer) <= devkit


@pytest.mark.parametrize("path", ALL, ids=lambda path: str(path.relative_to(ROOT)))
def test_lock_has_hashes_and_no_address(path):
    lines = path.read_text().splitlines()
    assert all(map(LINE.fullmatch, lines)), [x for x in lines if not LINE.fullmatch(x)]
    whole = "\n".join([*lines, ""])
    pinned = [line for line in lines if line[:1].isalnum()]
    assert len(pinned) == len(HASHED.findall(whole)) > 0
    assert "://" not in whole


def test_every_requirements_file_has_a_lock():
    lists = {path.with_suffix(".txt") for path in find(".in")}
    assert lists == set(ALL)


def test_npm_lock_has_hashes_and_no_address():
    lock = json.loads((ROOT / "devkit/tools/package-lock.json").read_text())
    packages = {name: each for name, each in lock["packages"].items() if name}
    assert len(packages) > 100
    for name, each in packages.items():
        assert re.fullmatch(r"sha512-[A-Za-z0-9+/]{86}==", each["integrity"]), name
        assert "resolved" not in each, name


def requirements(layer):
    """Return the libraries in a layer's requirements file."""
    text = (ROOT / "layers" / layer / "requirements.in").read_text()
    return set(re.findall(r"(?m)^([a-z0-9-]+)", text))


@pytest.mark.parametrize("layer", LAYERS)
def test_layer_holds_the_dependencies_of_the_service(layer):
    locked = pins(ROOT / "layers" / layer / "requirements.txt")
    assert requirements(layer) <= {name for name, _ in locked}
    project = (ROOT / "pyproject.toml").read_text()
    [listed] = re.findall(r"(?s)^dependencies = \[(.*?)\]", project, re.MULTILINE)
    assert set(re.findall(r'"([a-z0-9-]+)', listed)) <= requirements(layer)


def test_layer_holds_no_sdk_of_another_cloud_and_no_boto3():
    tencent_only = requirements("sdk_tencent") - requirements("sdk_aws")
    assert tencent_only == {"tencentcloud-sdk-python-common"}
    assert "boto3" not in requirements("sdk_aws") | requirements("sdk_tencent")
