"""Sink on Tencent Cloud EventBridge: events, size limits and failures."""

import json
from collections.abc import Iterator
from contextlib import closing

import pytest

from kycourier.core.errors import SinkUnavailableError
from kycourier.core.orders.record import OutboxEvent
from support.aws.aws_proxy import (
    AwsProxy,
    drop_call,
    drop_response,
    json_response,
    pass_through,
)
from support.tencent_api_rig import (
    REGION,
    ROLE,
    TencentApiAccount,
    open_sink,
    refuse_call,
)

pytestmark = pytest.mark.enable_socket
KIND = "kycourier.bank_card.collected.v1"


def event(number: int, text: str = "") -> OutboxEvent:
    return OutboxEvent(
        id=f"e{number}",
        type=KIND,
        body=json.dumps({"id": f"e{number}", "text": text}),
        subject=f"order{number}",
    )


@pytest.fixture
def bus_proxy(account: TencentApiAccount) -> Iterator[AwsProxy]:
    with closing(AwsProxy(account.url)) as proxy:
        yield proxy


@pytest.fixture
def sink(account, bus_proxy):
    """Return a sink on a new bus."""
    return open_sink(bus_proxy.url, account.make_bus())


def ids(account: TencentApiAccount) -> list[str]:
    return [taken.event["Id"] for taken in account.eb.taken]


def test_bus_event_holds_source_type_and_whole_event(account):
    account.eb.buses[REGION, "eb-of_a-person1"] = "kycourier"

    open_sink(account.url, "eb-of_a-person1").publish([event(1)])

    [taken] = account.eb.taken
    assert taken.bus == "eb-of_a-person1"
    assert taken.event == {
        "Source": "kycourier",
        "Type": KIND,
        "Subject": "order1",
        "Id": "e1",
        "Data": event(1).body,
    }


def test_event_without_a_subject_gets_a_default(account, sink):
    sink.publish([OutboxEvent(id="e1", type=KIND, body="{}")])

    assert account.eb.taken[0].event["Subject"] == "kycourier"


def test_each_event_is_sent_in_its_own_call(account, bus_proxy, sink):
    sink.publish([event(number) for number in range(3)])

    sent = bus_proxy.requests_to("PutEvents")
    assert [len(each["EventList"]) for each in sent] == [1, 1, 1]
    assert ids(account) == ["e0", "e1", "e2"]


def test_failed_event_stops_later_events(account, bus_proxy, sink):
    refused = refuse_call("InternalError")
    bus_proxy.plan("PutEvents", pass_through, refused, refused)

    with pytest.raises(SinkUnavailableError) as failure:
        sink.publish([event(number) for number in range(3)])

    assert failure.value.reason == "InternalError"
    assert failure.value.__context__ is None
    assert ids(account) == ["e0"]


@pytest.mark.parametrize("script", [drop_call, refuse_call("RequestLimitExceeded")])
def test_transient_failure_is_retried(account, bus_proxy, sink, script):
    bus_proxy.plan("PutEvents", script)

    sink.publish([event(1)])

    assert ids(account) == ["e1"]


def test_publish_with_a_lost_response_is_repeated_with_the_same_id(
    account, bus_proxy, sink
):
    bus_proxy.plan("PutEvents", drop_response)

    sink.publish([event(1)])

    assert ids(account) == ["e1", "e1"]
    assert set(account.bodies()) == {event(1).body}


def test_response_without_a_request_id_is_a_failure(bus_proxy, sink):
    odd = json_response({"Response": {"FailedEventCount": 1}})
    bus_proxy.plan("PutEvents", *[lambda *_: odd] * 2)

    with pytest.raises(SinkUnavailableError):
        sink.publish([event(1)])


def test_oversized_event_is_rejected_before_any_call(account, sink):
    frame = len(event(2).body)
    fits, too_large = (event(2, "x" * (65_536 - frame + more)) for more in (0, 1))

    with pytest.raises(SinkUnavailableError) as failure:
        sink.publish([event(1), too_large])

    assert failure.value.reason == "too large"
    assert ids(account) == []
    sink.publish([fits])
    assert ids(account) == ["e2"]


def test_denied_publish_names_the_permission_and_is_not_retried():
    denied = ROLE._replace(denied=frozenset({"eb:PutEvents"}))
    with closing(TencentApiAccount(denied)) as account:
        sink = open_sink(account.url, account.make_bus())

        with pytest.raises(SinkUnavailableError) as failure:
            sink.publish([event(1)])

        assert failure.value.reason == "denied eb:PutEvents on a bus"
        assert len(account.api.named("eb", "PutEvents")) == 1
