"""The SQS work queue: delays and start checks."""

import json
from datetime import timedelta

import pytest

from kycourier.adapters import registry
from kycourier.core.errors import SettingError, StoreUnavailableError
from kycourier.core.orders.record import OrderKey
from kycourier.settings.resource_url import ResourceUrl
from support.aws.aws_proxy import AwsProxy, respond_error
from support.aws.clients import aws_context, new_name
from support.aws.services import new_queue, open_queue, read_queue
from support.servers.emulators import EMULATOR_MARKS
from support.servers.hostile_server import closed_port

pytestmark = [*EMULATOR_MARKS]
ORDER = OrderKey("SANDBOX1", "order1")


def delays(proxy: AwsProxy) -> list[int]:
    return [body["DelaySeconds"] for body in proxy.requests_to("SendMessage")]


@pytest.mark.parametrize(
    ("seconds", "sent"),
    [
        (0, 0), (-5, 0), (0.000001, 1), (1, 1), (4.2, 5), (5, 5),
        (899.000001, 900), (900, 900),
    ],
)  # fmt: skip
def test_delay_is_rounded_up_to_whole_seconds(proxy, seconds, sent):
    queue = open_queue(proxy.url, new_queue(proxy.url))

    queue.enqueue(ORDER, timedelta(seconds=seconds))

    assert delays(proxy) == [sent]
    assert proxy.responses[-1][1].status == 200


@pytest.mark.parametrize("seconds", [900.000001, 901, 3600, 172_800])
def test_delay_over_fifteen_minutes_is_left_to_the_sweep(proxy, seconds):
    queue = open_queue(proxy.url, new_queue(proxy.url))

    queue.enqueue(ORDER, timedelta(seconds=seconds))

    assert delays(proxy) == []


def test_message_has_no_attributes(moto):
    name = new_queue(moto)

    open_queue(moto, name).enqueue(ORDER, timedelta(0))

    (message,) = read_queue(moto, name)
    assert "MessageAttributes" not in message
    assert json.loads(message["Body"]).keys() == {"order_no", "app_id", "due"}


def start(url: str, name: str) -> str:
    """Return why a queue cannot be opened, as the setting error states it."""
    with pytest.raises(SettingError) as failure:
        registry.open_queue(ResourceUrl("sqs", name), aws_context(url))
    assert failure.value.variable == "KYCOURIER_QUEUE"
    assert failure.value.__context__ is None
    assert name not in str(failure.value)
    return failure.value.why.removeprefix("cannot be used: ")


def test_fifo_queue_stops_the_start(moto):
    name = new_queue(moto, suffix=".fifo")

    assert start(moto, name) == "a .fifo queue cannot delay a message"


def test_missing_queue_stops_the_start(moto):
    assert start(moto, new_name("queue")) == "no such queue in this region"


def test_unreachable_endpoint_stops_the_start():
    url = f"http://127.0.0.1:{closed_port()}"

    assert start(url, "name1") == "unreachable"


def test_denied_lookup_stops_the_start(proxy):
    name = new_queue(proxy.url)
    proxy.plan("GetQueueUrl", respond_error("AccessDeniedException", 403))

    assert start(proxy.url, name) == "denied sqs:GetQueueUrl on a queue"


def test_denied_send_names_the_permission(proxy):
    queue = open_queue(proxy.url, new_queue(proxy.url))
    proxy.plan("SendMessage", respond_error("AccessDenied", 403))

    with pytest.raises(StoreUnavailableError) as failure:
        queue.enqueue(ORDER, timedelta(0))

    assert failure.value.reason == "denied sqs:SendMessage on a queue"
    assert failure.value.__context__ is None
    assert len(proxy.calls_to("SendMessage")) == 1


def test_deleted_queue_is_reported_as_missing(proxy):
    queue = open_queue(proxy.url, new_queue(proxy.url))
    proxy.plan("SendMessage", respond_error("QueueDoesNotExist"))

    with pytest.raises(StoreUnavailableError) as failure:
        queue.enqueue(ORDER, timedelta(0))

    assert failure.value.reason == "no such queue in this region"
