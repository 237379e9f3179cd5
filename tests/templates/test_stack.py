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
from support.rendered_templates import (
    APP_ID,
    NEEDS_TOOLS,
    STACK,
    copy_project,
    of_type,
)
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


def _needs(value: object) -> set[str]:
    """Return the logical ids that a template's value refers to."""
    if isinstance(value, list):
        return set().union(*map(_needs, value))
    if not isinstance(value, dict):
        return set()
    found = set().union(*map(_needs, value.values()))
    if isinstance(own := value.get("DependsOn"), str | list):
        found |= {own} if isinstance(own, str) else set(own)
    if "Ref" in value:
        found.add(value["Ref"])
    if isinstance(got := value.get("Fn::GetAtt"), str | list):
        found.add(got.split(".")[0] if isinstance(got, str) else got[0])
    if text := value.get("Fn::Sub"):
        text = text if isinstance(text, str) else text[0]
        found |= {name.split(".")[0] for name in re.findall(r"\$\{([^}]+)\}", text)}
    return found


@pytest.mark.parametrize("tool", ["sam", "osls"])
def test_a_name_too_long_for_the_functions_fails_before_all_else(renderer, tool):
    resources = getattr(renderer, tool)()["Resources"]
    check = resources["StackNameCheck"]["Properties"]
    suffixes = [
        name["FunctionName"].get("Fn::Sub", "").removeprefix("${AWS::StackName}")
        for name in of_type("AWS::Lambda::Function", resources).values()
        if isinstance(name["FunctionName"], dict)
    ] or [
        name["FunctionName"].removeprefix(STACK)
        for name in of_type("AWS::Lambda::Function", resources).values()
    ]
    after, grown = {"StackNameCheck"}, True
    while grown:
        new = {name for name in resources if _needs(resources[name]) & after} - after
        after, grown = after | new, bool(new)

    assert check["Value"] == {"Ref": "AWS::StackName"}
    assert len(suffixes) == 4
    longest = 64 - max(map(len, suffixes))
    assert re.fullmatch(check["AllowedPattern"], "a" * longest)
    assert not re.fullmatch(check["AllowedPattern"], "a" * (longest + 1))
    before = {
        name
        for name in resources.keys() - after
        # osls's own bucket and layers, and alarms: they depend on the topic, if it
        # is the stack's.
        if not name.startswith("ServerlessDeploymentBucket")
        and resources[name]["Type"] != "AWS::CloudWatch::Alarm"
        and not (tool == "osls" and resources[name]["Type"].endswith("LayerVersion"))
    }
    assert before == set()
