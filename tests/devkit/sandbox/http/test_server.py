"""The HTTP server: connections, shutdown and malformed requests."""

import socket
import struct
import threading
import time
from contextlib import suppress
from urllib.parse import urlencode, urlsplit

import pytest

from devkit.sandbox.kyc_client import TOKEN_PATH, KycClient, token_parameters
from kycourier_devkit.sandbox import Sandbox

pytestmark = pytest.mark.enable_socket


def connect(sandbox: Sandbox) -> socket.socket:
    address = urlsplit(sandbox.url)
    return socket.create_connection(
        (str(address.hostname), int(address.port or 0)), timeout=10
    )


def received(connection: socket.socket) -> bytes:
    chunks = []
    while chunk := connection.recv(65536):
        chunks.append(chunk)
    return b"".join(chunks)


def test_connection_is_reused_for_several_calls(sandbox: Sandbox) -> None:
    connection = KycClient(sandbox).connect()
    for _ in range(3):
        connection.request("GET", f"{TOKEN_PATH}?{urlencode(token_parameters())}")
        with connection.getresponse() as reply:
            reply.read()
    connection.close()

    assert sandbox.report().connections_opened == 1


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"nonsense\r\n\r\n", b"400"),
        (b"BREW / HTTP/1.1\r\n\r\n", b"501"),
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n", b"414"),
        (b"POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n", b"413"),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"413"),
    ],
)
def test_malformed_request_gets_status_and_closes_connection(
    sandbox: Sandbox, request_bytes: bytes, status: bytes
) -> None:
    with connect(sandbox) as connection:
        connection.sendall(request_bytes)
        reply = received(connection)

    assert reply.split(b" ")[1] == status
    assert b"Connection: close" in reply
    assert b"nonsense" not in reply


def test_early_disconnect_prints_nothing(
    sandbox: Sandbox, capfd: pytest.CaptureFixture[str]
) -> None:
    for sent in (b"", b"GET / HT", b"GET /api HTTP/1.1\r\nHost"):
        connection = connect(sandbox)
        connection.sendall(sent)
        linger = struct.pack("ii", 1, 0)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        connection.close()
    sandbox.close()

    assert capfd.readouterr() == ("", "")


def test_close_disconnects_idle_and_waiting_clients_at_once() -> None:
    sandbox = Sandbox(token_latency_seconds=600).start()
    parameters = urlencode(token_parameters())
    with connect(sandbox) as idle, connect(sandbox) as waiting:
        waiting.sendall(f"GET {TOKEN_PATH}?{parameters} HTTP/1.1\r\n\r\n".encode())
        while not sandbox.report().token_calls:
            time.sleep(0.001)
        begun = time.monotonic()
        sandbox.close()

        assert time.monotonic() - begun < 1
        assert idle.recv(1) == b""


def test_sandbox_is_started_once_closed_and_restarted() -> None:
    sandbox = Sandbox().start()
    assert sandbox.start().url.startswith("http://127.0.0.1:")
    port = int(urlsplit(sandbox.url).port or 0)
    with pytest.raises(OSError, match="in use"):
        Sandbox(port).start()
    client = KycClient(sandbox)
    ticket = client.refresh()
    sandbox.close()
    sandbox.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=10)
    with pytest.raises(RuntimeError, match="not started"):
        _ = sandbox.url

    with sandbox:
        assert client.query("order1", ticket=ticket).code == "0"


def test_run_forever_ends_on_close() -> None:
    sandbox = Sandbox()
    runner = threading.Thread(target=sandbox.run_forever)
    runner.start()
    ends_at = time.monotonic() + 5
    while time.monotonic() < ends_at:
        with suppress(RuntimeError, OSError):
            KycClient(sandbox).get("/control/report")
            break
    sandbox.close()
    runner.join(timeout=5)

    assert not runner.is_alive()
