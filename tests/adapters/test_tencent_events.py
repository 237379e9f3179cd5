"""What only a bus of Tencent Cloud's EventBridge has: its events, limits, reasons."""

import json
from contextlib import closing

import pytest

from aws.proxy import AwsProxy, Play, answer_json, cut, done_then_cut
from hostile import refusing_port
from kycourier.adapters import places
from kycourier.core.errors import SettingError, SinkUnavailable
from kycourier.core.order_record import OutboxEvent
from kycourier.setting_forms import Place
from tencent.account import REGION, ROLE, Account, around, open_sink

pytestmark = pytest.mark.enable_socket
KIND = "kycourier.ocr.collected.v1"


def event(number: int, **more: str) -> OutboxEvent:
    members = {"id": f"e{number}", "subject": f"order{number}", **more}
    return OutboxEvent(id=f"e{number}", type=KIND, body=json.dumps(members))


def refusing(code: str) -> Play:
    error = {"Code": code, "Message": "slower"}
    return lambda *_: answer_json({"Response": {"Error": error, "RequestId": "1"}})


@pytest.fixture
def bus_proxy(account):
    with closing(AwsProxy(account.url)) as proxy:
        yield proxy


def ids(account: Account) -> list[str]:
    return [taken.event["Id"] for taken in account.eb.taken]


def test_an_event_on_the_bus_is_the_whole_event_from_kycourier_by_its_type(account):
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


def test_a_buss_id_is_taken_as_the_cloud_gave_it(account):
    account.eb.buses[REGION, "eb-of_a-person1"] = "kycourier"

    open_sink(account.url, "eb-of_a-person1").publish([event(1)])

    assert account.eb.taken[0].bus == "eb-of_a-person1"


def test_an_event_without_a_subject_has_one_on_the_bus(account):
    sink = open_sink(account.url, account.make_bus())

    sink.publish([OutboxEvent(id="e1", type=KIND, body="{}")])

    assert account.eb.taken[0].event["Subject"] == "kycourier"


def test_each_event_has_a_call_of_its_own_whose_answer_is_about_it_alone(
    account, bus_proxy
):
    sink = open_sink(bus_proxy.url, account.make_bus())

    sink.publish([event(number) for number in range(3)])

    asked = bus_proxy.asked("PutEvents")
    assert [len(each["EventList"]) for each in asked] == [1, 1, 1]
    assert ids(account) == ["e0", "e1", "e2"]


def test_an_event_that_is_not_taken_is_a_failure_and_later_ones_wait(
    account, bus_proxy
):
    sink = open_sink(bus_proxy.url, account.make_bus())
    refused = refusing("InternalError")
    pass_on = bus_proxy.otherwise
    bus_proxy.plan("PutEvents", pass_on, refused, refused)

    with pytest.raises(SinkUnavailable) as failure:
        sink.publish([event(number) for number in range(3)])

    assert failure.value.reason == "InternalError"
    assert failure.value.__context__ is None
    assert ids(account) == ["e0"]


@pytest.mark.parametrize("play", [cut, refusing("RequestLimitExceeded")])
def test_an_event_that_may_be_taken_a_moment_later_is_sent_again(
    account, bus_proxy, play
):
    sink = open_sink(bus_proxy.url, account.make_bus())
    bus_proxy.plan("PutEvents", play)

    sink.publish([event(1)])

    assert ids(account) == ["e1"]


def test_publish_that_was_done_and_not_answered_is_repeated_with_the_same_id(
    account, bus_proxy
):
    sink = open_sink(bus_proxy.url, account.make_bus())
    bus_proxy.plan("PutEvents", done_then_cut, done_then_cut)

    sink.publish([event(1)])

    assert set(ids(account)) == {"e1"}
    assert set(account.bodies()) == {event(1).body}


def test_an_answer_without_a_request_id_took_nothing(account, bus_proxy):
    sink = open_sink(bus_proxy.url, account.make_bus())
    odd = answer_json({"Response": {"FailedEventCount": 1}})
    bus_proxy.plan("PutEvents", *[lambda *_: odd] * 2)

    with pytest.raises(SinkUnavailable):
        sink.publish([event(1)])


def test_an_event_that_no_call_can_hold_is_refused_before_anything_is_sent(account):
    sink = open_sink(account.url, account.make_bus())
    frame = len(event(2, text="").body)
    fits, too_large = (event(2, text="x" * (65_536 - frame + more)) for more in (0, 1))

    with pytest.raises(SinkUnavailable) as failure:
        sink.publish([event(1), too_large])

    assert failure.value.reason == "too large"
    assert ids(account) == []
    sink.publish([fits])
    assert ids(account) == ["e2"]


@pytest.mark.parametrize("body", ["", "[]", '"text"', "{", "\ud800{}"])
def test_a_body_that_is_no_event_is_refused_without_its_text(account, body):
    sink = open_sink(account.url, account.make_bus())

    with pytest.raises(SinkUnavailable) as failure:
        sink.publish([event(1), OutboxEvent(id="e2", type=KIND, body=body)])

    assert failure.value.reason == "event is no JSON object"
    assert failure.value.__context__ is None
    assert ids(account) == []


def test_denied_publish_names_the_permission_and_is_not_tried_again():
    denied = ROLE._replace(denied=frozenset({"eb:PutEvents"}))
    with closing(Account(denied)) as account:
        sink = open_sink(account.url, account.make_bus())

        with pytest.raises(SinkUnavailable) as failure:
            sink.publish([event(1)])

        assert failure.value.reason == "denied eb:PutEvents on a bus"
        assert len(account.api.named("eb", "PutEvents")) == 1


# what stops the start


def start(url: str, where: str) -> str:
    with pytest.raises(SettingError) as failure:
        places.open_events(Place("tencent-eb", where), around(url))
    assert failure.value.variable == "KYCOURIER_EVENTS"
    assert failure.value.__context__ is None
    assert where not in str(failure.value)
    return failure.value.why.removeprefix("cannot be used: ")


@pytest.mark.parametrize(
    ("where", "why"),
    [
        ("eb-1", "names no region: end it in ?region=ap-…"),
        ("eb-1?region=guangzhou", "names a region that is none: they look like"),
        ("eb-1?region=ap-guangzhou&version=1", "takes the parameters region, each"),
        ("kycourier?region=ap-guangzhou", "must be tencent-eb://eb-…?region=…"),
        ("eb-1/x?region=ap-guangzhou", "must be tencent-eb://eb-…?region=…"),
        ("eb-99999999?region=ap-guangzhou", "no such bus in this region"),
        ("eb-00000001?region=ap-beijing", "no such bus in this region"),
    ],
)
def test_a_wrong_bus_stops_the_start(account, where, why):
    account.make_bus()

    assert start(account.url, where).startswith(why)


def test_a_denied_look_stops_the_start():
    denied = ROLE._replace(denied=frozenset({"eb:GetEventBus"}))
    with closing(Account(denied)) as account:
        where = f"{account.make_bus()}?region={REGION}"

        assert start(account.url, where) == "denied eb:GetEventBus on a bus"


def test_nobody_there_stops_the_start():
    url = f"http://127.0.0.1:{refusing_port()}"

    assert start(url, f"eb-1?region={REGION}") == "unreachable"


@pytest.mark.parametrize("play", [cut, refusing("InternalError")])
def test_a_fault_that_passes_does_not_keep_the_sink_from_opening(
    account, bus_proxy, play
):
    bus_proxy.plan("GetEventBus", play, play, play, play)

    open_sink(bus_proxy.url, account.make_bus())


def test_a_bus_that_cannot_be_looked_for_is_opened_and_takes_events(account, bus_proxy):
    bus_proxy.plan("GetEventBus", refusing("InvalidAction"))

    open_sink(bus_proxy.url, account.make_bus()).publish([event(1)])

    assert ids(account) == ["e1"]
