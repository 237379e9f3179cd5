"""State, evidence, queue, events and secrets are kept as the design says."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from rendered import BY_TOOLS, Renderer

pytestmark = BY_TOOLS

Resources = Callable[..., dict[str, Any]]


def test_table_has_the_key_and_the_index_of_due_rows(resources: Resources) -> None:
    table = resources()["StateTable"]["Properties"]

    assert table["KeySchema"] == [{"AttributeName": "pk", "KeyType": "HASH"}]
    (due,) = table["GlobalSecondaryIndexes"]
    assert due == {
        "IndexName": "due",
        "KeySchema": [
            {"AttributeName": "part", "KeyType": "HASH"},
            {"AttributeName": "entry", "KeyType": "RANGE"},
        ],
        "Projection": {"ProjectionType": "KEYS_ONLY"},
    }
    assert {each["AttributeType"] for each in table["AttributeDefinitions"]} == {"S"}


def test_table_is_encrypted_can_be_restored_and_forgets_what_may_vanish(
    resources: Resources,
) -> None:
    table = resources()["StateTable"]["Properties"]

    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["SSESpecification"] == {"SSEEnabled": "true", "SSEType": "KMS"}
    assert table["PointInTimeRecoverySpecification"] == {
        "PointInTimeRecoveryEnabled": "true"
    }
    assert table["TimeToLiveSpecification"]["AttributeName"] == "expires_at"
    assert table["DeletionProtectionEnabled"] == "true"


@pytest.mark.parametrize("tool", ["sam", "osls"])
def test_a_restored_table_leaves_the_stack_s_own_as_it_is_and_unused(
    renderer: Renderer, tool: str
) -> None:
    before = renderer.settled(tool)
    after = renderer.settled(tool, RestoredTable="kycourier-restored")

    own = after["Resources"].pop("StateTable")
    assert own == before["Resources"]["StateTable"]
    assert "StateTable}" not in str(after)
    assert "StateTable." not in str(after)
    assert after["Outputs"]["StateTableName"] == "kycourier-restored"


@pytest.mark.parametrize("logical", ["StateTable", "EvidenceBucket", "FingerprintKey"])
def test_what_cannot_be_made_again_outlives_the_stack(
    resources: Resources, logical: str
) -> None:
    made = resources()[logical]

    assert made["DeletionPolicy"] == "Retain"
    assert made["UpdateReplacePolicy"] == "Retain"


def test_bucket_is_private_encrypted_and_versioned(resources: Resources) -> None:
    bucket = resources()["EvidenceBucket"]["Properties"]

    blocks = bucket["PublicAccessBlockConfiguration"]
    assert len(blocks) == 4
    assert set(blocks.values()) == {"true"}
    assert bucket["OwnershipControls"] == {
        "Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]
    }
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "aws:kms"}
    assert rule["BucketKeyEnabled"] == "true"


def test_bucket_is_reached_by_tls_alone(resources: Resources) -> None:
    policy = resources()["EvidenceBucketPolicy"]["Properties"]

    assert policy["Bucket"] == "${EvidenceBucket}"
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Effect"] == "Deny"
    assert statement["Principal"] == statement["Action"].partition(":")[2] == "*"
    assert statement["Resource"] == ["${EvidenceBucket.Arn}", "${EvidenceBucket.Arn}/*"]
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_evidence_is_kept_for_good_or_as_long_as_is_said(resources: Resources) -> None:
    def rules(days: str) -> list[dict[str, Any]]:
        bucket = resources(EvidenceRetentionDays=days)["EvidenceBucket"]["Properties"]
        found: list[dict[str, Any]] = bucket["LifecycleConfiguration"]["Rules"]
        return found

    assert [rule["Id"] for rule in rules("0")] == ["broken-off-uploads"]
    assert not any("ExpirationInDays" in rule for rule in rules("0"))
    uploads, evidence = rules("400")
    assert uploads["Id"] == "broken-off-uploads"
    assert evidence["ExpirationInDays"] == "400"
    assert evidence["Prefix"] == "evidence/"
    assert evidence["NoncurrentVersionExpiration"] == {"NoncurrentDays": "30"}


def test_queue_and_dead_letter_queue_know_each_other(resources: Resources) -> None:
    made = resources()
    queue, dead = (
        made[logical]["Properties"] for logical in ("OrdersQueue", "DeadLetterQueue")
    )

    assert queue["RedrivePolicy"] == {
        "deadLetterTargetArn": "${DeadLetterQueue.Arn}",
        "maxReceiveCount": "5",
    }
    (source,) = dead["RedriveAllowPolicy"]["sourceQueueArns"]
    assert source.endswith(f":{queue['QueueName']}")
    assert queue["SqsManagedSseEnabled"] == dead["SqsManagedSseEnabled"] == "true"


def test_dead_letters_stay_longer_than_messages_whose_age_they_keep(
    resources: Resources,
) -> None:
    made = resources()
    live, dead = (
        int(made[logical]["Properties"]["MessageRetentionPeriod"])
        for logical in ("OrdersQueue", "DeadLetterQueue")
    )

    fourteen_days = 14 * 24 * 3600
    assert live < dead == fourteen_days


def test_bus_has_an_archive_of_everything(resources: Resources) -> None:
    archive = resources()["EventArchive"]["Properties"]

    assert archive["SourceArn"] == "${EventBus.Arn}"
    assert "EventPattern" not in archive
    assert int(archive["RetentionDays"]) == 90


def test_each_function_s_log_group_ends_its_lines_life(resources: Resources) -> None:
    made = resources(LogRetentionDays="7")
    groups = {
        each["Properties"]["LogGroupName"]: each["Properties"]["RetentionInDays"]
        for each in made.values()
        if each["Type"] == "AWS::Logs::LogGroup"
    }
    names = {
        f"/aws/lambda/{each['Properties']['FunctionName']}"
        for each in made.values()
        if each["Type"] == "AWS::Lambda::Function"
    }

    assert groups.keys() == names
    assert set(groups.values()) == {"7"}


def test_app_secret_is_made_empty_and_the_others_generated(
    resources: Resources,
) -> None:
    made = resources(ApiAccess="url")
    secrets = {
        logical: each["Properties"]
        for logical, each in made.items()
        if each["Type"] == "AWS::SecretsManager::Secret"
    }

    assert secrets.keys() == {"AppSecret", "FingerprintKey", "ApiKeys"}
    assert secrets["AppSecret"].keys() == {"Description"}
    for logical in ("FingerprintKey", "ApiKeys"):
        assert secrets[logical]["GenerateSecretString"] == {
            "PasswordLength": "64",
            "ExcludePunctuation": "true",
        }


@pytest.mark.parametrize("tool", ["sam", "osls"])
def test_no_secret_s_value_stands_in_a_template(renderer: Renderer, tool: str) -> None:
    settled = renderer.settled(tool, ApiAccess="url")

    text = str(settled)
    assert "SecretString'" not in text.replace("GenerateSecretString'", "")
    assert "resolve:" not in text
    for value in settled["Outputs"].values():
        assert not re.search("(?i)password", value)


@pytest.mark.parametrize("tool", ["sam", "osls"])
@pytest.mark.parametrize("access", ["iam", "url"])
def test_nothing_is_bound_to_one_partition(
    renderer: Renderer, tool: str, access: str
) -> None:
    text = str(renderer.settled(tool, ApiAccess=access))

    principals = re.findall(r"'[^']*amazonaws\.com[^']*'", text)
    assert "arn:aws" not in text
    assert ".on.aws" not in text
    # Their names are the same in China: IAM refuses lambda.amazonaws.com.cn.
    assert {each.strip("'") for each in principals} <= {
        "apigateway.amazonaws.com",
        "cloudwatch.amazonaws.com",
        "events.amazonaws.com",
        "lambda.amazonaws.com",
    }


@pytest.mark.parametrize("tool", ["sam", "osls"])
def test_nothing_of_what_osls_adds_is_bound_to_one_partition(
    renderer: Renderer, tool: str
) -> None:
    template = str({"sam": renderer.sam, "osls": renderer.osls}[tool]())

    assert "arn:aws" not in template


def test_outputs_lead_to_everything_a_person_needs(renderer: Renderer) -> None:
    outputs = renderer.settled("sam", ApiAccess="url")["Outputs"]

    assert outputs["ApiUrl"] == "${FunctionUrl.FunctionUrl}"
    assert outputs["AppSecretArn"] == "${AppSecret}"
    assert outputs["QueueUrl"] == "${OrdersQueue}"
    assert outputs["EvidenceUri"] == "s3://${EvidenceBucket}/evidence"
    gateway = renderer.settled("sam", ApiAccess="iam")["Outputs"]["ApiUrl"]
    assert gateway == (
        "https://${HttpApi}.execute-api.${AWS::Region}.${AWS::URLSuffix}"
    )
