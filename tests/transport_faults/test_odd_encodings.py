"""JSON of another type or encoding is read by rule or refused; no mojibake (14)."""

import json

import pytest

from hostile import reply
from kycourier.core.order_record import State
from kycourier_devkit.sandbox.replies import PHOTOS
from leak_scan import find_leaks
from transport_faults.faults import Fault

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]
KINDS = pytest.mark.parametrize("kind", ["token", "ticket", "query"])
BOTH_WAYS = "\u4e00" * 8  # in GBK bytes that are UTF-8 too, of another letter
MOJIBAKE = BOTH_WAYS.encode("gbk").decode("utf-8")


def sending(change, encoding, media_type):
    """Send what the work gave, changed, in an encoding, under a type."""

    def act(_, peer, work):
        text = json.dumps(change(json.loads(work().body)), ensure_ascii=False)
        peer.send(reply(text.encode(encoding), f"Content-Type: {media_type}"))

    return Fault(14, act)


def with_message(body):
    return body | {"msg": "\u8bf7\u6c42\u6210\u529f"}


def with_words(body):
    """Put words where the platform has codes, names and numbers."""
    result = body.get("result", {})
    texts = {
        name: BOTH_WAYS
        for name, value in result.items()
        if isinstance(value, str) and name not in {"orderNo", *PHOTOS, "operateTime"}
    }
    return body | {"msg": BOTH_WAYS, "bizSeqNo": BOTH_WAYS, "result": result | texts}


def with_words_for_the_pair(body):
    tickets = [entry | {"value": BOTH_WAYS} for entry in body.get("tickets", ())]
    words = dict.fromkeys(("msg", "access_token"), BOTH_WAYS)
    return body | words | {"tickets": tickets}


@KINDS
@pytest.mark.parametrize("media_type", ["text/plain", "text/plain;charset=GBK", "x"])
def test_json_in_utf_8_is_read_whatever_its_type_says(
    media_type, kind, fleet, upstream
):
    if kind == "query":
        fleet.buy_pair()
    upstream.set_fault(sending(with_message, "utf-8", media_type), kind)
    assert fleet.start().deliver("order1") == []
    assert fleet.row("order1").state is State.COLLECTED
    fleet.check_evidence(fleet.house.events()[0])
    assert upstream.met == 1


@pytest.mark.parametrize("kind", ["token", "ticket"])
def test_no_pair_is_made_of_gbk_that_reads_as_utf_8(kind, fleet, upstream):
    upstream.set_fault(sending(with_words_for_the_pair, "gbk", "text/plain"), kind)
    assert fleet.start().deliver("order1") == []
    assert fleet.row("order1").state is State.WAITING
    assert upstream.calls["query"] == 0
    assert upstream.met == 1
    upstream.mend()
    fleet.sweep_until_final("order1")


def test_gbk_that_reads_as_utf_8_is_stored_nowhere(fleet, upstream):
    """The photos are good: it is collected, without what it could not say."""
    fleet.buy_pair()
    upstream.set_fault(sending(with_words, "gbk", "application/json"), "query")
    assert fleet.start().deliver("order1") == []
    record = fleet.sweep_until_final("order1")
    assert upstream.met >= 1
    assert record.state is State.COLLECTED
    [event] = fleet.house.events()
    assert event["data"]["card"]["number_masked"] is None
    assert event["data"]["quality"] == {"clarity": None, "warnings": []}
    sinks = fleet.sinks() | {"said": fleet.said.getvalue()}
    assert find_leaks([MOJIBAKE, BOTH_WAYS], sinks) == []
