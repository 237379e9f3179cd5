"""Creates template.yaml as a stack in moto and uses its resources.

moto does not store every property (versioning, the table's encryption and others):
test_resources checks those in the rendered template.
"""

import re
import subprocess

import pytest

from kycourier.adapters.aws.orders import DynamoOrderStore
from kycourier_devkit.cli.app import run
from kycourier_devkit.emulators.aws.stack import create_stack
from kycourier_devkit.errors import StackCreationError
from kycourier_devkit.repository import ROOT
from support.aws.clients import aws_client, aws_environ
from support.aws.dynamo_table import make_table, open_table
from support.fakes import FakeClock
from support.rendered_templates import APP_ID, NEEDS_TOOLS, copy_project
from support.sample_records import draft

pytestmark = NEEDS_TOOLS


@pytest.fixture
def aws(moto):
    """Return a function from a service's name to its client."""
    return lambda service: aws_client(service, moto)


def test_variables_and_outputs_name_resources_of_the_stack(stack, aws):
    found, ids = stack.functions["orders_api"].environ, stack.resources
    evidence = f"s3://{ids['EvidenceBucket']}/evidence"
    bus = found["KYCOURIER_EVENTS"].removeprefix("eventbridge://")

    assert found.items() >= {
        ("KYCOURIER_STATE", f"dynamodb://{ids['StateTable']}"),
        ("KYCOURIER_EVIDENCE", evidence),
        ("KYCOURIER_QUEUE", f"sqs://{ids['OrdersQueue'].rpartition('/')[2]}"),
        ("KYCOURIER_API_KEYS", f"aws-secretsmanager://{ids['ApiKeys']}"),
    }
    assert aws("events").describe_event_bus(Name=bus)["Name"] == bus
    assert stack.outputs["QueueUrl"] == ids["OrdersQueue"]
    assert stack.outputs["EvidenceUri"] == evidence


def test_alarm_calls_the_topic_with_the_dimensions_of_the_app(stack, aws):
    found = aws("cloudwatch").describe_alarms(
        AlarmNames=[f"{stack.name}-TicketAgeAlarm"]
    )

    (age,) = found["MetricAlarms"]
    assert {"Name": "app_id", "Value": "SANDBOX1"} in age["Dimensions"]
    assert age["AlarmActions"] == [stack.outputs["AlarmTopicArn"]]


def test_app_secret_is_empty_until_the_command_of_the_runbook_sets_it(stack, aws):
    manager, arn = aws("secretsmanager"), stack.outputs["AppSecretArn"]
    environ = stack.functions["refresh_ticket"].environ

    with pytest.raises(manager.exceptions.ResourceNotFoundException):
        manager.get_secret_value(SecretId=arn)
    assert environ["KYCOURIER_APP_SECRET"] == f"aws-secretsmanager://{arn}"
    assert "put-secret-value --secret-id" in (ROOT / "docs/operations.md").read_text()


def test_generated_secrets_are_in_no_output_and_no_variable(stack, aws):
    manager = aws("secretsmanager")
    for logical in ("FingerprintKey", "ApiKeys"):
        found = manager.get_secret_value(SecretId=stack.resources[logical])
        secret = found["SecretString"]

        assert re.fullmatch("[A-Za-z0-9]{64}", secret)
        assert secret not in str(stack.outputs)
        assert secret not in str(stack.functions)


def test_stack_with_a_restored_table_shows_only_the_orders_restored(
    new_stack, moto, aws, monkeypatch
):
    before = make_table(moto)
    restored = f"{before}-restored"
    orders = DynamoOrderStore(open_table(moto, before, FakeClock()))
    orders.register(draft("ORDER1"))
    aws("dynamodb").restore_table_to_point_in_time(
        SourceTableName=before, TargetTableName=restored, UseLatestRestorableTime=True
    )
    orders.register(draft("ORDER2"))
    environ = aws_environ(moto)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)

    stack = new_stack(RestoredTable=restored)

    assert stack.outputs["StateTableName"] == restored
    assert stack.resources["StateTable"] != restored
    assert run(["--stack", stack.name, "show", "ORDER1"], environ) == 0
    assert run(["--stack", stack.name, "show", "ORDER2"], environ) == 1


def test_packaging_failure_names_the_missing_zip(moto, tmp_path):
    folder = copy_project(tmp_path)
    (folder / "dist/functions.zip").unlink()

    with pytest.raises(StackCreationError, match="sam failed") as failure:
        create_stack(aws_environ(moto), APP_ID, project=folder, name="unmade")

    assert "functions.zip" in str(failure.value)
    assert not isinstance(failure.value.__context__, subprocess.SubprocessError)
