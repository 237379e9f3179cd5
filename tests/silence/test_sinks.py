"""The whole service is silent, in every sink, with every logger turned up."""

import json
import sqlite3
from contextlib import closing
from functools import partial

import pytest

from aws.access import aws_environ, client
from aws.edges import new_bucket, new_bus, new_queue, read_queue
from aws.table import items_of, make_table
from canaries import APP_SECRET
from houses import TIMER
from kycourier.core.ticket import decode_pair
from kycourier_devkit.errors import FunctionFailed
from leak_scan import find_leaks
from loud_house import assert_silent, dump, play, start_loudly
from redis_bench import dump as dump_redis
from redis_bench import empty
from tencent import account as tencent

pytestmark = pytest.mark.enable_socket


@pytest.mark.slow
def test_no_sink_of_one_machine_holds_a_canary(house):
    house.environ["KYCOURIER_QUEUE"] = f"sqlite:///{house.folder}/queue.db"
    told = play(house)
    state = dump(house.folder / "state.db", but=("tickets",))
    manifests = [
        path.read_text() for path in (house.folder / "evidence").rglob("*.json")
    ]
    sinks = {
        "events": (house.folder / "events.jsonl").read_bytes(),
        "state": state,
        "queue": dump(house.folder / "queue.db"),
        "keys": "\n".join(house.objects()),
        "manifests": "\n".join(manifests),
    }
    assert len(house.events()) > 3
    assert manifests
    assert "collected" in state
    assert "order_no" in sinks["queue"]
    assert_silent(house, told, sinks)


@pytest.mark.slow
def test_no_sink_of_redis_holds_a_canary(house, redis_url):
    house.environ["KYCOURIER_STATE"] = empty(redis_url)
    told = play(house, "hiredis")
    rows = dump_redis(redis_url)
    [ticket] = [key for key in rows if key.endswith(b":ticket")]
    assert find_leaks(pair_in(rows.pop(ticket)[b"record"]), {"rows": str(rows)}) == []
    assert b"collected" in b"".join(str(row).encode() for row in rows.values())
    assert_silent(house, told, {"rows": str(rows)})


@pytest.mark.slow
def test_no_sink_of_aws_holds_a_canary(house, moto):
    table, bucket, bus = make_table(moto), new_bucket(moto), new_bus(moto)
    queue, heard = new_queue(moto), new_queue(moto)
    subscribe(moto, bus, heard)
    house.environ |= aws_environ(moto) | {
        "KYCOURIER_STATE": f"dynamodb://{table}",
        "KYCOURIER_EVIDENCE": f"s3://{bucket}/kyc",
        "KYCOURIER_EVENTS": f"eventbridge://{bus}",
        "KYCOURIER_QUEUE": f"sqs://{queue}",
        "KYCOURIER_APP_SECRET": "aws-ssm://app-secret",
    }
    client("ssm", moto).put_parameter(
        Name="app-secret", Value=APP_SECRET, Type="SecureString", Overwrite=True
    )
    told = play(house, "boto3", "botocore", "urllib3")
    rows = items_of(moto, table)
    [ticket] = [key for key, item in rows.items() if "pair" in item]
    pair = pair_in(rows[ticket].pop("pair")["B"])
    objects, manifests = look_into_bucket(moto, bucket)
    sinks = {
        "rows": spell(rows),
        "queue": spell(read_queue(moto, queue)),
        "events": spell(read_queue(moto, heard)),
        "objects": objects,
        "manifests": manifests,
    }
    assert "collected" in sinks["rows"]
    assert "number_masked" in sinks["events"]
    assert "order_no" in sinks["queue"]
    assert "image/jpeg" in objects
    assert find_leaks(pair, sinks) == []
    assert_silent(house, told, sinks)


@pytest.mark.slow
def test_no_sink_of_tencent_cloud_holds_a_canary(house, moto, redis_url, account, cos):
    bucket, bus, region = tencent.new_bucket(cos), account.make_bus(), tencent.REGION
    account.keep(APP_SECRET)
    house.environ |= tencent.role_environ(account.url) | {
        "TENCENTCLOUD_ENDPOINT_URL_COS": cos.url,
        "KYCOURIER_STATE": empty(redis_url),
        "KYCOURIER_EVIDENCE": f"cos://{bucket}/kyc?region={region}",
        "KYCOURIER_EVENTS": f"tencent-eb://{bus}?region={region}",
        "KYCOURIER_APP_SECRET": f"tencent-ssm://secret1?region={region}",
    }
    told = play(house, "hiredis", "urllib3", "tencentcloud")
    rows = dump_redis(redis_url)
    [ticket] = [key for key in rows if key.endswith(b":ticket")]
    pair = pair_in(rows.pop(ticket)[b"record"])
    objects, manifests = look_into_bucket(moto, bucket)
    sinks = {
        "rows": str(rows),
        "events": spell(account.eb.taken),
        "objects": objects,
        "manifests": manifests,
    }
    assert "collected" in sinks["rows"]
    assert "number_masked" in sinks["events"]
    assert "image/jpeg" in objects
    keys = [tencent.ROLE.secret_key, tencent.ROLE.token]
    assert find_leaks([*pair, *keys], {**sinks, "log": house.log.read_bytes()}) == []
    assert_silent(house, told, sinks)


def pair_in(record: bytes) -> list[str]:
    """Give the pair that the ticket record holds, and nothing else may."""
    pair = decode_pair(record)
    return [pair.token.reveal(), pair.ticket.reveal()]


def spell(found: object) -> str:
    """Spell out what a stand-in holds, bytes as text."""
    return json.dumps(found, default=partial(str, encoding="utf-8"))


def subscribe(url: str, bus: str, queue: str) -> None:
    """Let every event of a bus go to a queue."""
    events, sqs = client("events", url), client("sqs", url)
    where = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=where, AttributeNames=["QueueArn"])
    pattern = json.dumps({"source": ["kycourier"]})
    events.put_rule(Name="all", EventBusName=bus, EventPattern=pattern)
    target = {"Id": "queue", "Arn": arn["Attributes"]["QueueArn"]}
    events.put_targets(Rule="all", EventBusName=bus, Targets=[target])


def look_into_bucket(url: str, bucket: str) -> tuple[str, str]:
    """Give keys, headers, metadata and tags of all objects; and the manifests."""
    s3, told, manifests = client("s3", url), [], []
    for found in s3.list_objects_v2(Bucket=bucket)["Contents"]:
        where = {"Bucket": bucket, "Key": found["Key"]}
        head = s3.get_object(**where)
        content = head.pop("Body").read()
        told.append(f"{found} {head} {s3.get_object_tagging(**where)['TagSet']}")
        if found["Key"].endswith(".json"):
            manifests.append(content.decode())
    assert manifests
    return "\n".join(told), "\n".join(manifests)


def test_the_pair_is_in_the_ticket_record_alone(house):
    """The scan of the state is not blind: with the tickets' table it finds the pair."""
    with start_loudly(house, "refresh_ticket") as refresh:
        refresh.invoke(TIMER)
    path = house.folder / "state.db"
    canaries = house.sandbox.canaries()
    assert len(find_leaks(canaries, {"state": dump(path)})) >= 2
    assert find_leaks(canaries, {"state": dump(path, but=("tickets",))}) == []
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_leaves_a_handler_is_a_code(house):
    with start_loudly(house, "collect_results") as collect:
        with closing(sqlite3.connect(house.folder / "state.db")) as database:
            database.execute("DROP TABLE orders")
        with pytest.raises(FunctionFailed) as caught:
            collect.invoke({"order_no": "plain1"})
    assert str(caught.value) == "loud_collect_results failed: store_unavailable"
