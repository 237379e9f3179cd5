"""template.yaml as a stack in moto: what stands there then, and what a person does.

moto does not keep all that it is given (versioning, the table's encryption, and more):
test_resources looks at that in the translated template.
"""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aws.access import aws_environ, client
from kycourier_devkit.errors import StackNotMade, ToolMissing
from kycourier_devkit.stand_ins.stack import Stack, make_stack
from kycourier_devkit.toolbox import ROOT
from rendered import APP_ID, BY_TOOLS, copy_project

pytestmark = BY_TOOLS

Client = Callable[[str], Any]


@pytest.fixture(scope="module")
def stack(moto: str, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """Make the stack once."""
    folder = copy_project(tmp_path_factory.mktemp("stack"))
    name = f"stack-{folder.parent.name}".replace("_", "-")
    try:
        return make_stack(
            aws_environ(moto),
            APP_ID | {"ApiAccess": "url"},
            project=folder,
            name=name,
        )
    except ToolMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture
def aws(moto: str) -> Client:
    return lambda service: client(service, moto)


def test_functions_stand_as_the_template_says(stack: Stack, aws: Client) -> None:
    assert stack.functions.keys() == {
        path.stem for path in (ROOT / "functions").glob("*.py")
    }
    sweep = stack.functions["sweep_orders"]
    found = aws("lambda").get_function_configuration(FunctionName=sweep.name)
    assert (found["Timeout"], found["MemorySize"]) == (55, 512)
    assert (sweep.timeout_seconds, sweep.memory_mb) == (55, 512)
    assert found["Runtime"] == "python3.13"
    assert found["Handler"] == sweep.handler == "sweep_orders.handler"


def test_functions_variables_lead_to_what_was_made(stack: Stack, aws: Client) -> None:
    found = stack.functions["orders_api"].environ
    table = found["KYCOURIER_STATE"].removeprefix("dynamodb://")
    bucket = found["KYCOURIER_EVIDENCE"].removeprefix("s3://").partition("/")[0]
    queue = found["KYCOURIER_QUEUE"].removeprefix("sqs://")
    bus = found["KYCOURIER_EVENTS"].removeprefix("eventbridge://")
    keys = found["KYCOURIER_API_KEYS"].removeprefix("aws-secretsmanager://")

    assert aws("dynamodb").describe_table(TableName=table)["Table"]["TableName"]
    aws("s3").head_bucket(Bucket=bucket)
    address = aws("sqs").get_queue_url(QueueName=queue)["QueueUrl"]
    assert address.rpartition("/")[2] == queue
    assert stack.outputs["QueueUrl"].endswith(f"/{queue}")
    assert aws("events").describe_event_bus(Name=bus)["Name"] == bus
    generated = aws("secretsmanager").get_secret_value(SecretId=keys)["SecretString"]
    assert len(generated) == 64
    assert generated.isalnum()


def test_table_has_its_index(stack: Stack, aws: Client) -> None:
    name = stack.outputs["StateTableName"]

    table = aws("dynamodb").describe_table(TableName=name)["Table"]

    (due,) = table["GlobalSecondaryIndexes"]
    assert due["IndexName"] == "due"
    assert due["Projection"]["ProjectionType"] == "KEYS_ONLY"
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"


def test_bucket_is_encrypted(stack: Stack, aws: Client) -> None:
    storage, name = aws("s3"), stack.resources["EvidenceBucket"]

    encryption = storage.get_bucket_encryption(Bucket=name)
    (rule,) = encryption["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"


def test_messages_that_nobody_can_use_end_among_the_dead_letters(
    stack: Stack, aws: Client
) -> None:
    queues = aws("sqs")

    def attributes(output: str) -> dict[str, str]:
        found = queues.get_queue_attributes(
            QueueUrl=stack.outputs[output], AttributeNames=["All"]
        )
        return found["Attributes"]

    live, dead = attributes("QueueUrl"), attributes("DeadLetterQueueUrl")
    redrive = json.loads(live["RedrivePolicy"])
    assert redrive["deadLetterTargetArn"] == dead["QueueArn"]
    assert int(redrive["maxReceiveCount"]) == 5
    assert live["VisibilityTimeout"] == "360"
    assert dead["MessageRetentionPeriod"] == "1209600"


def test_queue_hands_its_batches_to_collect_results(stack: Stack, aws: Client) -> None:
    mapping = aws("lambda").get_event_source_mapping(
        UUID=stack.resources["CollectResultsTrigger"]
    )

    assert mapping["FunctionArn"].endswith(stack.functions["collect_results"].name)
    assert mapping["EventSourceArn"].endswith("-orders")
    assert mapping["BatchSize"] == 10
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert int(mapping["ScalingConfig"]["MaximumConcurrency"]) == 2


def test_timers_call_their_functions(stack: Stack, aws: Client) -> None:
    events = aws("events")
    for logical, file, rate in (
        ("SweepOrdersTimer", "sweep_orders", "rate(1 minute)"),
        ("RefreshTicketTimer", "refresh_ticket", "rate(5 minutes)"),
    ):
        name = stack.resources[logical].rpartition("/")[2]
        assert events.describe_rule(Name=name)["ScheduleExpression"] == rate
        (target,) = events.list_targets_by_rule(Rule=name)["Targets"]
        assert target["Arn"].endswith(f":{stack.functions[file].name}")


def test_alarms_are_there_with_their_dimensions(stack: Stack, aws: Client) -> None:
    pages = aws("cloudwatch").get_paginator("describe_alarms")
    found = {
        alarm["AlarmName"].removeprefix(f"{stack.name}-"): alarm
        for page in pages.paginate(AlarmNamePrefix=stack.name)
        for alarm in page["MetricAlarms"]
    }

    assert len(found) == 23
    age = found["TicketAgeAlarm"]
    assert age["TreatMissingData"] == "breaching"
    assert {"Name": "app_id", "Value": "SANDBOX1"} in age["Dimensions"]
    (queue,) = found["DeadLettersAlarm"]["Dimensions"]
    assert stack.outputs["DeadLetterQueueUrl"].endswith(f"/{queue['Value']}")
    assert age["AlarmActions"] == [stack.outputs["AlarmTopicArn"]]


def test_app_secret_is_filled_in_by_the_runbook_s_command(
    stack: Stack, aws: Client
) -> None:
    manager, arn = aws("secretsmanager"), stack.outputs["AppSecretArn"]
    with pytest.raises(manager.exceptions.ResourceNotFoundException):
        manager.get_secret_value(SecretId=arn)
    runbook = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    assert "put-secret-value --secret-id" in runbook

    manager.put_secret_value(SecretId=arn, SecretString="synthetic-secret")

    assert manager.get_secret_value(SecretId=arn)["SecretString"] == "synthetic-secret"
    assert stack.functions["refresh_ticket"].environ["KYCOURIER_APP_SECRET"] == (
        f"aws-secretsmanager://{arn}"
    )


def test_policies_are_those_that_moto_keeps(stack: Stack, aws: Client) -> None:
    identity = aws("iam")
    for function in stack.functions.values():
        (name,) = identity.list_role_policies(RoleName=function.role)["PolicyNames"]
        kept = identity.get_role_policy(RoleName=function.role, PolicyName=name)

        assert function.policies == (kept["PolicyDocument"],)
    resources = [
        statement["Resource"]
        for function in stack.functions.values()
        for statement in function.policies[0]["Statement"]
    ]
    assert all(resource.startswith("arn:aws:") for resource in resources)


def test_outputs_hold_no_secret(stack: Stack, aws: Client) -> None:
    manager = aws("secretsmanager")
    for logical in ("FingerprintKey", "ApiKeys"):
        secret = manager.get_secret_value(SecretId=stack.resources[logical])

        assert secret["SecretString"] not in str(stack.outputs)
        assert secret["SecretString"] not in str(stack.functions)


def test_a_template_that_cannot_be_packaged_is_told_in_words(
    moto: str, tmp_path: Path
) -> None:
    folder = copy_project(tmp_path)
    (folder / "dist/functions.zip").unlink()

    with pytest.raises(StackNotMade, match="sam failed") as told:
        make_stack(aws_environ(moto), APP_ID, project=folder, name="unmade")

    assert "functions.zip" in str(told.value)
    assert not isinstance(told.value.__context__, subprocess.SubprocessError)
