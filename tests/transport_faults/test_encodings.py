"""JSON of another type or encoding is parsed by rule or refused (14)."""

import json

import pytest

from kycourier.core.orders.record import OrderState
from kycourier_devkit.sandbox.platform.replies import PHOTOS
from support.leaks.leak_scan import find_leaks
from support.servers.hostile_server import http_response
from transport_faults.faults import Fault

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]
KINDS = pytest.mark.parametrize("kind", ["token", "ticket", "query"])
AMBIGUOUS = "\u4e00" * 8  # its GBK bytes are valid UTF-8 for another letter
MOJIBAKE = AMBIGUOUS.encode("gbk").decode("utf-8")


def respond_in(change, encoding, media_type):
    """Respond with a changed body in an encoding, with a media type."""

    def respond(_, peer, handle):
        text = json.dumps(change(json.loads(handle().body)), ensure_ascii=False)
        peer.send(http_response(text.encode(encoding), f"Content-Type: {media_type}"))

    return Fault(14, respond)


def with_message(body):
    return body | {"msg": "\u8bf7\u6c42\u6210\u529f"}


def with_words(body):
    """Replace the codes, names and numbers of a result by words."""
    result = body.get("result", {})
    texts = {
        name: AMBIGUOUS
        for name, value in result.items()
        if isinstance(value, str) and name not in {"orderNo", *PHOTOS, "operateTime"}
    }
    return body | {"msg": AMBIGUOUS, "bizSeqNo": AMBIGUOUS, "result": result | texts}


def with_words_as_pair(body):
    tickets = [entry | {"value": AMBIGUOUS} for entry in body.get("tickets", ())]
    words = dict.fromkeys(("msg", "access_token"), AMBIGUOUS)
    return body | words | {"tickets": tickets}


@KINDS
@pytest.mark.parametrize("media_type", ["text/plain", "text/plain;charset=GBK", "x"])
def test_utf_8_json_is_parsed_with_any_media_type(media_type, kind, rig, platform):
    if kind == "query":
        rig.refresh_ticket()
    platform.set_fault(respond_in(with_message, "utf-8", media_type), kind)
    assert rig.start().deliver("order1") == []
    assert rig.row("order1").state is OrderState.COLLECTED
    rig.check_evidence(rig.service_rig.events()[0])
    assert platform.fault_count == 1


@pytest.mark.parametrize("kind", ["token", "ticket"])
def test_gbk_that_decodes_as_utf_8_yields_no_ticket_pair(kind, rig, platform):
    platform.set_fault(respond_in(with_words_as_pair, "gbk", "text/plain"), kind)
    assert rig.start().deliver("order1") == []
    assert rig.row("order1").state is OrderState.WAITING
    assert platform.calls["query"] == 0
    assert platform.fault_count == 1
    platform.clear_fault()
    rig.sweep_until_final("order1")


def test_gbk_that_decodes_as_utf_8_is_stored_nowhere(rig, platform):
    """The photos are valid: the order is collected without the invalid fields."""
    rig.refresh_ticket()
    platform.set_fault(respond_in(with_words, "gbk", "application/json"), "query")
    assert rig.start().deliver("order1") == []
    record = rig.sweep_until_final("order1")
    assert platform.fault_count >= 1
    assert record.state is OrderState.COLLECTED
    [event] = rig.service_rig.events()
    assert event["data"]["card"]["number_masked"] is None
    assert event["data"]["quality"] == {"clarity": None, "warnings": []}
    sinks = rig.sinks() | {"output": rig.output.getvalue()}
    assert find_leaks([MOJIBAKE, AMBIGUOUS], sinks) == []
