"""Every document against the sandbox: magic orders end as documented, none leaks."""

import json
import sqlite3
from contextlib import closing

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from kycourier_devkit.sandbox import Sandbox
from support.leaks.leak_scan import find_leaks
from support.openapi_check import load_schema
from support.rigs.recipient import PUBLIC, unseal

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]
EVENT = Draft202012Validator(
    load_schema("event.schema.json"), format_checker=FormatChecker()
)
SEALED = Draft202012Validator(load_schema("sealed.schema.json"))
C, R, W = "collected", "rejected", "waiting"
ID_CARDS = {
    "good1": (C, None),
    "frontonlyx": (R, "back_not_scanned"),
    "backonlyx": (R, "front_not_scanned"),
    "neithersidex": (R, "front_not_scanned"),
    "backcode66661003x": (R, "card_expired"),
    "frontcode66661006x": (R, "not_portrait_side"),
    "code66661001x": (R, "not_an_id_card"),
    "lostbackcropx": (C, None),
    "lostcropsx": (C, None),
    "longtermx": (C, None),
    "longtermdotsx": (C, None),
    "cardexpiredx": (C, None),
    "badcheckx": (C, None),
    "numberxx": (C, None),
    "number15x": (C, None),
    "number17x": (C, None),
    "nonamex": (C, None),
    "surrogatenamex": (C, None),
    "badbirthx": (C, None),
    "baddatex": (C, None),
    "longaddress5x": (C, None),
    "oddmasksx": (C, None),
    "oldnamesx": (C, None),
    "flatx": (C, None),
    "intcodex": (C, None),
    "notready9x": (W, "not_ready"),
    "http503x": (W, "transient"),
    "htmlx": (W, "transient"),
    "badbase64x": (W, "transient"),
}
FACES = {
    "good2": (C, None),
    "refusedx": (R, "not_same_person"),
    "refusedphotox": (R, "not_same_person"),
    "code66660017x": (R, "attempts_exceeded"),
    "noscoresx": (C, None),
    "emptyscoresx": (C, None),
    "numberscoresx": (C, None),
    "oddscoresx": (C, None),
    "lowscoresx": (C, None),
    "noriskx": (C, None),
    "oddriskx": (C, None),
    "trtcx": (C, None),
    "intcodex2": (C, None),
    "neverreadyx": (W, "not_ready"),
    "http429x": (W, "throttled"),
}


@pytest.fixture
def sandbox():
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def call(kycourier, sandbox):
    key = {"KYCOURIER_RECIPIENT_KEY": "env:JWK", "JWK": PUBLIC}
    return lambda *arguments, **environ: kycourier(
        *arguments, KYCOURIER_KYC_URL=sandbox.url, **key, **environ
    )


def rows_of(path):
    with closing(sqlite3.connect(path)) as state:
        return [record for (record,) in state.execute("SELECT record FROM orders")]


@pytest.mark.parametrize(
    ("document", "expected"), [("id_card", ID_CARDS), ("face", FACES)]
)
def test_magic_orders_end_as_documented_and_leak_nothing(
    call, sandbox, tmp_path, document, expected
):
    result = call("collect", "--document", document, "--json", *expected)
    orders = {
        each["order_no"]: each for each in map(json.loads, result.out.split("\n")[:-1])
    }
    found = {name: (each["state"], each["reason"]) for name, each in orders.items()}
    assert found == expected

    folder = tmp_path / ".kycourier"
    lines = (folder / "events.jsonl").read_text("utf-8").splitlines()
    final = {name for name, (state, _) in expected.items() if state != W}
    events = {json.loads(line)["subject"]: json.loads(line) for line in lines}
    assert events.keys() == final
    for event in events.values():
        EVENT.validate(event)
        if sealed := event["data"].get("sealed"):
            content = unseal(sealed)
            SEALED.validate(content)
            assert content["order_no"] == event["subject"]
    shown = [call("list", "--all").out, *(call("show", each).out for each in final)]
    sinks = {
        "events": "\n".join(lines),
        "output": result.out + result.err + "".join(shown),
        "rows": b"".join(rows_of(folder / "state.db")),
        "names": "\n".join(str(path) for path in folder.rglob("*")),
        "manifests": b"".join(
            path.read_bytes() for path in folder.rglob("manifest-*.json")
        ),
    }
    assert len(sandbox.canaries()) > len(expected)
    assert find_leaks(sandbox.canaries(), sinks) == []
    checked = call("verify", str(folder / "evidence"), "--state")
    assert (checked.code, checked.err) == (0, "")


@pytest.mark.parametrize(
    ("sides", "states"),
    [("front", (C, R)), ("any", (C, C)), ("both", (R, R))],
)
def test_wanted_sides_are_a_setting(call, sides, states):
    result = call(
        "collect", "--document", "id_card", "--json", "frontonlyx", "backonlyx",
        KYCOURIER_ID_CARD_SIDES=sides,
    )  # fmt: skip
    orders = map(json.loads, result.out.splitlines())
    assert tuple(each["state"] for each in orders) == states


def test_files_of_a_face_are_a_setting(call):
    for order, files, kinds in (
        ("A1", "photo", ["photo"]),
        ("A2", "none", []),
        ("A3", "photo_and_video", ["photo", "video"]),
        ("video6x", "photo_and_video", ["photo", "video"]),
    ):
        result = call(
            "collect", "--document", "face", "--json", order, KYCOURIER_FACE_FILES=files
        )
        photos = json.loads(result.out)["result"]["photos"]
        assert [each["kind"] for each in photos] == kinds
    [_, large] = photos
    assert (large["media_type"], large["bytes"]) == ("video/mp4", 6 * 2**20)


def test_late_video_and_late_originals_are_waited_for(call):
    late = call(
        "collect", "--document", "face", "--json", "latevideoquery2x",
        KYCOURIER_FACE_FILES="photo_and_video",
    )  # fmt: skip
    assert json.loads(late.out)["result"]["photos_missing"] == []
    late = call("collect", "--document", "id_card", "--json", "latefront1x")
    assert json.loads(late.out)["result"]["photos_missing"] == []


def test_order_of_another_document_is_refused(call):
    call("collect", "--document", "face", "A1")
    result = call("collect", "--document", "id_card", "A1")
    assert result.code == 1
    assert "document_mismatch" in result.out
    assert call("collect", "A1").code == 0
