"""Failures on AWS, Tencent Cloud and Redis expose no canary to a crash reporter."""

import base64
from contextlib import closing

import pytest

from kycourier.adapters import registry
from kycourier.adapters.redis.keys import app_key, order_key
from kycourier.core.leases import Lease, refresh_lease
from kycourier.core.orders.record import OrderKey, encode_record
from kycourier.core.tickets.pair import encode_pair
from kycourier.settings.resource_url import ResourceUrl
from support.aws.aws_proxy import (
    AwsProxy,
    drop_call,
    json_response,
    respond,
    respond_error,
    respond_json,
)
from support.aws.clients import aws_context
from support.fakes import START, FakeClock
from support.leaks.canaries import MARK
from support.leaks.crash_cases import (
    EVENT,
    PAIR,
    assert_failure_leaks_nothing,
    claimed_order,
    store_photo,
)
from support.rigs.redis_rig import flush, raw_client, redis_context, split_url
from support.sample_records import APP, claim, settled
from support.servers.emulators import EMULATOR_MARKS
from support.tencent_api_rig import new_bucket, open_evidence, open_secret, open_sink

pytestmark = [*EMULATOR_MARKS]

LEASE = Lease(owner="one", fence=1, seen_at=START, ends_at=START)
KEY = OrderKey(APP, "order1")
DONE = settled(claimed_order(), event=EVENT)
AWS_FAILS = {
    "cut": [drop_call] * 4,  # a dead kept connection is replaced once
    "denied": [respond_error("AccessDeniedException", message=MARK)],
    "failed": [respond_error("InternalServerError", 500, message=MARK)] * 3,
    "refused": [respond_error("ConditionalCheckFailedException", message=MARK)],
}


class TestDynamo:
    @pytest.fixture
    def state(self, lone_proxy):
        lone_proxy.plan("GetItem", respond_json())
        context = aws_context(lone_proxy.url, left=60)
        return registry.open_stores(ResourceUrl("dynamodb", "state"), context)

    @pytest.mark.parametrize("fails", AWS_FAILS)
    def test_failed_writes_leak_nothing(self, lone_proxy, state, fails):
        for write in (
            lambda: state.tickets.put(APP, PAIR, expected_generation=0, lease=LEASE),
            lambda: state.orders.commit(DONE, expected=claimed_order()),
        ):
            lone_proxy.plan("UpdateItem", *AWS_FAILS[fails])
            lone_proxy.plan("GetItem", respond_json())
            assert_failure_leaks_nothing(write)

    def test_damaged_record_leaks_nothing(self, lone_proxy, state):
        for content in (encode_pair(PAIR)[:-1], encode_pair(PAIR)[:-2] + b"9}"):
            lone_proxy.plan("GetItem", respond_item("pair", content))
            assert_failure_leaks_nothing(lambda: state.tickets.get(APP))
        lone_proxy.plan("GetItem", respond_item("record", encode_record(DONE)[:-1]))
        assert_failure_leaks_nothing(lambda: state.orders.get(KEY))


def respond_item(name: str, content: bytes):
    item = {"Item": {name: {"B": base64.b64encode(content).decode()}}}
    return lambda *_: json_response(item)


@pytest.mark.parametrize("fails", ["cut", "denied", "failed"])
@pytest.mark.parametrize("scheme", ["eventbridge", "sqs"])
def test_failed_publish_leaks_nothing(lone_proxy, scheme, fails):
    url = f"{lone_proxy.url}/1/queue"
    lone_proxy.plan("DescribeEventBus", respond_json(Name="one"))
    lone_proxy.plan("GetQueueUrl", respond_json(QueueUrl=url))
    context = aws_context(lone_proxy.url, left=60)
    sink = registry.open_events(ResourceUrl(scheme, "one"), context)
    for name in ("PutEvents", "SendMessageBatch"):
        lone_proxy.plan(name, *AWS_FAILS[fails])
    assert_failure_leaks_nothing(lambda: sink.publish([EVENT]))


NOT_TEXT = base64.b64encode(MARK.encode() + b"\xff").decode()
NOT_JSON = respond(200, f'{{"Value": "{MARK}'.encode())


@pytest.mark.parametrize(
    ("scheme", "name", "scripts"),
    [
        ("aws-ssm", "GetParameter", [NOT_JSON] * 3),
        ("aws-secretsmanager", "GetSecretValue", [NOT_JSON] * 3),
        ("aws-secretsmanager", "GetSecretValue", [respond_json(SecretBinary=NOT_TEXT)]),
    ],
)
def test_unusable_secret_leaks_nothing(lone_proxy, scheme, name, scripts):
    good = {"Parameter": {"Value": "synthetic"}, "SecretString": "synthetic"}
    lone_proxy.plan(name, respond_json(**good))
    context = aws_context(lone_proxy.url, left=60)
    source = registry.open_secret("ticket", ResourceUrl(scheme, "kept"), context)
    lone_proxy.plan(name, *scripts)
    assert_failure_leaks_nothing(source.get)


@pytest.mark.parametrize("script", [respond(403), respond(404), drop_call])
def test_failed_evidence_put_leaks_nothing(lone_proxy, script):
    listing = b'<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"/>'
    lone_proxy.plan("GET", respond(200, listing), *[script] * 9)
    lone_proxy.plan("PUT", *[script] * 9)
    context = aws_context(lone_proxy.url, left=60)
    url, state = ResourceUrl("s3", "bucket/prefix"), ResourceUrl("dynamodb", "state")
    store = registry.open_evidence(url, context, state=state)
    assert_failure_leaks_nothing(lambda: store_photo(store))


TENCENT_CALLS = ["GET", "HEAD", "PUT", "PutEvents"]
TENCENT_CALLS += ["ListSecretVersionIds", "GetSecretValue"]
REFUSAL = f'{{"Response":{{"Error":{{"Code":"{MARK}","Message":"{MARK}"}}}}}}'
TENCENT_FAILS = {
    "cut": drop_call,
    "failed": respond(503, MARK.encode()),
    "refused": respond(200, REFUSAL.encode()),
    "garbage": respond(200, f'{{"Response":"{MARK}"}}'.encode()),
}


@pytest.mark.parametrize("fails", TENCENT_FAILS)
def test_failed_calls_of_tencent_cloud_leak_nothing(account, cos, fails):
    account.keep(f"{MARK}value")
    with closing(AwsProxy(account.url)) as api, closing(AwsProxy(cos.url)) as bucket:
        sink = open_sink(api.url, account.make_bus())
        source = open_secret(api.url)
        store = open_evidence(bucket.url, new_bucket(cos))
        for name in TENCENT_CALLS:
            for proxy in (api, bucket):
                proxy.plan(name, *[TENCENT_FAILS[fails]] * 9)

        assert_failure_leaks_nothing(lambda: sink.publish([EVENT]))
        assert_failure_leaks_nothing(source.get)
        assert_failure_leaks_nothing(lambda: store_photo(store))


def test_secret_of_tencent_cloud_that_is_not_utf8_leaks_nothing(account):
    account.keep(NOT_TEXT.encode())

    secret = registry.UnwrappedSecret(open_secret(account.url), None)
    assert_failure_leaks_nothing(secret.get)


@pytest.fixture
def redis(redis_url):
    return raw_client(flush(redis_url))


class TestRedis:
    @pytest.fixture
    def state(self, redis, redis_url):
        assert redis.ping()
        return registry.open_stores(split_url(redis_url), redis_context(FakeClock()))

    def test_rejected_ticket_put_leaks_nothing(self, redis, state):
        name = refresh_lease(APP)
        lease = state.leases.acquire(name, owner="one", seconds=15)
        put = state.tickets.put
        assert_failure_leaks_nothing(
            lambda: put(APP, PAIR, expected_generation=7, lease=lease)
        )
        redis.set(app_key(APP, "ticket"), "no hash")
        assert_failure_leaks_nothing(
            lambda: put(APP, PAIR, expected_generation=0, lease=lease)
        )

    def test_damaged_record_leaks_nothing(self, redis, state):
        redis.hset(app_key(APP, "ticket"), "record", encode_pair(PAIR)[:-1])
        assert_failure_leaks_nothing(lambda: state.tickets.get(APP))
        redis.hset(order_key(KEY), "record", encode_record(DONE)[:-1])
        assert_failure_leaks_nothing(lambda: state.orders.get(KEY))
        assert_failure_leaks_nothing(lambda: claim(state.orders))

    def test_failed_order_write_leaks_nothing(self, redis, state):
        assert_failure_leaks_nothing(
            lambda: state.orders.commit(DONE, expected=claimed_order())
        )
        redis.set(order_key(KEY), "no hash")
        assert_failure_leaks_nothing(
            lambda: state.orders.commit(DONE, expected=claimed_order())
        )
        assert_failure_leaks_nothing(lambda: state.orders.register(DONE))

    def test_secret_that_is_not_utf8_leaks_nothing(self, redis, redis_url):
        redis.set("theirs", MARK)
        source = registry.open_secret(
            "ticket", split_url(f"{redis_url}#theirs"), redis_context()
        )
        redis.set("theirs", MARK.encode() + b"\xff")
        assert_failure_leaks_nothing(source.get)
