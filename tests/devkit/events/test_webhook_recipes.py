"""A backend written from docs/how-to/receive-webhooks.md gets every event.

It receives, verifies and unseals; it misses three deliveries, and gets them by resend.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress

import pytest

from kycourier_devkit.errors import ToolUnavailableError
from kycourier_devkit.repository import ROOT
from kycourier_devkit.sandbox import Sandbox
from kycourier_devkit.tool_envs import node_tool

pytestmark = [
    *(pytest.mark.enable_socket, pytest.mark.slow, pytest.mark.timeout(900)),
    pytest.mark.leaks_on_purpose,  # the recipes print the number
]
PAGE = (ROOT / "docs/how-to/receive-webhooks.md").read_text()
RECIPES = dict(re.findall(r"(?ms)^```(python|javascript)\n(.*?)^```", PAGE))
SECRET = "whsec_" + "c3ludGhldGljIHNlY3JldCBvZiB0aGUgdGVzdHM="
COLLECTED = "kycourier.bank_card.collected.v1"
ORDERS = [f"hook{number}" for number in range(5)]


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def wait_for_port(port):
    while True:
        with suppress(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port)).close()
            return
        time.sleep(0.05)


class Backend:
    """The receiver of a recipe, started and ended at will."""

    def __init__(self, language, folder):
        self.port, self.lines = free_port(), []
        name = {"python": "backend.py", "javascript": "backend.mjs"}[language]
        (folder / name).write_text(RECIPES[language])
        program = sys.executable if language == "python" else shutil.which("node")
        self._command = [program, name]
        self._folder = folder
        if language == "javascript":
            try:
                (folder / "node_modules").symlink_to(node_tool("osls").parents[1])
            except ToolUnavailableError as missing:
                pytest.skip(str(missing))

    @contextmanager
    def running(self):
        process = subprocess.Popen(
            self._command,
            cwd=self._folder,
            env={
                "PATH": os.defpath,
                "PORT": str(self.port),
                "WEBHOOK_SECRET": SECRET,
                "PRIVATE_KEY": "recipient.private.jwk",
            },
            stdout=subprocess.PIPE,
            text=True,
        )
        reader = threading.Thread(target=self._read, args=(process.stdout,))
        reader.start()
        try:
            wait_for_port(self.port)
            yield
        finally:
            process.terminate()
            process.wait()
            reader.join()
            process.stdout.close()

    def _read(self, stream):
        for line in stream:
            self.lines.append(line.split())


@pytest.mark.parametrize("language", RECIPES)
def test_backend_of_the_page_gets_what_it_missed(kycourier, tmp_path, language):
    backend = Backend(language, tmp_path)
    public = kycourier("keys", "new").out
    with Sandbox() as sandbox:
        environ = {
            "KYCOURIER_KYC_URL": sandbox.url,
            "KYCOURIER_EVENTS": f"http://127.0.0.1:{backend.port}/hook?token=t",
            "KYCOURIER_WEBHOOK_SECRET": "env:HOOK_SECRET",
            "HOOK_SECRET": f"{SECRET}\nwhsec_{'A' * 40}",
            "KYCOURIER_RECIPIENT_KEY": "env:RECIPIENT",
            "RECIPIENT": public,
        }

        def deliveries():
            shown = [kycourier("show", each, "--json", **environ) for each in ORDERS]
            found = [json.loads(each.out)["delivery"] for each in shown]
            return [(each["state"], each["problem"]) for each in found]

        with backend.running():
            assert kycourier("collect", *ORDERS[:2], **environ).code == 0
        assert kycourier("collect", *ORDERS[2:], **environ).code == 0
        missed = ("pending", "connect_failed")
        assert deliveries() == [("delivered", None)] * 2 + [missed] * 3
        with backend.running():
            resent = kycourier("resend", *ORDERS, "--yes", **environ)
        assert resent.code == 0, resent.err

    assert deliveries() == [("delivered", None)] * 5
    numbers = {order: number for _, order, number in backend.lines}
    assert sorted(numbers) == ORDERS
    assert {kind for kind, *_ in backend.lines} == {COLLECTED}
    assert all(re.fullmatch("[0-9]{16,19}", number) for number in numbers.values())
    assert len(backend.lines) == len(ORDERS) + 2  # a new process forgot the first two
