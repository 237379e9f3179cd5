"""What leaves the service beside its lines and events holds no canary either.

Headers and links, files in passing, failures of handlers, a bucket's metadata.
"""

import base64
import hashlib
import json
import sqlite3
from contextlib import closing
from datetime import datetime, timezone

import pytest

from aws.edges import new_bucket, open_evidence
from houses import TIMER, batch
from kycourier_devkit.errors import FunctionFailed
from kycourier_devkit.functions.trigger_events import HttpCall, build_http_event
from kycourier_devkit.sandbox import draw_photos
from leak_scan import find_leaks

pytestmark = pytest.mark.enable_socket
AT = datetime(2026, 1, 1, tzinfo=timezone.utc)
CARD = "6225880000001234"
EVIDENCE = {".jpg", ".png"}


def http(method, path, **headers):
    call = HttpCall(method=method, path=path, headers=tuple(headers.items()))
    return build_http_event(call, at=AT)


def photo_canaries(order_no):
    """Give a piece of the original as it would stand in Base64 and in hex."""
    original = draw_photos(order_no).original
    piece = base64.b64encode(original)[1200:1240].decode()
    return {piece, original[1000:1024].hex()}


def scattered(folder):
    """Give every file that a function left, but the state and the evidence."""
    return {
        path.name: path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
        if path.suffix not in EVIDENCE and path.parent.name != "state"
    }


def test_no_file_in_passing_holds_a_canary(house, tmp_path):
    house.environ["TMPDIR"] = str(tmp_path / "passing")
    house.environ["KYCOURIER_STATE"] = f"sqlite:///{tmp_path}/state/state.db"
    (tmp_path / "passing").mkdir()
    collect = house.start("collect_results")
    assert collect.invoke(batch("plain1", "cutx1")) == {"batchItemFailures": []}
    canaries = house.sandbox.canaries() | photo_canaries("plain1")

    left = scattered(tmp_path)

    assert {"events.jsonl", "functions.log"} <= left.keys()
    assert find_leaks(canaries, {"files": b"\n".join(left.values())}) == []
    names = "\n".join(str(path) for path in tmp_path.rglob("*"))
    assert find_leaks(canaries, {"names": names}) == []


def test_no_header_and_no_link_holds_a_canary(house):
    collect, api = house.start("collect_results"), house.start("orders_api")
    collect.invoke(batch("plain1"))
    told = [
        api.invoke(http("GET", "/v1/orders/plain1", authorization=f"key {CARD}")),
        api.invoke(http("GET", f"/v1/orders/{CARD}-", prefer=CARD)),
        api.invoke(http("DELETE", f"/v1/{CARD}")),
        api.invoke(http("GET", "/v1/health")),
    ]
    photo = api.invoke(http("GET", "/v1/orders/plain1/photos/original"))

    link, mark, signature = photo["headers"]["Location"].partition("signature=")
    assert (photo["statusCode"], mark, len(signature)) == (302, "signature=", 64)
    link_key = (house.folder / "link.key").read_text()
    canaries = house.sandbox.canaries() | {CARD, house.environ["FINGERPRINT"], link_key}
    headers = json.dumps([answer["headers"] for answer in told])
    assert find_leaks(canaries, {"headers": headers, "link": link}) == []


def test_no_failure_of_a_handler_holds_a_canary(house):
    """It is what a dead-letter queue of SCF would keep."""
    failures = []
    for name, event in (
        ("collect_results", {"order_no": "plain1", "note": CARD}),
        ("collect_results", {"order_no": "plain1", CARD: 1}),
        ("sweep_orders", TIMER),
    ):
        process = house.start(name)
        process.wait_until_ready()
        with closing(sqlite3.connect(house.folder / "state.db")) as database:
            database.execute("DROP TABLE IF EXISTS orders")
        with pytest.raises(FunctionFailed) as caught:
            process.invoke(event)
        failures.append(str(caught.value))

    canaries = house.sandbox.canaries() | {CARD, house.environ["FINGERPRINT"]}
    assert find_leaks(canaries, {"failures": "\n".join(failures)}) == []
    assert find_leaks(canaries, {"logs": house.log.read_bytes()}) == []


@pytest.mark.slow
def test_no_metadata_of_a_bucket_holds_a_canary(proxy, moto):
    store = open_evidence(proxy.url, new_bucket(moto))
    content = f"a photo of {CARD}".encode()

    store.put(
        "a/b.jpg",
        content,
        sha256=hashlib.sha256(content).hexdigest(),
        media_type="image/jpeg",
    )

    [put] = proxy.named("PUT")
    assert put.body == content
    told = json.dumps({"path": put.path, **put.headers})
    assert find_leaks([CARD], {"metadata": told}) == []
