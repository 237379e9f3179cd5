"""The whole service is silent, in every sink, with every logger turned up."""

import json
import re
import sqlite3
from contextlib import closing
from datetime import datetime, timezone

import pytest

from houses import TIMER, batch
from kycourier_devkit.errors import FunctionFailed
from kycourier_devkit.functions.process import FunctionProcess, function_file
from kycourier_devkit.functions.trigger_events import HttpCall, build_http_event
from kycourier_devkit.sandbox import draw_photos
from leak_scan import find_leaks

pytestmark = pytest.mark.enable_socket
AT = datetime(2026, 1, 1, tzinfo=timezone.utc)
ORDERS = [
    "late1x1", "code9011x1", "codeunknownx1", "html1",
    "http500x1", "cutx1", "resetx1", "changingx1", "othernumberx1",
    "badbase64x1", "floatcodex1", "duplicatekeysx1", "gbkx1", "warnlistx1",
]  # fmt: skip
LOUD = """
import http.client, logging, sys
http.client.HTTPConnection.debuglevel = 1
logging.basicConfig(level=logging.DEBUG, stream=sys.stdout)
import requests, urllib3
for name in ["requests", "urllib3", "urllib3.connectionpool", "urllib3.util.retry"]:
    logging.getLogger(name).setLevel(logging.DEBUG)
    logging.getLogger(name).disabled = False
    logging.getLogger(name).addHandler(logging.StreamHandler(sys.stdout))
sys.path.insert(0, {folder!r})
from {name} import handler
for name in list(logging.root.manager.loggerDict):
    logging.getLogger(name).setLevel(logging.DEBUG)
"""


def start_loudly(house, name):
    """Start a function with all of Python's logging and http.client's prints on."""
    real = function_file(name)
    loud = house.folder / f"loud_{name}.py"
    loud.write_text(LOUD.format(folder=str(real.parent), name=name))
    with house.log.open("ab") as log:
        return FunctionProcess(loud, house.environ, log=log)


def http(method, path, body=b"", **headers):
    call = HttpCall(method=method, path=path, body=body, headers=tuple(headers.items()))
    return build_http_event(call, at=AT)


def dump(path, *, but=()):
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


def test_no_sink_holds_a_canary(house):
    card = "6225880000001234"
    house.environ["KYCOURIER_QUEUE"] = f"sqlite:///{house.folder}/queue.db"
    told = []
    with start_loudly(house, "refresh_ticket") as refresh:
        told.append(refresh.invoke(TIMER))
    with start_loudly(house, "collect_results") as collect:
        told.append(collect.invoke(batch("plain1")))
        told.append(collect.invoke(batch(*ORDERS, card * 3, f"../{card}")))
        told.append(collect.invoke(batch("killticketx1", "code400101x1")))
        told += [collect.invoke({"order_no": order}) for order in ORDERS]
        told.append(collect.invoke({"order_no": f"{card}/"}))
        told.append(collect.invoke(batch("plain2"), timeout_seconds=1))
    with start_loudly(house, "orders_api") as api:
        for path in ("plain1", "code9011x1", "unknown", f"{card}-"):
            told.append(api.invoke(http("GET", f"/v1/orders/{path}")))
        told.append(api.invoke(http("PUT", "/v1/orders/new1", card.encode())))
        told.append(api.invoke(http("POST", "/v1/orders/new2/collection")))
        photo = api.invoke(http("GET", "/v1/orders/plain1/photos/original"))
        told.append(api.invoke(http("GET", "/v1/health")))
    with start_loudly(house, "sweep_orders") as sweep:
        told.append(sweep.invoke(TIMER))
    assert photo["statusCode"] == 302

    state = dump(house.folder / "state.db", but=["tickets"])
    manifests = [
        path.read_text() for path in (house.folder / "evidence").rglob("*.json")
    ]
    sinks = {
        "answers": json.dumps(told),
        "logs": house.log.read_bytes(),
        "events": (house.folder / "events.jsonl").read_bytes(),
        "state": state,
        "queue": dump(house.folder / "queue.db"),
        "keys": "\n".join(house.objects()),
        "manifests": "\n".join(manifests),
    }
    photos = draw_photos("plain1").original[1000:1024].hex()
    canaries = {*house.sandbox.canaries(), card, house.environ["FINGERPRINT"], photos}
    assert len(canaries) > len(ORDERS)
    assert len(house.events()) > 3
    assert manifests
    assert "collected" in state
    assert "order_no" in sinks["queue"]
    assert find_leaks(canaries, sinks) == []
    assert find_leaks([signature_of(photo)], sinks) == []
    assert not re.search(r"[?&](sign|secret|access_token)=", sinks["logs"].decode())


def signature_of(answer):
    return answer["headers"]["Location"].partition("signature=")[2]


def test_the_pair_is_in_the_ticket_record_alone(house):
    """The scan of the state is not blind: with the tickets' table it finds the pair."""
    with start_loudly(house, "refresh_ticket") as refresh:
        refresh.invoke(TIMER)
    path = house.folder / "state.db"
    canaries = house.sandbox.canaries()
    assert len(find_leaks(canaries, {"state": dump(path)})) >= 2
    assert find_leaks(canaries, {"state": dump(path, but=["tickets"])}) == []
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_leaves_a_handler_is_a_code(house):
    with start_loudly(house, "collect_results") as collect:
        with closing(sqlite3.connect(house.folder / "state.db")) as database:
            database.execute("DROP TABLE orders")
        with pytest.raises(FunctionFailed) as caught:
            collect.invoke({"order_no": "plain1"})
    assert str(caught.value) == "loud_collect_results failed: store_unavailable"
