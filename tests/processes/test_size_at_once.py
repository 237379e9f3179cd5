"""Ten of the largest replies at once, of real photos, leave a function small."""

import base64
import json
import os
from pathlib import Path

import pytest

from hostile import HostileServer, Peer, chunks, head, reply
from houses import batch
from process_size import peak_megabytes, resident_megabytes

pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc for memory"),
]
MOST_MEGABYTES = 256
AFTER_MEGABYTES = 128  # glibc keeps twice 16 MB for the next (adapters/memory.py)
AT_ONCE = 10
PHOTO_BYTES = 4 * 2**20 - 1024  # three of them in Base64 are 16 MiB, less a little
TOKEN = reply(b'{"code":"0","access_token":"t","expire_in":"7200"}')
TICKET = reply(b'{"code":"0","tickets":[{"value":"s","expire_in":3600}]}')
NAMES = ("originBankcardPhoto", "bankcardCropPhoto", "bankcardNoPhoto")
FRAMINGS = {
    "length": reply,
    "chunks": lambda body: head("Transfer-Encoding: chunked") + chunks(body, b""),
}


def spell_large_reply() -> bytes:
    photos = {
        name: base64.b64encode(b"\xff\xd8\xff" + os.urandom(PHOTO_BYTES)).decode()
        for name in NAMES
    }
    result = {"bankCardNo": "4111111111111111", **photos}
    return json.dumps({"code": "0", "result": result}).encode()


@pytest.mark.parametrize("framing", FRAMINGS)
def test_ten_of_the_largest_replies_at_once_stay_under_256_mb(house, framing):
    large = FRAMINGS[framing](spell_large_reply())

    def play(peer: Peer) -> None:
        while True:
            asked = peer.hear()
            known = {b"access_token?": TOKEN, b"api_ticket?": TICKET}
            found = [each for path, each in known.items() if path in asked]
            peer.send(found[0] if found else large)

    server = HostileServer(play)
    try:
        house.environ["KYCOURIER_KYC_URL"] = server.url
        process = house.start("collect_results")
        orders = [f"order{number}" for number in range(AT_ONCE)]
        answer = process.invoke(batch(*orders), timeout_seconds=50)
    finally:
        server.close()
    assert answer == {"batchItemFailures": []}
    photos = [len(event["data"]["photos"]) for event in house.events()]
    assert sum(photos) > 2 * AT_ONCE, "too few came to prove anything"
    assert peak_megabytes(process) < MOST_MEGABYTES
    assert resident_megabytes(process) < AFTER_MEGABYTES
