"""The real functions on AWS's edges: evidence, events, delayed work and secrets."""

import hashlib
import json

import pytest

from aws.access import aws_environ, client, new_name
from aws.edges import new_bucket, new_bus, new_queue, read_queue
from houses import TIMER, batch
from kycourier.adapters.local.tickets import SqliteTicketStore
from kycourier_devkit.errors import FunctionNotStarted
from kycourier_devkit.sandbox import APP_ID
from leak_scan import find_leaks
from stand_ins import IN_CLOUD

pytestmark = [*IN_CLOUD]


@pytest.fixture
def places(house, moto):
    """Move the house's edges to AWS, and name them."""
    names = {
        "bucket": new_bucket(moto),
        "bus": new_bus(moto),
        "events": new_queue(moto),
        "queue": new_queue(moto),
        "ticket": new_name("ticket"),
    }
    house.environ |= {
        **aws_environ(moto),
        "KYCOURIER_EVIDENCE": f"s3://{names['bucket']}/kyc",
        "KYCOURIER_EVENTS": f"sqs://{names['events']}",
        "KYCOURIER_QUEUE": f"sqs://{names['queue']}",
    }
    return names


def buy_ticket(house, name: str) -> str:
    """Buy a pair as somebody else would, in a state of their own."""
    path = house.folder / f"{name}.db"
    with house.start("refresh_ticket", KYCOURIER_STATE=f"sqlite:///{path}") as refresh:
        refresh.invoke(TIMER)
    return SqliteTicketStore(path).load(APP_ID).ticket.reveal()


def collected(moto, places) -> list[dict]:
    """Give the events that came, each as its order."""
    messages = read_queue(moto, places["events"])
    return [json.loads(message["Body"]) for message in messages]


def test_order_is_collected_with_its_evidence_in_the_bucket(house, moto, places):
    with house.start("refresh_ticket") as refresh:
        refresh.invoke(TIMER)
    with house.start("collect_results") as collect:
        answer = collect.invoke(batch("plain1"))

    assert answer == {"batchItemFailures": []}
    (event,) = collected(moto, places)
    assert event["subject"] == "plain1"
    s3, base = client("s3", moto), f"s3://{places['bucket']}/"
    objects = [*event["data"]["photos"], event["data"]["manifest"]]
    assert len(objects) == 4
    for named in objects:
        assert named["uri"].startswith(f"{base}kyc/{APP_ID}/")
        key = named["uri"].removeprefix(base)
        kept = s3.get_object(Bucket=places["bucket"], Key=key)
        digest = hashlib.sha256(kept["Body"].read()).hexdigest()
        assert digest == named["sha256"]
    assert kept["ContentType"] == "application/json"


def test_order_that_is_not_ready_comes_back_through_the_queue(house, moto, places):
    with house.start("refresh_ticket") as refresh:
        refresh.invoke(TIMER)
    with house.start("collect_results") as collect:
        collect.invoke(batch("notready1x1"))

    sqs = client("sqs", moto)
    url = sqs.get_queue_url(QueueName=places["queue"])["QueueUrl"]
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesDelayed"]
    told = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    assert sum(int(told[name]) for name in names) == 1
    assert collected(moto, places) == []


@pytest.mark.parametrize("scheme", ["aws-secretsmanager", "aws-ssm"])
def test_ticket_that_somebody_else_renews_in_aws_is_read_again_when_refused(
    house, moto, places, scheme
):
    def keep(ticket: str) -> None:
        name = places["ticket"]
        if scheme == "aws-ssm":
            client("ssm", moto).put_parameter(
                Name=name, Value=ticket, Type="SecureString", Overwrite=True
            )
        else:
            client("secretsmanager", moto).put_secret_value(
                SecretId=name, SecretString=json.dumps({"ticket": ticket})
            )

    client("secretsmanager", moto).create_secret(Name=places["ticket"])
    first = buy_ticket(house, "first")
    keep(first)
    ticket = {"KYCOURIER_TICKET": f"{scheme}://{places['ticket']}"}
    with house.start("collect_results", **ticket) as collect:
        collect.invoke(batch("plain1"))
        house.sandbox.kill_ticket()
        keep(second := buy_ticket(house, "second"))
        collect.invoke(batch("plain2"))  # within 15 s of the first reading

    assert first != second
    orders = [(event["subject"], event["type"]) for event in collected(moto, places)]
    kind = "kycourier.ocr.collected.v1"
    assert orders == [("plain1", kind), ("plain2", kind)]


@pytest.mark.usefixtures("places")
def test_bus_that_is_not_there_stops_the_start_with_the_settings_name(house):
    absent = house.start("collect_results", KYCOURIER_EVENTS="eventbridge://canary")

    with pytest.raises(FunctionNotStarted) as failure:
        absent.wait_until_ready()

    told, log = str(failure.value), house.log.read_text()
    assert "KYCOURIER_EVENTS: cannot be used: no such bus in this region" in told
    assert find_leaks(["canary"], {"log": log, "error": told}) == []
