"""The state on DynamoDB as it is opened from a setting."""

import subprocess
import sys
from datetime import timedelta

import pytest

from aws.access import surroundings
from aws.proxy import answering_json, cut, failing
from aws.table import make_table
from fakes import START
from kycourier.adapters import places
from kycourier.adapters.system import SystemClock
from kycourier.core.errors import SettingError
from kycourier.core.ticket import refresh_lease
from kycourier.setting_forms import Place
from stand_ins import IN_CLOUD

pytestmark = pytest.mark.enable_socket
STATE = Place("dynamodb", "state")


@pytest.mark.parametrize(
    ("plays", "why"),
    [
        ([failing("ResourceNotFoundException")], "no such table in this region"),
        ([failing("AccessDeniedException")], "denied dynamodb:GetItem on a table"),
        ([failing("ValidationException")], "ValidationException"),
        ([cut] * 3, "no answer"),
    ],
)
def test_a_state_that_cannot_be_used_stops_the_start(lone_proxy, plays, why):
    lone_proxy.plan("GetItem", *plays)

    with pytest.raises(SettingError) as error:
        places.open_state(STATE, surroundings(lone_proxy.url))

    assert (error.value.variable, error.value.why) == (
        "KYCOURIER_STATE",
        f"cannot be used: {why}",
    )
    assert error.value.__context__ is None


def test_opening_reads_once_strongly_and_takes_the_stores_time(lone_proxy):
    lone_proxy.plan("GetItem", answering_json())

    state = places.open_state(STATE, surroundings(lone_proxy.url, clock=SystemClock()))

    [call] = lone_proxy.calls
    assert call.name == "GetItem"
    assert (call.json["TableName"], call.json["ConsistentRead"]) == ("state", True)
    assert START <= state.orders.now() < START + timedelta(seconds=10)


@pytest.fixture(params=[pytest.param("moto", marks=IN_CLOUD)])
def url(request: pytest.FixtureRequest) -> str:
    return request.getfixturevalue(request.param)


def test_a_table_of_another_region_stops_the_start(url):
    name = make_table(url)
    elsewhere = surroundings(url, AWS_REGION="us-east-1")

    assert places.open_state(Place("dynamodb", name), surroundings(url))
    with pytest.raises(SettingError, match="no such table in this region"):
        places.open_state(Place("dynamodb", name), elsewhere)


def test_opened_state_works_by_the_stores_clock_whatever_the_workers_says(url):
    state = places.open_state(Place("dynamodb", make_table(url)), surroundings(url))

    lease = state.leases.acquire(refresh_lease("A"), owner="one", seconds=15)

    true = SystemClock().now()
    assert timedelta(0) <= true - lease.seen_at < timedelta(seconds=10)
    assert lease.ends_at - lease.seen_at == timedelta(seconds=15)


def test_nothing_of_aws_is_loaded_where_it_is_not_chosen():
    program = """
import sys
from kycourier.adapters import places
from kycourier.adapters.surroundings import Surroundings
from kycourier.adapters.system import SystemClock
from kycourier.setting_forms import Place

around = Surroundings(clock=SystemClock(), environ={"A": "secret"})
places.open_secret("app_secret", Place("env", "A"), around)
print([name for name in sys.modules if name.split(".")[0] in {"boto3", "botocore"}])
"""
    ended = subprocess.run(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        check=False,
        text=True,
        timeout=30,
    )

    assert ended.stdout.strip() == "[]"
