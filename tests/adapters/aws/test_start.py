"""Start checks: each resource on AWS is looked up once when its adapter opens."""

from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

import pytest

from kycourier.adapters import registry
from kycourier.adapters.system import SystemClock
from kycourier.core.leases import refresh_lease
from kycourier.settings.resource_url import ResourceUrl
from support.aws.aws_proxy import Script, drop_call, respond_error, respond_json
from support.aws.clients import aws_client, aws_context, new_name
from support.aws.dynamo_table import make_table
from support.aws.services import new_bus, new_queue, open_sink
from support.fakes import START
from support.servers.hostile_server import closed_port
from support.start_checks import start_failure

pytestmark = pytest.mark.enable_socket


def new_secret(url: str) -> str:
    name = new_name("secret")
    aws_client("secretsmanager", url).create_secret(Name=name, SecretString="synthetic")
    return name


def new_parameter(url: str) -> str:
    name = new_name("secret")
    aws_client("ssm", url).put_parameter(
        Name=name, Value="synthetic", Type="SecureString"
    )
    return name


class Resource(NamedTuple):
    """A resource's setting, URL scheme, kind, permission of the lookup, and maker."""

    setting: str
    scheme: str
    kind: str
    permission: str
    create: Callable[[str], str]


RESOURCES = {
    "bus": Resource("EVENTS", "eventbridge", "bus", "events:DescribeEventBus", new_bus),
    "queue of events": Resource("EVENTS", "sqs", "queue", "sqs:GetQueueUrl", new_queue),
    "queue of work": Resource("QUEUE", "sqs", "queue", "sqs:GetQueueUrl", new_queue),
    "table": Resource("STATE", "dynamodb", "table", "dynamodb:GetItem", make_table),
    "secret": Resource(
        *("APP_SECRET", "aws-secretsmanager", "secret"),
        *("secretsmanager:GetSecretValue", new_secret),
    ),
    "parameter": Resource(
        "APP_SECRET", "aws-ssm", "parameter", "ssm:GetParameter", new_parameter
    ),
}


@pytest.fixture(params=RESOURCES)
def resource(request: pytest.FixtureRequest) -> Resource:
    return RESOURCES[request.param]


@pytest.mark.slow
def test_missing_resource_stops_the_start(resource, moto):
    url = f"{resource.scheme}://{new_name('none')}"

    reason = start_failure(resource.setting, url, aws_context(moto))

    assert reason == f"no such {resource.kind} in this region"


@pytest.mark.slow
def test_resource_of_another_region_stops_the_start(resource, moto):
    url = f"{resource.scheme}://{resource.create(moto)}"
    elsewhere = aws_context(moto, AWS_REGION="eu-central-1")

    reason = start_failure(resource.setting, url, elsewhere)

    assert reason == f"no such {resource.kind} in this region"


def test_denied_lookup_stops_the_start_and_is_not_retried(resource, lone_proxy):
    operation = resource.permission.partition(":")[2]
    lone_proxy.plan(operation, respond_error("AccessDeniedException"))

    reason = start_failure(
        resource.setting, f"{resource.scheme}://name1", aws_context(lone_proxy.url)
    )

    assert reason == f"denied {resource.permission} on a {resource.kind}"
    assert len(lone_proxy.calls) == 1


def test_unreachable_endpoint_stops_the_start(resource):
    context = aws_context(f"http://127.0.0.1:{closed_port()}")

    reason = start_failure(resource.setting, f"{resource.scheme}://name1", context)

    assert reason == "unreachable"


@pytest.mark.slow
def test_fifo_queue_cannot_hold_delayed_work(moto):
    url = f"sqs://{new_queue(moto, suffix='.fifo')}"

    reason = start_failure("QUEUE", url, aws_context(moto))

    assert reason == "a .fifo queue cannot delay a message"


def test_table_that_does_not_respond_stops_the_start(lone_proxy):
    lone_proxy.plan("GetItem", *[drop_call] * 3)

    reason = start_failure("STATE", "dynamodb://table1", aws_context(lone_proxy.url))

    assert reason == "no response"


@pytest.mark.slow
@pytest.mark.parametrize(
    "script",
    [
        respond_error("ThrottlingException"),
        respond_error("InternalFailure", 500),
        drop_call,
    ],
    ids=["throttled", "failed", "dropped"],
)
def test_transient_fault_of_a_bus_does_not_stop_the_start(proxy, script: Script):
    bus = new_bus(proxy.url)
    proxy.plan("DescribeEventBus", *[script] * 3)

    open_sink(proxy.url, "eventbridge", bus)

    assert len(proxy.calls_to("DescribeEventBus")) == 3


# the table's clock


def test_opening_a_table_makes_one_consistent_read_and_sets_the_clock(lone_proxy):
    lone_proxy.plan("GetItem", respond_json())
    context = aws_context(lone_proxy.url, clock=SystemClock())

    state = registry.open_stores(ResourceUrl("dynamodb", "table1"), context)

    [call] = lone_proxy.calls
    assert (call.json["TableName"], call.json["ConsistentRead"]) == ("table1", True)
    assert START <= state.orders.now() < START + timedelta(seconds=10)


@pytest.mark.slow
def test_leases_of_an_opened_table_are_on_its_clock(moto):
    url = ResourceUrl("dynamodb", make_table(moto))
    state = registry.open_stores(url, aws_context(moto))

    lease = state.leases.acquire(refresh_lease("A"), owner="one", seconds=15)

    true = SystemClock().now()
    assert timedelta(0) <= true - lease.seen_at < timedelta(seconds=10)
