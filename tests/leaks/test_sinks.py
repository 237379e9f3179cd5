"""No sink of the whole service holds a canary with all loggers at DEBUG."""

import json
from functools import partial

import pytest

from kycourier.core.tickets.pair import decode_pair
from support import tencent_api_rig as tencent
from support.aws.clients import aws_client, aws_environ
from support.aws.dynamo_table import items_of, make_table
from support.aws.services import (
    new_bucket,
    new_bus,
    new_queue,
    read_queue,
    wait_for_messages,
)
from support.leaks.canaries import APP_SECRET
from support.leaks.leak_scan import find_leaks
from support.leaks.noisy_service import (
    assert_no_leaks,
    dump_sqlite,
    exercise_service,
    start_noisy,
)
from support.processes.service_rig import TIMER_EVENT
from support.rigs.recipient import PUBLIC
from support.rigs.redis_rig import dump_redis, flush

pytestmark = pytest.mark.enable_socket


SEALING = {"RECIPIENT": PUBLIC, "KYCOURIER_RECIPIENT_KEY": "env:RECIPIENT"}
JWE_START = "eyJ"


@pytest.fixture(params=[False, True], ids=["unsealed", "sealed"])
def is_sealed(request, service_rig):
    """Run a test without and with a recipient's key."""
    if request.param:
        service_rig.environ |= SEALING
    return request.param


@pytest.mark.slow
def test_no_local_sink_holds_a_canary(service_rig, is_sealed):
    service_rig.environ["KYCOURIER_QUEUE"] = f"sqlite:///{service_rig.folder}/queue.db"
    responses = exercise_service(service_rig)
    state = dump_sqlite(service_rig.folder / "state.db", but=("tickets",))
    manifests = [
        path.read_text() for path in (service_rig.folder / "evidence").rglob("*.json")
    ]
    sinks = {
        "events": (service_rig.folder / "events.jsonl").read_bytes(),
        "state": state,
        "queue": dump_sqlite(service_rig.folder / "queue.db"),
        "keys": "\n".join(service_rig.objects()),
        "manifests": "\n".join(manifests),
    }
    sealed = [each["data"].get("sealed") for each in service_rig.events()]
    assert len(sealed) > 3
    assert any(sealed) == is_sealed
    assert manifests
    assert "collected" in state
    assert "order_no" in sinks["queue"]
    assert_no_leaks(service_rig, responses, sinks)


@pytest.mark.slow
def test_no_sink_of_redis_holds_a_canary(service_rig, redis_url):
    service_rig.environ |= SEALING | {"KYCOURIER_STATE": flush(redis_url)}
    responses = exercise_service(service_rig, "hiredis")
    rows = dump_redis(redis_url)
    [ticket] = [key for key in rows if key.endswith(b":ticket")]
    assert find_leaks(pair_in(rows.pop(ticket)[b"record"]), {"rows": str(rows)}) == []
    assert b"collected" in b"".join(str(row).encode() for row in rows.values())
    assert JWE_START in str(rows)
    assert_no_leaks(service_rig, responses, {"rows": str(rows)})


@pytest.mark.slow
def test_no_sink_of_aws_holds_a_canary(service_rig, moto, is_sealed):
    table, bucket, bus = make_table(moto), new_bucket(moto), new_bus(moto)
    queue, received = new_queue(moto), new_queue(moto)
    subscribe(moto, bus, received)
    service_rig.environ |= aws_environ(moto) | {
        "KYCOURIER_STATE": f"dynamodb://{table}",
        "KYCOURIER_EVIDENCE": f"s3://{bucket}/kyc",
        "KYCOURIER_EVENTS": f"eventbridge://{bus}",
        "KYCOURIER_QUEUE": f"sqs://{queue}",
        "KYCOURIER_APP_SECRET": "aws-ssm://app-secret",
    }
    aws_client("ssm", moto).put_parameter(
        Name="app-secret", Value=APP_SECRET, Type="SecureString", Overwrite=True
    )
    responses = exercise_service(service_rig, "boto3", "botocore", "urllib3")
    rows = items_of(moto, table)
    [ticket] = [key for key, item in rows.items() if "pair" in item]
    pair = pair_in(rows[ticket].pop("pair")["B"])
    objects, manifests = read_bucket(moto, bucket)
    sinks = {
        "rows": to_text(rows),
        "queue": to_text(wait_for_messages(moto, queue)),
        "events": to_text(read_queue(moto, received)),
        "objects": objects,
        "manifests": manifests,
    }
    assert "collected" in sinks["rows"]
    assert "number_masked" in sinks["events"]
    assert (JWE_START in sinks["rows"]) == is_sealed
    assert (JWE_START in sinks["events"]) == is_sealed
    assert "order_no" in sinks["queue"]
    assert "image/jpeg" in objects
    assert find_leaks(pair, sinks) == []
    assert_no_leaks(service_rig, responses, sinks)


@pytest.mark.slow
def test_no_sink_of_tencent_cloud_holds_a_canary(
    service_rig, moto, redis_url, account, cos
):
    bucket, bus, region = tencent.new_bucket(cos), account.make_bus(), tencent.REGION
    account.keep(APP_SECRET)
    service_rig.environ |= (
        SEALING
        | tencent.role_environ(account.url)
        | {
            "TENCENTCLOUD_ENDPOINT_URL_COS": cos.url,
            "KYCOURIER_STATE": flush(redis_url),
            "KYCOURIER_EVIDENCE": f"cos://{bucket}/kyc?region={region}",
            "KYCOURIER_EVENTS": f"tencent-eb://{bus}?region={region}",
            "KYCOURIER_APP_SECRET": f"tencent-ssm://secret1?region={region}",
        }
    )
    responses = exercise_service(service_rig, "hiredis", "urllib3", "tencentcloud")
    rows = dump_redis(redis_url)
    [ticket] = [key for key in rows if key.endswith(b":ticket")]
    pair = pair_in(rows.pop(ticket)[b"record"])
    objects, manifests = read_bucket(moto, bucket)
    sinks = {
        "rows": str(rows),
        "events": to_text(account.eb.taken),
        "objects": objects,
        "manifests": manifests,
    }
    assert "collected" in sinks["rows"]
    assert "number_masked" in sinks["events"]
    assert JWE_START in sinks["events"]
    assert "image/jpeg" in objects
    keys = [tencent.ROLE.secret_key, tencent.ROLE.token]
    assert (
        find_leaks([*pair, *keys], {**sinks, "log": service_rig.log.read_bytes()}) == []
    )
    assert_no_leaks(service_rig, responses, sinks)


def pair_in(record: bytes) -> list[str]:
    """Return the pair that only the ticket record may hold."""
    pair = decode_pair(record)
    return [pair.token.expose(), pair.ticket.expose()]


def to_text(content: object) -> str:
    """Return what an emulator holds as text."""
    return json.dumps(content, default=partial(str, encoding="utf-8"))


def subscribe(url: str, bus: str, queue: str) -> None:
    """Route every event of a bus to a queue."""
    events, sqs = aws_client("events", url), aws_client("sqs", url)
    queue_url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])
    pattern = json.dumps({"source": ["kycourier"]})
    events.put_rule(Name="all", EventBusName=bus, EventPattern=pattern)
    target = {"Id": "queue", "Arn": arn["Attributes"]["QueueArn"]}
    events.put_targets(Rule="all", EventBusName=bus, Targets=[target])


def read_bucket(url: str, bucket: str) -> tuple[str, str]:
    """Return the metadata of all objects, and the manifests."""
    s3, metadata, manifests = aws_client("s3", url), [], []
    for found in s3.list_objects_v2(Bucket=bucket)["Contents"]:
        location = {"Bucket": bucket, "Key": found["Key"]}
        head = s3.get_object(**location)
        content = head.pop("Body").read()
        metadata.append(f"{found} {head} {s3.get_object_tagging(**location)['TagSet']}")
        if found["Key"].endswith(".json"):
            manifests.append(content.decode())
    assert manifests
    return "\n".join(metadata), "\n".join(manifests)


def test_pair_is_only_in_the_ticket_record(service_rig):
    """The scan finds the pair in the tickets table, and nowhere else."""
    with start_noisy(service_rig, "refresh_ticket") as refresh:
        refresh.invoke(TIMER_EVENT)
    path = service_rig.folder / "state.db"
    canaries = service_rig.sandbox.canaries()
    assert len(find_leaks(canaries, {"state": dump_sqlite(path)})) >= 2
    assert find_leaks(canaries, {"state": dump_sqlite(path, but=("tickets",))}) == []
    assert path.stat().st_mode & 0o777 == 0o600
