"""The SQS work queue: delays, and failures to send."""

import json
from datetime import timedelta

import pytest

from kycourier.core.errors import StoreUnavailableError
from kycourier.core.orders.record import OrderKey
from kycourier.ports import WorkQueue
from support.aws.aws_proxy import AwsProxy, respond_error
from support.aws.services import new_queue, open_queue, read_queue
from support.servers.emulators import EMULATOR_MARKS

pytestmark = [*EMULATOR_MARKS]
ORDER = OrderKey("SANDBOX1", "order1")


@pytest.fixture
def queue(proxy: AwsProxy) -> WorkQueue:
    return open_queue(proxy.url, new_queue(proxy.url))


@pytest.mark.parametrize(
    ("seconds", "delays"),
    [
        (0, [0]), (-5, [0]), (0.000001, [1]), (1, [1]), (4.2, [5]),
        (899.000001, [900]), (900, [900]), (900.000001, []), (172_800, []),
    ],
)  # fmt: skip
def test_delay_is_rounded_up_and_left_to_the_sweep_over_fifteen_minutes(
    proxy, queue, seconds, delays
):
    queue.enqueue(ORDER, timedelta(seconds=seconds))

    sent = proxy.requests_to("SendMessage")
    assert [body["DelaySeconds"] for body in sent] == delays
    assert proxy.responses[-1][1].status == 200


def test_message_has_no_attributes(moto):
    name = new_queue(moto)

    open_queue(moto, name).enqueue(ORDER, timedelta(0))

    (message,) = read_queue(moto, name)
    assert "MessageAttributes" not in message
    assert json.loads(message["Body"]).keys() == {"order_no", "app_id", "due"}


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("AccessDenied", "denied sqs:SendMessage on a queue"),
        ("QueueDoesNotExist", "no such queue in this region"),
    ],
)
def test_permanent_failure_to_send_is_not_retried(proxy, queue, code, reason):
    proxy.plan("SendMessage", respond_error(code, 403))

    with pytest.raises(StoreUnavailableError) as failure:
        queue.enqueue(ORDER, timedelta(0))

    assert failure.value.reason == reason
    assert failure.value.__context__ is None
    assert len(proxy.calls_to("SendMessage")) == 1
