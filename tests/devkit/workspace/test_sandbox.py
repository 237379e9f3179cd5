"""The sandbox command as a process."""

import signal
from urllib.request import urlopen

import pytest

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]


def test_sandbox_prints_its_url_and_stops_on_ctrl_c(start):
    running = start("sandbox", "--port", "0")
    url = running.wait_for(r"The KYC sandbox is at (\S+) for app SANDBOX1")
    with urlopen(f"{url}/control/report", timeout=5) as response:  # noqa: S310 - loopback
        assert response.status == 200
    result = running.end(signal.SIGINT)
    assert (result.code, result.err) == (130, "kycourier: stopped\n")
