"""The API as it runs does what its published description says, and nothing else."""

import signal
import subprocess
from pathlib import Path

import pytest

from kycourier_devkit.toolbox import ROOT
from stand_ins import tool_or_skip

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow, pytest.mark.timeout(240)]
DESCRIPTION = ROOT / "layers/service/python/kycourier/schemas/openapi.json"
KEY = "a-key-of-a-test-0123456789"


@pytest.fixture
def served(tmp_path, starter):
    """Start serve, which demands signatures; it is ended with the test."""
    environ = {
        "KYCOURIER_API_AUTH": "signature",
        "KYCOURIER_API_KEYS": "env:API_KEY",
        "API_KEY": KEY,
    }
    running = starter(tmp_path, ["serve", "--port", "0"], environ)
    yield running
    running.end(signal.SIGINT)


def test_schemathesis_finds_nothing_with_every_check_on(served, tmp_path):
    url = served.wait_for(r"The orders API is at (\S+)/v1 ")
    tool = tool_or_skip("schemathesis")
    command = [tool / "python", tool / "schemathesis", "run", DESCRIPTION]
    ended = subprocess.run(
        [
            *(*command, "--url", url, "--checks", "all", "--seed", "1"),
            *("--max-examples", "15", "--continue-on-failure"),
        ],
        cwd=tmp_path,
        env={
            "API_KEY": KEY,
            "SCHEMATHESIS_HOOKS": "schemathesis_hooks",
            "PYTHONPATH": str(Path(__file__).parent),
            "PATH": "/usr/bin:/bin",
        },
        capture_output=True,
        text=True,
        timeout=220,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout[-20_000:] + ended.stderr
    for phase in ("Coverage", "Fuzzing", "Stateful"):
        assert f"✅ {phase}" in ended.stdout
    for seen in ("PUT .* 201", "PUT .* 200", "POST .* 200", "GET .* 302", ".* 401"):
        assert served.find(rf"orders_api +{seen} ")
