"""What only delayed work in SQS has: its longest delay, whole seconds, the start."""

import json
from datetime import timedelta

import pytest

from aws.access import new_name, surroundings
from aws.edges import new_queue, open_queue, read_queue
from aws.proxy import AwsProxy, failing
from hostile import refusing_port
from kycourier.adapters import places
from kycourier.core.errors import SettingError, StoreUnavailable
from kycourier.core.models import OrderKey
from kycourier.setting_forms import Place
from stand_ins import IN_CLOUD

pytestmark = [*IN_CLOUD]
ORDER = OrderKey("SANDBOX1", "order1")


def delays(proxy: AwsProxy) -> list[int]:
    return [asked["DelaySeconds"] for asked in proxy.asked("SendMessage")]


@pytest.mark.parametrize(
    ("seconds", "sent"),
    [
        (0, 0), (-5, 0), (0.000001, 1), (1, 1), (4.2, 5), (5, 5),
        (899.000001, 900), (900, 900),
    ],
)  # fmt: skip
def test_delay_is_whole_seconds_and_never_shorter(proxy, seconds, sent):
    queue = open_queue(proxy.url, new_queue(proxy.url))

    queue.enqueue(ORDER, timedelta(seconds=seconds))

    assert delays(proxy) == [sent]
    assert proxy.answers[-1][1].status == 200


@pytest.mark.parametrize("seconds", [900.000001, 901, 3600, 172_800])
def test_what_is_more_than_fifteen_minutes_ahead_is_the_sweeps(proxy, seconds):
    queue = open_queue(proxy.url, new_queue(proxy.url))

    queue.enqueue(ORDER, timedelta(seconds=seconds))

    assert delays(proxy) == []


def test_message_has_no_attributes_and_no_trace_of_anything_else(moto):
    name = new_queue(moto)

    open_queue(moto, name).enqueue(ORDER, timedelta(0))

    (message,) = read_queue(moto, name)
    assert "MessageAttributes" not in message
    assert json.loads(message["Body"]).keys() == {
        "order_no", "app_id", "document", "due",
    }  # fmt: skip


def start(url: str, name: str) -> str:
    """Give why a queue cannot be opened, as the setting says it."""
    with pytest.raises(SettingError) as failure:
        places.open_queue(Place("sqs", name), surroundings(url))
    assert failure.value.variable == "KYCOURIER_QUEUE"
    assert failure.value.__context__ is None
    assert name not in str(failure.value)
    return failure.value.why.removeprefix("cannot be used: ")


def test_fifo_queue_stops_the_start(moto):
    name = new_queue(moto, suffix=".fifo")

    assert start(moto, name) == "a .fifo queue cannot delay a message"


def test_queue_that_is_not_there_stops_the_start(moto):
    assert start(moto, new_name("queue")) == "no such queue in this region"


def test_nobody_there_stops_the_start():
    url = f"http://127.0.0.1:{refusing_port()}"

    assert start(url, "name1") == "unreachable"


def test_denied_look_stops_the_start(proxy):
    name = new_queue(proxy.url)
    proxy.plan("GetQueueUrl", failing("AccessDeniedException", 403))

    assert start(proxy.url, name) == "denied sqs:GetQueueUrl on a queue"


def test_denied_message_names_the_permission(proxy):
    queue = open_queue(proxy.url, new_queue(proxy.url))
    proxy.plan("SendMessage", failing("AccessDenied", 403))

    with pytest.raises(StoreUnavailable) as failure:
        queue.enqueue(ORDER, timedelta(0))

    assert failure.value.reason == "denied sqs:SendMessage on a queue"
    assert failure.value.__context__ is None
    assert len(proxy.named("SendMessage")) == 1


def test_queue_that_has_gone_is_named_as_missing(proxy):
    queue = open_queue(proxy.url, new_queue(proxy.url))
    proxy.plan("SendMessage", failing("QueueDoesNotExist"))

    with pytest.raises(StoreUnavailable) as failure:
        queue.enqueue(ORDER, timedelta(0))

    assert failure.value.reason == "no such queue in this region"
