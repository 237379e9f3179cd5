"""A function stays under 256 MB whatever the platform sends (I12)."""

import base64
import json
import os
from pathlib import Path

import pytest

from support.processes.process_memory import peak_megabytes, resident_megabytes
from support.processes.service_rig import queue_batch
from support.servers.hostile_server import (
    HostileServer,
    Peer,
    http_chunks,
    http_head,
    http_response,
)

pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc for memory"),
]
MAX_MEGABYTES = 256
MAX_MEGABYTES_AFTERWARDS = 128  # malloc keeps two free blocks of 16 MB
CONCURRENT = 10
PHOTO_BYTES = 4 * 2**20 - 1024  # three of them in Base64 are just below 16 MiB
TOKEN = http_response(b'{"code":"0","access_token":"t","expire_in":"7200"}')
TICKET = http_response(b'{"code":"0","tickets":[{"value":"s","expire_in":3600}]}')
NAMES = ("originBankcardPhoto", "bankcardCropPhoto", "bankcardNoPhoto")
FRAMINGS = {
    "length": http_response,
    "chunks": lambda body: (
        http_head("Transfer-Encoding: chunked") + http_chunks(body, b"")
    ),
}


def build_large_reply() -> bytes:
    photos = {
        name: base64.b64encode(b"\xff\xd8\xff" + os.urandom(PHOTO_BYTES)).decode()
        for name in NAMES
    }
    result = {"bankCardNo": "4111111111111111", **photos}
    return json.dumps({"code": "0", "result": result}).encode()


@pytest.mark.parametrize("framing", FRAMINGS)
def test_ten_concurrent_large_replies_stay_under_256_mb(service_rig, framing):
    large = FRAMINGS[framing](build_large_reply())

    def serve(peer: Peer) -> None:
        while True:
            request = peer.read_request()
            known = {b"access_token?": TOKEN, b"api_ticket?": TICKET}
            found = [each for path, each in known.items() if path in request]
            peer.send(found[0] if found else large)

    server = HostileServer(serve)
    try:
        service_rig.environ["KYCOURIER_KYC_URL"] = server.url
        process = service_rig.start("collect_results")
        orders = [f"order{number}" for number in range(CONCURRENT)]
        response = process.invoke(queue_batch(*orders), timeout_seconds=50)
    finally:
        server.close()
    assert response == {"batchItemFailures": []}
    photos = [len(event["data"]["photos"]) for event in service_rig.events()]
    assert sum(photos) > 2 * CONCURRENT, "too few photos to prove anything"
    assert peak_megabytes(process) < MAX_MEGABYTES
    assert resident_megabytes(process) < MAX_MEGABYTES_AFTERWARDS
