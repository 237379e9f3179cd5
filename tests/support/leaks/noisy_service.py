"""Runs the whole service with all debug output on, and scans its sinks for canaries."""

import json
import re
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from kycourier_devkit.emulators.local_runtime.process import (
    FunctionProcess,
    function_file,
)
from kycourier_devkit.sandbox import draw_photos
from support.leaks.canaries import CARD
from support.leaks.leak_scan import Canary, find_leaks
from support.processes.service_rig import (
    TIMER_EVENT,
    ServiceRig,
    http_event,
    queue_batch,
)

ORDERS = [
    "late1x1", "code9011x1", "codem9011x1", "codeunknownx1", "html1", "http500x1",
    "cutx1", "resetx1", "changingx1", "othernumberx1", "badbase64x1", "floatcodex1",
    "duplicatekeysx1", "gbkx1", "warnlistx1", "notready1x1",
]  # fmt: skip
PROGRAM = """
import http.client, logging, sys
http.client.HTTPConnection.debuglevel = 1
logging.basicConfig(level=logging.DEBUG, stream=sys.stdout)
names = ["requests", "urllib3", "urllib3.connectionpool", "urllib3.util.retry"]
for package in {packages!r}:
    __import__(package)
    names += [name for name in logging.root.manager.loggerDict if package in name]
for name in names:
    logging.getLogger(name).setLevel(logging.DEBUG)
    logging.getLogger(name).disabled = False
    logging.getLogger(name).addHandler(logging.StreamHandler(sys.stdout))
sys.path.insert(0, {folder!r})
from {name} import handler
for name in list(logging.root.manager.loggerDict):
    logging.getLogger(name).setLevel(logging.DEBUG)
"""
DEBUG_ENVIRON = {
    "POWERTOOLS_DEBUG": "true",
    "POWERTOOLS_LOGGER_LOG_EVENT": "true",
    "POWERTOOLS_LOG_LEVEL": "DEBUG",
}


def start_noisy(service_rig: ServiceRig, name: str, *packages: str) -> FunctionProcess:
    """Start a function with all loggers at DEBUG and http.client's prints on.

    Its temporary files go to a folder of their own.
    """
    folder = str(function_file(name).parent)
    program = PROGRAM.format(folder=folder, name=name, packages=packages)
    temporary = service_rig.folder / "temporary"
    temporary.mkdir(exist_ok=True)
    return service_rig.start(name, program, **DEBUG_ENVIRON, TMPDIR=str(temporary))


def exercise_service(
    service_rig: ServiceRig, *packages: str
) -> list[dict[str, object]]:
    """Cause every kind of reply and bad input; returns the functions' responses."""
    responses = []
    with start_noisy(service_rig, "refresh_ticket", *packages) as refresh:
        responses.append(refresh.invoke(TIMER_EVENT))
    with start_noisy(service_rig, "collect_results", *packages) as collect:
        responses.append(collect.invoke(queue_batch("plain1")))
        responses.append(collect.invoke(queue_batch(*ORDERS, CARD * 3, f"../{CARD}")))
        responses.append(collect.invoke(queue_batch("killticketx1", "code400101x1")))
        responses += [collect.invoke({"order_no": order}) for order in ORDERS]
        responses.append(collect.invoke({"order_no": f"{CARD}/"}))
        responses.append(collect.invoke(queue_batch("plain2"), timeout_seconds=1))
    with start_noisy(service_rig, "orders_api", *packages) as api:
        for path in ("plain1", "code9011x1", "unknown", f"{CARD}-"):
            responses.append(api.invoke(http_event("GET", f"/v1/orders/{path}")))
        responses.append(
            api.invoke(http_event("PUT", "/v1/orders/new1", CARD.encode()))
        )
        responses.append(api.invoke(http_event("POST", "/v1/orders/new2/collection")))
        responses.append(
            api.invoke(http_event("GET", "/v1/orders/plain1/photos/original"))
        )
        responses.append(api.invoke(http_event("GET", "/v1/health")))
        event_id = json.loads(responses[-8]["body"])["event_id"]
        for event in (event_id, CARD):
            path = f"/v1/orders/plain1/events/{event}/deliveries"
            responses.append(api.invoke(http_event("POST", path)))
    with start_noisy(service_rig, "sweep_orders", *packages) as sweep:
        responses.append(sweep.invoke(TIMER_EVENT))
    assert responses[1] == {"batchItemFailures": []}
    statuses = [each["statusCode"] for each in responses if "headers" in each]
    collected = statuses.pop(5)  # 202 if the faults opened the circuit breaker
    assert statuses == [200, 200, 404, 400, 400, 302, 200, 200, 404]
    assert collected in {200, 202}
    return responses


def canaries_of(service_rig: ServiceRig) -> set[Canary]:
    """Return all canaries of the service and its sandbox."""
    photos = draw_photos("plain1")
    bits = [photo[1000:1024] for photo in (photos.original, photos.cropped)]
    secrets = {service_rig.environ["FINGERPRINT"], service_rig.environ["SECRET"]}
    canaries = {*service_rig.sandbox.canaries(), CARD, *secrets, *bits}
    assert len(canaries) > len(ORDERS)
    return canaries


def assert_no_leaks(
    service_rig: ServiceRig,
    responses: list[dict[str, object]],
    sinks: Mapping[str, bytes | str],
) -> None:
    """Assert that no sink has a canary, and that only the API response has the link."""
    log = service_rig.log.read_bytes()
    assert b'"_aws"' in log  # metrics
    assert b"order_settled" in log
    sinks = {**sinks, "responses": json.dumps(responses), "log": log}
    assert all(sinks.values())
    assert find_leaks(canaries_of(service_rig), sinks) == []
    link = re.search(r'[&?](?:signature|X-Amz-Signature)=([^&"]+)', sinks["responses"])
    others = {name: sink for name, sink in sinks.items() if name != "responses"}
    assert link is not None
    assert find_leaks([link[1]], others) == []
    assert not re.search(rb"[?&](sign|secret|access_token)=", log)
    assert list((service_rig.folder / "temporary").iterdir()) == []


def dump_sqlite(path: Path, *, but: tuple[str, ...] = ()) -> str:
    """Return every value of every table of a SQLite file as text."""
    with closing(sqlite3.connect(path)) as database:
        tables = database.execute("SELECT name FROM sqlite_master WHERE type='table'")
        rows = [
            row
            for (table,) in tables.fetchall()
            if table not in but
            for row in database.execute(f'SELECT * FROM "{table}"')  # noqa: S608 - our own names
        ]
    values = [value for row in rows for value in row]
    return "\n".join(
        value.decode() if isinstance(value, bytes) else str(value) for value in values
    )
