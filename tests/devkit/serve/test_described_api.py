"""The running API conforms to its OpenAPI description."""

import signal
import subprocess
from pathlib import Path

import pytest

from kycourier_devkit.repository import ROOT
from support.servers.emulators import tool_or_skip

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow, pytest.mark.timeout(240)]
OPENAPI = ROOT / "layers/service/python/kycourier/schemas/openapi.json"
KEY = "a-key-of-a-test-0123456789"


@pytest.fixture
def served(tmp_path, starter):
    """Start a serve that requires signatures; stop it after the test."""
    environ = {
        "KYCOURIER_API_AUTH": "signature",
        "KYCOURIER_API_KEYS": "env:API_KEY",
        "API_KEY": KEY,
    }
    running = starter(tmp_path, ["serve", "--port", "0"], environ)
    yield running
    running.end(signal.SIGINT)


def test_schemathesis_finds_no_violation(served, tmp_path):
    url = served.wait_for(r"The orders API is at (\S+)/v1 ")
    tool = tool_or_skip("schemathesis")
    command = [tool / "python", tool / "schemathesis", "run", OPENAPI]
    result = subprocess.run(
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
    assert result.returncode == 0, result.stdout[-20_000:] + result.stderr
    for phase in ("Coverage", "Fuzzing", "Stateful"):
        assert f"✅ {phase}" in result.stdout
    for logged in ("PUT .* 201", "PUT .* 200", "POST .* 200", "GET .* 302", ".* 401"):
        assert served.find(rf"orders_api +{logged} ")
