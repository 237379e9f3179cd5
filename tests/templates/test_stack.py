"""Creates template.yaml as a stack in moto and checks the resources.

moto does not store every property (versioning, the table's encryption and others):
test_resources checks those in the rendered template.
"""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kycourier_devkit.emulators.aws.stack import Stack, create_stack
from kycourier_devkit.errors import StackCreationError, ToolUnavailableError
from kycourier_devkit.repository import ROOT
from support.aws.clients import aws_client, aws_environ
from support.rendered_templates import APP_ID, NEEDS_TOOLS, copy_project

pytestmark = NEEDS_TOOLS

Client = Callable[[str], Any]


@pytest.fixture(scope="module")
def stack(moto: str, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """Create the stack once."""
    folder = copy_project(tmp_path_factory.mktemp("stack"))
    name = f"{folder.name}-{folder.parent.name}".replace("_", "-")
    try:
        return create_stack(
            aws_environ(moto),
            APP_ID | {"ApiAccess": "url"},
            project=folder,
            name=name,
        )
    except ToolUnavailableError as missing:
        pytest.skip(str(missing))


@pytest.fixture
def aws(moto: str) -> Client:
    return lambda service: aws_client(service, moto)


def test_functions_have_the_configuration_of_the_template(
    stack: Stack, aws: Client
) -> None:
    assert stack.functions.keys() == {
        path.stem for path in (ROOT / "functions").glob("*.py")
    }
    sweep = stack.functions["sweep_orders"]
    found = aws("lambda").get_function_configuration(FunctionName=sweep.name)
    assert (found["Timeout"], found["MemorySize"]) == (55, 512)
    assert (sweep.timeout_seconds, sweep.memory_mb) == (55, 512)
    assert found["Runtime"] == "python3.13"
    assert found["Handler"] == sweep.handler == "sweep_orders.handler"


def test_variables_name_existing_resources(stack: Stack, aws: Client) -> None:
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


def test_queue_moves_unprocessable_messages_to_the_dead_letter_queue(
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


def test_queue_triggers_collect_results_with_batches(stack: Stack, aws: Client) -> None:
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


def test_alarms_exist_with_their_dimensions(stack: Stack, aws: Client) -> None:
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


def test_app_secret_is_set_by_the_command_of_the_runbook(
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


def test_role_policies_equal_those_in_moto(stack: Stack, aws: Client) -> None:
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


def test_packaging_failure_names_the_missing_zip(moto: str, tmp_path: Path) -> None:
    folder = copy_project(tmp_path)
    (folder / "dist/functions.zip").unlink()

    with pytest.raises(StackCreationError, match="sam failed") as failure:
        create_stack(aws_environ(moto), APP_ID, project=folder, name="unmade")

    assert "functions.zip" in str(failure.value)
    assert not isinstance(failure.value.__context__, subprocess.SubprocessError)
