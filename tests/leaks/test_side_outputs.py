"""No canary is in headers, links, files, handler errors and object metadata."""

import base64
import hashlib
import json
import sqlite3
from contextlib import closing

import pytest

from kycourier_devkit.errors import FunctionFailedError
from kycourier_devkit.sandbox import draw_photos
from support.aws.services import new_bucket, open_evidence
from support.leaks.leak_scan import find_leaks
from support.processes.service_rig import TIMER_EVENT, http_event, queue_batch

pytestmark = pytest.mark.enable_socket
CARD = "6225880000001234"
EVIDENCE = {".jpg", ".png"}


def photo_canaries(order_no):
    """Return a part of the original photo in Base64 and in hexadecimal."""
    original = draw_photos(order_no).original
    part = base64.b64encode(original)[1200:1240].decode()
    return {part, original[1000:1024].hex()}


def other_files(folder):
    """Return every file that a function wrote, except state and evidence."""
    return {
        path.name: path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
        if path.suffix not in EVIDENCE and path.parent.name != "state"
    }


def test_no_temporary_file_holds_a_canary(service_rig, tmp_path):
    service_rig.environ["TMPDIR"] = str(tmp_path / "temporary")
    service_rig.environ["KYCOURIER_STATE"] = f"sqlite:///{tmp_path}/state/state.db"
    (tmp_path / "temporary").mkdir()
    collect = service_rig.start("collect_results")
    assert collect.invoke(queue_batch("plain1", "cutx1")) == {"batchItemFailures": []}
    canaries = service_rig.sandbox.canaries() | photo_canaries("plain1")

    files = other_files(tmp_path)

    assert {"events.jsonl", "functions.log"} <= files.keys()
    assert find_leaks(canaries, {"files": b"\n".join(files.values())}) == []
    names = "\n".join(str(path) for path in tmp_path.rglob("*"))
    assert find_leaks(canaries, {"names": names}) == []


def test_no_header_and_no_link_holds_a_canary(service_rig):
    collect, api = service_rig.start("collect_results"), service_rig.start("orders_api")
    collect.invoke(queue_batch("plain1"))
    responses = [
        api.invoke(http_event("GET", "/v1/orders/plain1", authorization=f"key {CARD}")),
        api.invoke(http_event("GET", f"/v1/orders/{CARD}-", prefer=CARD)),
        api.invoke(http_event("DELETE", f"/v1/{CARD}")),
        api.invoke(http_event("GET", "/v1/health")),
    ]
    photo = api.invoke(http_event("GET", "/v1/orders/plain1/photos/original"))

    link, mark, signature = photo["headers"]["Location"].partition("signature=")
    assert (photo["statusCode"], mark, len(signature)) == (302, "signature=", 64)
    link_key = (service_rig.folder / "link.key").read_text()
    canaries = service_rig.sandbox.canaries() | {
        CARD,
        service_rig.environ["FINGERPRINT"],
        link_key,
    }
    headers = json.dumps([response["headers"] for response in responses])
    assert find_leaks(canaries, {"headers": headers, "link": link}) == []


def test_no_error_of_a_handler_holds_a_canary(service_rig):
    """SCF writes the error of a handler to its dead-letter queue."""
    failures = []
    for name, event in (
        ("collect_results", {"order_no": "plain1", "note": CARD}),
        ("collect_results", {"order_no": "plain1", CARD: 1}),
        ("sweep_orders", TIMER_EVENT),
    ):
        process = service_rig.start(name)
        process.wait_until_ready()
        with closing(sqlite3.connect(service_rig.folder / "state.db")) as database:
            database.execute("DROP TABLE IF EXISTS orders")
        with pytest.raises(FunctionFailedError) as caught:
            process.invoke(event)
        failures.append(str(caught.value))

    canaries = service_rig.sandbox.canaries() | {
        CARD,
        service_rig.environ["FINGERPRINT"],
    }
    assert set(failures) == {
        "collect_results failed: store_unavailable",
        "sweep_orders failed: store_unavailable",
    }
    assert find_leaks(canaries, {"failures": "\n".join(failures)}) == []
    assert find_leaks(canaries, {"logs": service_rig.log.read_bytes()}) == []


@pytest.mark.slow
def test_no_object_metadata_holds_a_canary(proxy, moto):
    store = open_evidence(proxy.url, new_bucket(moto))
    content = f"a photo of {CARD}".encode()

    store.put(
        "a/b.jpg",
        content,
        sha256=hashlib.sha256(content).hexdigest(),
        media_type="image/jpeg",
    )

    [put] = proxy.calls_to("PUT")
    assert put.body == content
    metadata = json.dumps({"path": put.path, **put.headers})
    assert find_leaks([CARD], {"metadata": metadata}) == []
