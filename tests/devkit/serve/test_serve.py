"""The serve command with the real functions."""

import hashlib
import json
import re
import signal
import subprocess
import sys
import time

import pytest
import requests

from kycourier.adapters.http.mute_loggers import mute_loggers
from kycourier.adapters.http.sessions import NOISY_LOGGERS
from kycourier_devkit.sandbox import Sandbox

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]
FUNCTION_COUNT = 4


class ServeRig:
    """A running serve and its address."""

    def __init__(self, running, root):
        mute_loggers(NOISY_LOGGERS)  # urllib3 would log the signed links
        self.running, self.root = running, root
        self.url = running.wait_for(r"The orders API is at (\S+)/v1 ")
        self.sandbox = running.find(r"The KYC sandbox is at (\S+) ")

    def call(self, method, path, **options):
        options.setdefault("allow_redirects", False)
        return requests.request(method, self.url + path, timeout=10, **options)

    def wait_until_final(self, order_no):
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            order = self.call("GET", f"/v1/orders/{order_no}").json()
            if order["state"] not in {"registered", "collecting", "waiting"}:
                return order
            time.sleep(0.05)
        raise AssertionError(order)

    def report(self):
        return requests.get(f"{self.sandbox}/control/report", timeout=5).json()


@pytest.fixture(scope="module")
def served(tmp_path_factory, starter):
    folder = tmp_path_factory.mktemp("served")
    environ = {"KYCOURIER_FIRST_SWEEP_SECONDS": "1"}
    arguments = ["serve", "--port", "0", "--sweep-seconds", "0.5"]
    running = starter(folder, arguments, environ)
    yield ServeRig(running, folder / ".kycourier")
    assert running.end(signal.SIGINT).code == 130


def test_order_is_registered_collected_and_read_over_http(served):
    registered = served.call("PUT", "/v1/orders/WEB1")
    assert (registered.status_code, registered.json()["state"]) == (201, "registered")
    collected = served.call("POST", "/v1/orders/WEB1/collection")
    assert (collected.status_code, collected.json()["state"]) == (200, "collected")
    read = served.call("GET", "/v1/orders/WEB1")
    assert read.json() == collected.json()
    assert served.call("GET", "/v1/orders/WEB2").status_code == 404


def test_photo_link_returns_photo_and_rejects_changed_signature(served):
    order = served.call("POST", "/v1/orders/PHOTO1/collection").json()
    response = served.call("GET", "/v1/orders/PHOTO1/photos/original")
    assert response.status_code == 302
    link = response.headers["Location"]
    photo = served.call("GET", link)
    assert photo.status_code == 200
    assert photo.headers["Content-Type"] == "image/jpeg"
    digest = hashlib.sha256(photo.content).hexdigest()
    assert digest in {each["sha256"] for each in order["result"]["photos"]}
    changed = link[:-1] + ("0" if link[-1] != "0" else "1")
    assert served.call("GET", changed).status_code == 403


def test_asynchronous_order_is_collected_from_queue(served):
    response = served.call(
        "POST", "/v1/orders/QUEUE1/collection", headers={"Prefer": "respond-async"}
    )
    assert response.status_code == 202
    assert served.wait_until_final("QUEUE1")["state"] == "collected"


def test_registered_order_is_collected_by_sweep(served):
    assert served.call("PUT", "/v1/orders/SWEPT1").status_code == 201
    assert served.wait_until_final("SWEPT1")["state"] == "collected"
    order = served.running.wait_for(r"[0-9:]{8}  SWEPT1 +collected .*\n")
    assert re.search(r"  \d{6}\*+\d{4}  3 photos  event \w{8}\n$", order)
    assert served.report()["token_calls"] == 1  # the timer and the requests share it


def test_slow_collection_does_not_block_other_requests_and_each_prints_one_line(served):
    served.call("PUT", "/v1/orders/slow3x1")
    with pytest.raises(requests.exceptions.ReadTimeout):
        requests.post(f"{served.url}/v1/orders/slow3x1/collection", timeout=0.2)
    started = time.monotonic()
    assert served.call("GET", "/v1/health?secret=1").status_code == 200
    assert time.monotonic() - started < 2.5
    served.running.wait_for(r"[0-9:]{8}  orders_api +GET /v1/health 200 [0-9]+ ms\n")
    assert "secret" not in "".join(served.running.out)


def test_function_logs_are_in_a_private_file(served):
    served.call("POST", "/v1/orders/LOG1/collection")
    log = served.root / "functions.log"
    assert log.stat().st_mode & 0o777 == 0o600
    entries = [json.loads(line) for line in log.read_text().splitlines()]
    assert {"ticket_refreshed", "order_settled"} <= {
        entry.get("message") for entry in entries
    }


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
)
def test_signal_stops_all_processes_within_two_seconds(start, tmp_path, number, code):
    running = start("serve", "--port", "0")
    served = ServeRig(running, tmp_path)
    with pytest.raises(requests.exceptions.ReadTimeout):
        requests.post(f"{served.url}/v1/orders/slow5x1/collection", timeout=0.2)
    children = running.children()
    assert len(children) >= FUNCTION_COUNT
    started = time.monotonic()
    result = running.end(number)
    assert time.monotonic() - started < 2
    assert result.code == code
    assert result.err.count("\n") <= 1
    assert "Traceback" not in result.err
    assert not [pid for pid in children if running.is_alive(pid)]


def test_serve_stops_if_standard_output_is_closed(tmp_path):
    command = [sys.executable, "-m", "kycourier_devkit", "serve", "--port", "0"]
    with subprocess.Popen(
        [*command, "--sweep-seconds", "0.5"],
        cwd=tmp_path,
        env={},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert "sandbox" in running.stdout.readline()
        running.stdout.close()
        assert running.wait(10) == 1
        assert running.stderr.read() == ""


def test_failing_order_and_stopped_app_are_printed_with_cause(start, tmp_path):
    running = start("serve", "--port", "0")
    served = ServeRig(running, tmp_path)
    served.call("POST", "/v1/orders/http503x/collection")
    running.wait_for(r"http503x +waiting +http_status 503  next [0-9:]{8}\n")
    served.call("POST", "/v1/orders/appexpiredx1/collection")
    running.wait_for(r"APP STOPPED +app_stopped 66660002: .*`kycourier resume`\n")


def test_ticket_pair_and_breaker_of_earlier_sandbox_are_not_used(
    kycourier, start, tmp_path
):
    with Sandbox() as earlier:
        collected = kycourier("collect", "appexpiredx1", KYCOURIER_KYC_URL=earlier.url)
    assert "app_stopped" in collected.out + collected.err
    running = start("serve", "--port", "0")
    served = ServeRig(running, tmp_path)
    response = served.call("POST", "/v1/orders/A1/collection").json()
    assert response["state"] == "collected"
    assert served.report()["sign_rejections"] == 0
    second = kycourier("serve", "--port", "0")
    assert second.code == 2
    assert "another serve or demo uses .kycourier here" in second.err


@pytest.mark.parametrize("command", ["serve", "sandbox"])
def test_taken_port_prints_one_line(kycourier, served, command):
    port = served.url.rpartition(":")[2]
    result = kycourier(command, "--port", port)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(f"kycourier: port {port} cannot be used")


@pytest.mark.parametrize(
    ("arguments", "environ", "missing"),
    [
        ([], {"KYCOURIER_API_AUTH": "signature"}, "KYCOURIER_API_KEYS"),
        (["--kyc-url", "https://kyc1.qcloud.com"], {}, "KYCOURIER_APP_ID"),
    ],
    ids=["of a function", "another host gets no sandbox secret"],
)
def test_missing_setting_stops_serve(kycourier, arguments, environ, missing):
    result = kycourier("serve", "--port", "0", *arguments, **environ)
    assert (result.code, result.err) == (2, f"kycourier: {missing}: is not set\n")
