"""Opening the DynamoDB state from its setting."""

from datetime import timedelta

import pytest

from kycourier.adapters import registry
from kycourier.adapters.system import SystemClock
from kycourier.core.errors import SettingError
from kycourier.core.leases import refresh_lease
from kycourier.settings.resource_url import ResourceUrl
from support.aws.aws_proxy import drop_call, respond_error, respond_json
from support.aws.clients import aws_context
from support.aws.dynamo_table import make_table
from support.fakes import START
from support.servers.emulators import EMULATOR_MARKS

pytestmark = pytest.mark.enable_socket
STATE = ResourceUrl("dynamodb", "state")


@pytest.mark.parametrize(
    ("scripts", "why"),
    [
        ([respond_error("ResourceNotFoundException")], "no such table in this region"),
        (
            [respond_error("AccessDeniedException")],
            "denied dynamodb:GetItem on a table",
        ),
        ([respond_error("ValidationException")], "ValidationException"),
        ([drop_call] * 3, "no response"),
    ],
)
def test_unusable_table_stops_the_start(lone_proxy, scripts, why):
    lone_proxy.plan("GetItem", *scripts)

    with pytest.raises(SettingError) as error:
        registry.open_stores(STATE, aws_context(lone_proxy.url))

    assert (error.value.variable, error.value.why) == (
        "KYCOURIER_STATE",
        f"cannot be used: {why}",
    )
    assert error.value.__context__ is None


def test_open_makes_one_consistent_read_and_sets_the_clock(lone_proxy):
    lone_proxy.plan("GetItem", respond_json())

    state = registry.open_stores(
        STATE, aws_context(lone_proxy.url, clock=SystemClock())
    )

    [call] = lone_proxy.calls
    assert call.name == "GetItem"
    assert (call.json["TableName"], call.json["ConsistentRead"]) == ("state", True)
    assert START <= state.orders.now() < START + timedelta(seconds=10)


@pytest.fixture(params=[pytest.param("moto", marks=EMULATOR_MARKS)])
def url(request: pytest.FixtureRequest) -> str:
    return request.getfixturevalue(request.param)


def test_table_of_another_region_stops_the_start(url):
    name = make_table(url)
    elsewhere = aws_context(url, AWS_REGION="us-east-1")

    assert registry.open_stores(ResourceUrl("dynamodb", name), aws_context(url))
    with pytest.raises(SettingError, match="no such table in this region"):
        registry.open_stores(ResourceUrl("dynamodb", name), elsewhere)


def test_opened_state_uses_the_stores_clock(url):
    state = registry.open_stores(
        ResourceUrl("dynamodb", make_table(url)), aws_context(url)
    )

    lease = state.leases.acquire(refresh_lease("A"), owner="one", seconds=15)

    true = SystemClock().now()
    assert timedelta(0) <= true - lease.seen_at < timedelta(seconds=10)
    assert lease.ends_at - lease.seen_at == timedelta(seconds=15)
