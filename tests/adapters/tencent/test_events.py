"""Sink on Tencent Cloud EventBridge: events, size limits, failures, start checks."""

import json
from contextlib import closing

import pytest

from kycourier.adapters import registry
from kycourier.core.errors import SettingError, SinkUnavailableError
from kycourier.core.orders.record import OutboxEvent
from kycourier.settings.resource_url import ResourceUrl
from support.aws.aws_proxy import (
    AwsProxy,
    Script,
    drop_call,
    drop_response,
    json_response,
    pass_through,
)
from support.servers.hostile_server import closed_port
from support.tencent_api_rig import (
    REGION,
    ROLE,
    TencentApiAccount,
    open_sink,
    tencent_context,
)

pytestmark = pytest.mark.enable_socket
KIND = "kycourier.ocr.collected.v1"


def event(number: int, **more: str) -> OutboxEvent:
    members = {"id": f"e{number}", "subject": f"order{number}", **more}
    return OutboxEvent(
        id=f"e{number}",
        type=KIND,
        body=json.dumps(members),
        subject=f"order{number}",
    )


def refusing(code: str) -> Script:
    error = {"Code": code, "Message": "slower"}
    return lambda *_: json_response({"Response": {"Error": error, "RequestId": "1"}})


@pytest.fixture
def bus_proxy(account):
    with closing(AwsProxy(account.url)) as proxy:
        yield proxy


def ids(account: TencentApiAccount) -> list[str]:
    return [taken.event["Id"] for taken in account.eb.taken]


def test_bus_event_holds_source_type_and_whole_event(account):
    bus = account.make_bus()

    open_sink(account.url, bus).publish([event(1)])

    [taken] = account.eb.taken
    assert taken.bus == bus
    assert taken.event == {
        "Source": "kycourier",
        "Type": KIND,
        "Subject": "order1",
        "Id": "e1",
        "Data": event(1).body,
    }


def test_bus_id_may_have_any_documented_form(account):
    account.eb.buses[REGION, "eb-of_a-person1"] = "kycourier"

    open_sink(account.url, "eb-of_a-person1").publish([event(1)])

    assert account.eb.taken[0].bus == "eb-of_a-person1"


def test_event_without_a_subject_gets_a_default(account):
    sink = open_sink(account.url, account.make_bus())

    sink.publish([OutboxEvent(id="e1", type=KIND, body="{}")])

    assert account.eb.taken[0].event["Subject"] == "kycourier"


def test_each_event_is_sent_in_its_own_call(account, bus_proxy):
    sink = open_sink(bus_proxy.url, account.make_bus())

    sink.publish([event(number) for number in range(3)])

    sent = bus_proxy.requests_to("PutEvents")
    assert [len(each["EventList"]) for each in sent] == [1, 1, 1]
    assert ids(account) == ["e0", "e1", "e2"]


def test_failed_event_stops_later_events(account, bus_proxy):
    sink = open_sink(bus_proxy.url, account.make_bus())
    refused = refusing("InternalError")
    bus_proxy.plan("PutEvents", pass_through, refused, refused)

    with pytest.raises(SinkUnavailableError) as failure:
        sink.publish([event(number) for number in range(3)])

    assert failure.value.reason == "InternalError"
    assert failure.value.__context__ is None
    assert ids(account) == ["e0"]


@pytest.mark.parametrize("script", [drop_call, refusing("RequestLimitExceeded")])
def test_transient_failure_is_retried(account, bus_proxy, script):
    sink = open_sink(bus_proxy.url, account.make_bus())
    bus_proxy.plan("PutEvents", script)

    sink.publish([event(1)])

    assert ids(account) == ["e1"]


def test_publish_with_a_lost_response_is_repeated_with_the_same_id(account, bus_proxy):
    sink = open_sink(bus_proxy.url, account.make_bus())
    bus_proxy.plan("PutEvents", drop_response, drop_response)

    sink.publish([event(1)])

    assert set(ids(account)) == {"e1"}
    assert set(account.bodies()) == {event(1).body}


def test_response_without_a_request_id_is_a_failure(account, bus_proxy):
    sink = open_sink(bus_proxy.url, account.make_bus())
    odd = json_response({"Response": {"FailedEventCount": 1}})
    bus_proxy.plan("PutEvents", *[lambda *_: odd] * 2)

    with pytest.raises(SinkUnavailableError):
        sink.publish([event(1)])


def test_oversized_event_is_rejected_before_any_call(account):
    sink = open_sink(account.url, account.make_bus())
    frame = len(event(2, text="").body)
    fits, too_large = (event(2, text="x" * (65_536 - frame + more)) for more in (0, 1))

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


# start checks


def start(url: str, where: str) -> str:
    with pytest.raises(SettingError) as failure:
        registry.open_events(ResourceUrl("tencent-eb", where), tencent_context(url))
    assert failure.value.variable == "KYCOURIER_EVENTS"
    assert failure.value.__context__ is None
    assert where not in str(failure.value)
    return failure.value.why.removeprefix("cannot be used: ")


@pytest.mark.parametrize(
    ("where", "why"),
    [
        ("eb-1", "has no region: append ?region=ap-…"),
        ("eb-1?region=guangzhou", "has an invalid region: use one like"),
        ("eb-1?region=ap-guangzhou&version=1", "takes the parameters region, each"),
        ("kycourier?region=ap-guangzhou", "must be tencent-eb://eb-…?region=…"),
        ("eb-1/x?region=ap-guangzhou", "must be tencent-eb://eb-…?region=…"),
        ("eb-99999999?region=ap-guangzhou", "no such bus in this region"),
        ("eb-00000001?region=ap-beijing", "no such bus in this region"),
    ],
)
def test_wrong_bus_stops_the_start(account, where, why):
    account.make_bus()

    assert start(account.url, where).startswith(why)


def test_denied_lookup_stops_the_start():
    denied = ROLE._replace(denied=frozenset({"eb:GetEventBus"}))
    with closing(TencentApiAccount(denied)) as account:
        where = f"{account.make_bus()}?region={REGION}"

        assert start(account.url, where) == "denied eb:GetEventBus on a bus"


def test_unreachable_endpoint_stops_the_start():
    url = f"http://127.0.0.1:{closed_port()}"

    assert start(url, f"eb-1?region={REGION}") == "unreachable"


@pytest.mark.parametrize("script", [drop_call, refusing("InternalError")])
def test_transient_fault_does_not_stop_the_start(account, bus_proxy, script):
    bus_proxy.plan("GetEventBus", *[script] * 4)

    open_sink(bus_proxy.url, account.make_bus())


def test_unsupported_lookup_does_not_stop_the_start(account, bus_proxy):
    bus_proxy.plan("GetEventBus", refusing("InvalidAction"))

    open_sink(bus_proxy.url, account.make_bus()).publish([event(1)])

    assert ids(account) == ["e1"]
