"""What fails on AWS or Redis takes no canary along to a crash reporter either."""

import base64

import pytest

from aws.access import surroundings
from aws.proxy import answer_json, answering, answering_json, cut, failing
from canaries import MARK
from fakes import START, FakeClock
from kycourier.adapters import places
from kycourier.adapters.redis.keys import app_key, order_key
from kycourier.core.models import Lease, OrderKey
from kycourier.core.order_record import encode_record
from kycourier.core.ticket import encode_pair, refresh_lease
from kycourier.setting_forms import Place
from records import APP, claim, settled
from redis_bench import around, empty, look_into, place_of
from silent_case import EVENT, PAIR, assert_silent, claimed, keep_photo

pytestmark = pytest.mark.slow

LEASE = Lease(owner="one", fence=1, seen_at=START, ends_at=START)
KEY = OrderKey(APP, "order1")
DONE = settled(claimed(), event=EVENT)
AWS_FAILS = {
    "cut": [cut] * 4,  # a kept connection is opened anew once
    "denied": [failing("AccessDeniedException", said=MARK)],
    "failed": [failing("InternalServerError", 500, said=MARK)] * 3,
    "refused": [failing("ConditionalCheckFailedException", said=MARK)],
}


@pytest.mark.enable_socket
class TestDynamo:
    @pytest.fixture
    def state(self, lone_proxy):
        lone_proxy.plan("GetItem", answering_json())
        around = surroundings(lone_proxy.url, left=60)
        return places.open_state(Place("dynamodb", "state"), around)

    @pytest.mark.parametrize("fails", AWS_FAILS)
    def test_pair_and_order_that_are_not_written(self, lone_proxy, state, fails):
        lone_proxy.plan("UpdateItem", *AWS_FAILS[fails])
        lone_proxy.plan("GetItem", answering_json())
        assert_silent(
            lambda: state.tickets.save(APP, PAIR, expected_generation=0, lease=LEASE)
        )
        lone_proxy.plan("UpdateItem", *AWS_FAILS[fails])
        lone_proxy.plan("GetItem", answering_json())
        assert_silent(lambda: state.orders.commit(DONE, expected=claimed()))

    def test_pair_and_order_that_are_not_read(self, lone_proxy, state):
        for content in (encode_pair(PAIR)[:-1], encode_pair(PAIR)[:-2] + b"9}"):
            lone_proxy.plan("GetItem", giving("pair", content))
            assert_silent(lambda: state.tickets.load(APP))
        lone_proxy.plan("GetItem", giving("record", encode_record(DONE)[:-1]))
        assert_silent(lambda: state.orders.load(KEY))


def giving(name: str, content: bytes):
    item = {"Item": {name: {"B": base64.b64encode(content).decode()}}}
    return lambda *_: answer_json(item)


@pytest.mark.enable_socket
@pytest.mark.parametrize("fails", ["cut", "denied", "failed"])
@pytest.mark.parametrize("scheme", ["eventbridge", "sqs"])
def test_event_that_no_sink_takes(lone_proxy, scheme, fails):
    url = f"{lone_proxy.url}/1/queue"
    lone_proxy.plan("DescribeEventBus", answering_json(Name="one"))
    lone_proxy.plan("GetQueueUrl", answering_json(QueueUrl=url))
    around = surroundings(lone_proxy.url, left=60)
    sink = places.open_events(Place(scheme, "one"), around)
    for name in ("PutEvents", "SendMessageBatch"):
        lone_proxy.plan(name, *AWS_FAILS[fails])
    assert_silent(lambda: sink.publish([EVENT]))


NOT_TEXT = base64.b64encode(MARK.encode() + b"\xff").decode()
NOT_JSON = answering(200, f'{{"Value": "{MARK}'.encode())


@pytest.mark.enable_socket
@pytest.mark.parametrize(
    ("scheme", "name", "plays"),
    [
        ("aws-ssm", "GetParameter", [NOT_JSON] * 3),
        ("aws-secretsmanager", "GetSecretValue", [NOT_JSON] * 3),
        (
            "aws-secretsmanager",
            "GetSecretValue",
            [answering_json(SecretBinary=NOT_TEXT)],
        ),
    ],
)
def test_secret_that_cannot_be_used(lone_proxy, scheme, name, plays):
    good = {"Parameter": {"Value": "synthetic"}, "SecretString": "synthetic"}
    lone_proxy.plan(name, answering_json(**good))
    around = surroundings(lone_proxy.url, left=60)
    source = places.open_secret("ticket", Place(scheme, "kept"), around)
    lone_proxy.plan(name, *plays)
    assert_silent(source.load)


@pytest.mark.enable_socket
@pytest.mark.parametrize("play", [answering(403), answering(404), cut])
def test_photo_that_no_bucket_takes(lone_proxy, play):
    listing = b'<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"/>'
    lone_proxy.plan("GET", answering(200, listing), *[play] * 9)
    lone_proxy.plan("PUT", *[play] * 9)
    around = surroundings(lone_proxy.url, left=60)
    place = Place("s3", "bucket/prefix")
    store = places.open_evidence(place, around, state=Place("dynamodb", "state"))
    assert_silent(lambda: keep_photo(store))


@pytest.fixture
def redis(redis_url):
    return look_into(empty(redis_url))


@pytest.mark.enable_socket
class TestRedis:
    @pytest.fixture
    def state(self, redis, redis_url):
        assert redis.ping()
        return places.open_state(place_of(redis_url), around(FakeClock()))

    def test_pair_that_is_not_saved(self, redis, state):
        name = refresh_lease(APP)
        lease = state.leases.acquire(name, owner="one", seconds=15)
        save = state.tickets.save
        assert_silent(lambda: save(APP, PAIR, expected_generation=7, lease=lease))
        redis.set(app_key(APP, "ticket"), "no hash")
        assert_silent(lambda: save(APP, PAIR, expected_generation=0, lease=lease))

    def test_pair_and_order_that_are_not_read(self, redis, state):
        redis.hset(app_key(APP, "ticket"), "record", encode_pair(PAIR)[:-1])
        assert_silent(lambda: state.tickets.load(APP))
        redis.hset(order_key(KEY), "record", encode_record(DONE)[:-1])
        assert_silent(lambda: state.orders.load(KEY))
        assert_silent(lambda: claim(state.orders))

    def test_order_that_is_not_written(self, redis, state):
        assert_silent(lambda: state.orders.commit(DONE, expected=claimed()))
        redis.set(order_key(KEY), "no hash")
        assert_silent(lambda: state.orders.commit(DONE, expected=claimed()))
        assert_silent(lambda: state.orders.register(DONE))

    def test_secret_that_is_no_text(self, redis, redis_url):
        redis.set("theirs", MARK)
        source = places.open_secret("ticket", place_of(f"{redis_url}#theirs"), around())
        redis.set("theirs", MARK.encode() + b"\xff")
        assert_silent(source.load)
