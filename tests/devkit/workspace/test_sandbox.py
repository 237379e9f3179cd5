"""The sandbox command: a process of its own, and its reset."""

import signal
from urllib.request import urlopen

import pytest

from kycourier_devkit.sandbox import Sandbox

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]


def test_sandbox_prints_its_url_and_stops_on_ctrl_c(start):
    running = start("sandbox", "--port", "0")
    url = running.wait_for(r"The KYC sandbox is at (\S+) for app SANDBOX1")
    with urlopen(f"{url}/control/report", timeout=5) as response:  # noqa: S310 - loopback
        assert response.status == 200
    result = running.end(signal.SIGINT)
    assert (result.code, result.err) == (130, "kycourier: stopped\n")


def test_reset_closes_the_breaker_of_an_app_that_the_sandbox_stopped(kycourier):
    with Sandbox() as sandbox:

        def call(*arguments):
            return kycourier(*arguments, KYCOURIER_KYC_URL=sandbox.url)

        port = sandbox.url.rpartition(":")[2]
        call("collect", "appexpiredx1")
        assert "app_stopped" in call("collect", "A1").out
        sandbox.set_fault("query", "html", times=9)

        result = call("sandbox", "reset", "--port", port)

        assert (result.code, result.err) == (0, "")
        assert call("collect", "A1").out.endswith("1 order: 1 collected.\n")


def test_reset_without_a_sandbox_fails(kycourier):
    result = kycourier("sandbox", "reset", "--port", "9")
    assert (result.code, result.out) == (1, "")
    assert result.err == "No sandbox listens on 127.0.0.1:9.\n"
