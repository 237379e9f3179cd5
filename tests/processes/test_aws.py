"""The real functions with S3 evidence, SQS events and queue, and AWS secrets."""

import hashlib
import json

import pytest

from kycourier_devkit.errors import FunctionStartError
from kycourier_devkit.sandbox import APP_ID
from support.aws.clients import aws_client, aws_environ, new_name
from support.aws.services import new_bucket, new_bus, new_queue, read_queue
from support.leaks.leak_scan import find_leaks
from support.processes.service_rig import TIMER_EVENT, queue_batch
from support.servers.emulators import EMULATOR_MARKS

pytestmark = [*EMULATOR_MARKS]


@pytest.fixture
def resources(service_rig, moto):
    """Configure AWS resources for the functions; returns their names."""
    names = {
        "bucket": new_bucket(moto),
        "bus": new_bus(moto),
        "events": new_queue(moto),
        "queue": new_queue(moto),
        "ticket": new_name("ticket"),
    }
    service_rig.environ |= {
        **aws_environ(moto),
        "KYCOURIER_EVIDENCE": f"s3://{names['bucket']}/kyc",
        "KYCOURIER_EVENTS": f"sqs://{names['events']}",
        "KYCOURIER_QUEUE": f"sqs://{names['queue']}",
    }
    return names


def received_events(moto, resources) -> list[dict]:
    """Return the events of the queue."""
    messages = read_queue(moto, resources["events"])
    return [json.loads(message["Body"]) for message in messages]


def test_evidence_of_a_collected_order_is_in_the_bucket(service_rig, moto, resources):
    with service_rig.start("refresh_ticket") as refresh:
        refresh.invoke(TIMER_EVENT)
    with service_rig.start("collect_results") as collect:
        response = collect.invoke(queue_batch("plain1"))

    assert response == {"batchItemFailures": []}
    (event,) = received_events(moto, resources)
    assert event["subject"] == "plain1"
    s3, base = aws_client("s3", moto), f"s3://{resources['bucket']}/"
    objects = [*event["data"]["photos"], event["data"]["manifest"]]
    assert len(objects) == 4
    for each in objects:
        assert each["uri"].startswith(f"{base}kyc/{APP_ID}/")
        key = each["uri"].removeprefix(base)
        stored = s3.get_object(Bucket=resources["bucket"], Key=key)
        digest = hashlib.sha256(stored["Body"].read()).hexdigest()
        assert digest == each["sha256"]
    assert stored["ContentType"] == "application/json"


def test_order_that_is_not_ready_is_enqueued_again(service_rig, moto, resources):
    with service_rig.start("refresh_ticket") as refresh:
        refresh.invoke(TIMER_EVENT)
    with service_rig.start("collect_results") as collect:
        collect.invoke(queue_batch("notready1x1"))

    sqs = aws_client("sqs", moto)
    url = sqs.get_queue_url(QueueName=resources["queue"])["QueueUrl"]
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesDelayed"]
    counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    assert sum(int(counts[name]) for name in names) == 1
    assert received_events(moto, resources) == []


@pytest.mark.parametrize("scheme", ["aws-secretsmanager", "aws-ssm"])
def test_foreign_ticket_in_aws_is_read_again_after_it_is_refused(
    service_rig, moto, resources, issue_foreign_ticket, scheme
):
    def store(ticket: str) -> None:
        name = resources["ticket"]
        if scheme == "aws-ssm":
            aws_client("ssm", moto).put_parameter(
                Name=name, Value=ticket, Type="SecureString", Overwrite=True
            )
        else:
            aws_client("secretsmanager", moto).put_secret_value(
                SecretId=name, SecretString=json.dumps({"ticket": ticket})
            )

    aws_client("secretsmanager", moto).create_secret(Name=resources["ticket"])
    first = issue_foreign_ticket("first")
    store(first)
    ticket = {"KYCOURIER_TICKET": f"{scheme}://{resources['ticket']}"}
    with service_rig.start("collect_results", **ticket) as collect:
        collect.invoke(queue_batch("plain1"))
        service_rig.sandbox.kill_ticket()
        store(second := issue_foreign_ticket("second"))
        collect.invoke(queue_batch("plain2"))  # within 15 s of the first read

    assert first != second
    orders = [
        (event["subject"], event["type"]) for event in received_events(moto, resources)
    ]
    event_type = "kycourier.ocr.collected.v1"
    assert orders == [("plain1", event_type), ("plain2", event_type)]


@pytest.mark.usefixtures("resources")
def test_absent_event_bus_fails_the_start_and_names_the_setting(service_rig):
    process = service_rig.start(
        "collect_results", KYCOURIER_EVENTS="eventbridge://canary"
    )

    with pytest.raises(FunctionStartError) as failure:
        process.wait_until_ready()

    error, log = str(failure.value), service_rig.log.read_text()
    assert "KYCOURIER_EVENTS: cannot be used: no such bus in this region" in error
    assert find_leaks(["canary"], {"log": log, "error": error}) == []
