"""A play of the whole service with everything turned up that can be, and its sinks."""

import json
import re
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from canaries import CARD
from houses import AT, TIMER, House, batch
from kycourier_devkit.functions.process import FunctionProcess, function_file
from kycourier_devkit.functions.trigger_events import HttpCall, build_http_event
from kycourier_devkit.sandbox import draw_photos
from leak_scan import Canary, find_leaks

ORDERS = [
    "late1x1", "code9011x1", "codem9011x1", "codeunknownx1", "html1", "http500x1",
    "cutx1", "resetx1", "changingx1", "othernumberx1", "badbase64x1", "floatcodex1",
    "duplicatekeysx1", "gbkx1", "warnlistx1", "notready1x1",
]  # fmt: skip
LOUD = """
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
TURNED_UP = {
    "POWERTOOLS_DEBUG": "true",
    "POWERTOOLS_LOGGER_LOG_EVENT": "true",
    "POWERTOOLS_LOG_LEVEL": "DEBUG",
}


def start_loudly(house: House, name: str, *packages: str) -> FunctionProcess:
    """Start a function with all of Python's logging and http.client's prints on.

    Its temporary files lie in a folder of their own.
    """
    real = function_file(name)
    loud = house.folder / f"loud_{name}.py"
    shown = {"folder": str(real.parent), "name": name, "packages": packages}
    loud.write_text(LOUD.format(**shown))
    temporary = house.folder / "temporary"
    temporary.mkdir(exist_ok=True)
    environ = {**house.environ, **TURNED_UP, "TMPDIR": str(temporary)}
    with house.log.open("ab") as log:
        return FunctionProcess(loud, environ, log=log)


def http(method: str, path: str, body: bytes = b"") -> dict[str, object]:
    return build_http_event(HttpCall(method=method, path=path, body=body), at=AT)


def play(house: House, *packages: str) -> list[dict[str, object]]:
    """Meet every kind of answer and of bad input; give what the functions answered."""
    told = []
    with start_loudly(house, "refresh_ticket", *packages) as refresh:
        told.append(refresh.invoke(TIMER))
    with start_loudly(house, "collect_results", *packages) as collect:
        told.append(collect.invoke(batch("plain1")))
        told.append(collect.invoke(batch(*ORDERS, CARD * 3, f"../{CARD}")))
        told.append(collect.invoke(batch("killticketx1", "code400101x1")))
        told += [collect.invoke({"order_no": order}) for order in ORDERS]
        told.append(collect.invoke({"order_no": f"{CARD}/"}))
        told.append(collect.invoke(batch("plain2"), timeout_seconds=1))
    with start_loudly(house, "orders_api", *packages) as api:
        for path in ("plain1", "code9011x1", "unknown", f"{CARD}-"):
            told.append(api.invoke(http("GET", f"/v1/orders/{path}")))
        told.append(api.invoke(http("PUT", "/v1/orders/new1", CARD.encode())))
        told.append(api.invoke(http("POST", "/v1/orders/new2/collection")))
        told.append(api.invoke(http("GET", "/v1/orders/plain1/photos/original")))
        told.append(api.invoke(http("GET", "/v1/health")))
    with start_loudly(house, "sweep_orders", *packages) as sweep:
        told.append(sweep.invoke(TIMER))
    assert told[1] == {"batchItemFailures": []}
    statuses = [answer["statusCode"] for answer in told if "headers" in answer]
    collected = statuses.pop(5)  # or put off: after so many faults the app may pause
    assert statuses == [200, 200, 404, 400, 400, 302, 200]
    assert collected in {200, 202}
    return told


def canaries_of(house: House) -> set[Canary]:
    """Give all that must stand nowhere after a play, the event's own parts aside."""
    photos = draw_photos("plain1")
    bits = [photo[1000:1024] for photo in (photos.original, photos.cropped)]
    secrets = {house.environ["FINGERPRINT"], house.environ["SECRET"]}
    canaries = {*house.sandbox.canaries(), CARD, *secrets, *bits}
    assert len(canaries) > len(ORDERS)
    return canaries


def assert_silent(
    house: House, told: list[dict[str, object]], sinks: Mapping[str, bytes | str]
) -> None:
    """Hold that no sink has a canary, nor the link that one answer is there to give."""
    log = house.log.read_bytes()
    assert b'"_aws"' in log  # metrics
    assert b"order_settled" in log
    sinks = {**sinks, "answers": json.dumps(told), "log": log}
    assert all(sinks.values())
    assert find_leaks(canaries_of(house), sinks) == []
    link = re.search(r'[&?](?:signature|X-Amz-Signature)=([^&"]+)', sinks["answers"])
    others = {name: sink for name, sink in sinks.items() if name != "answers"}
    assert link is not None
    assert find_leaks([link[1]], others) == []
    assert not re.search(rb"[?&](sign|secret|access_token)=", log)
    assert list((house.folder / "temporary").iterdir()) == []


def dump(path: Path, *, but: tuple[str, ...] = ()) -> str:
    """Spell out every value of every table of a SQLite file."""
    with closing(sqlite3.connect(path)) as database:
        tables = database.execute("SELECT name FROM sqlite_master WHERE type='table'")
        rows = [
            row
            for (table,) in tables.fetchall()
            if table not in but
            for row in database.execute(f'SELECT * FROM "{table}"')  # noqa: S608 - our own
        ]
    values = [value for row in rows for value in row]
    return "\n".join(
        value.decode() if isinstance(value, bytes) else str(value) for value in values
    )
