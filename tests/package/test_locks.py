"""What is deployed is what the suite ran on: the locks of layers and devkit agree."""

import re

import pytest

from kycourier_devkit.toolbox import ROOT

LOCKS = ("requirements.txt", "boto3.txt")
PIN = re.compile(r"(?m)^([a-z0-9-]+)==([^ ]+)(?: ;[^\\]*)? \\$")


def pins(path):
    return PIN.findall(path.read_text())


@pytest.mark.parametrize("name", LOCKS)
def test_a_layer_has_the_versions_that_the_suite_runs_on(name):
    devkit = set(pins(ROOT / "devkit/requirements.txt"))
    layer = pins(ROOT / "layers/sdk_aws" / name)
    assert layer
    assert set(layer) <= devkit


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_hashes_alone_and_no_address(name):
    text = (ROOT / "layers/sdk_aws" / name).read_text()
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    for line in lines:
        assert re.fullmatch(
            r"[a-z0-9-]+==[^ ]+ \\| +--hash=sha256:[0-9a-f]{64}( \\)?", line
        )
    assert "://" not in text


def test_the_layer_holds_what_the_service_needs_and_boto3_apart():
    wanted = (ROOT / "layers/sdk_aws/requirements.in").read_text()
    named = set(re.findall(r"(?m)^([a-z0-9-]+)", wanted))
    assert named <= {name for name, _ in pins(ROOT / "layers/sdk_aws/requirements.txt")}
    project = (ROOT / "pyproject.toml").read_text()
    [listed] = re.findall(r"(?s)^dependencies = \[(.*?)\]", project, re.MULTILINE)
    assert set(re.findall(r'"([a-z0-9-]+)', listed)) <= named
    assert "boto3" not in named
