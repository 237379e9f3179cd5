"""GBK that decodes as UTF-8 is used and stored nowhere (14)."""

import json

import pytest

from kycourier.core.orders.record import OrderState
from kycourier_devkit.sandbox.platform.replies import PHOTOS
from support.leaks.leak_scan import find_leaks
from support.servers.hostile_server import http_response
from transport_faults.faults import Fault

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]
AMBIGUOUS = "\u4e00" * 8  # its GBK bytes are valid UTF-8 for another letter
MOJIBAKE = AMBIGUOUS.encode("gbk").decode("utf-8")


def respond_in_gbk(change):
    """Respond with a changed body in GBK."""

    def respond(_, peer, handle):
        text = json.dumps(change(json.loads(handle().body)), ensure_ascii=False)
        peer.send(http_response(text.encode("gbk"), "Content-Type: application/json"))

    return Fault(14, respond)


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


@pytest.mark.parametrize("kind", ["token", "ticket"])
def test_gbk_that_decodes_as_utf_8_yields_no_ticket_pair(kind, rig, platform):
    platform.set_fault(respond_in_gbk(with_words_as_pair), kind)
    assert rig.start().deliver("order1") == []
    assert rig.row("order1").state is OrderState.WAITING
    assert platform.calls["query"] == 0
    assert platform.fault_count == 1
    platform.clear_fault()
    rig.sweep_until_final("order1")


def test_gbk_that_decodes_as_utf_8_is_stored_nowhere(rig, platform):
    """The photos are valid: the order is collected without the invalid fields."""
    rig.refresh_ticket()
    platform.set_fault(respond_in_gbk(with_words), "query")
    assert rig.start().deliver("order1") == []
    record = rig.sweep_until_final("order1")
    assert platform.fault_count >= 1
    assert record.state is OrderState.COLLECTED
    [event] = rig.service_rig.events()
    assert event["data"]["card"]["number_masked"] is None
    assert event["data"]["quality"] == {"clarity": None, "warnings": []}
    sinks = rig.sinks() | {"output": rig.output.getvalue()}
    assert find_leaks([MOJIBAKE, AMBIGUOUS], sinks) == []
