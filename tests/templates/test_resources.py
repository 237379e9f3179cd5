"""Table, bucket, queues, bus and secrets have the configuration of the design."""

import re
from typing import Any

import pytest

from support.rendered_templates import NEEDS_TOOLS, Renderer, Resources

pytestmark = NEEDS_TOOLS


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


def test_table_has_encryption_recovery_and_time_to_live(
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
def test_restored_table_replaces_the_unchanged_original(
    renderer: Renderer, tool: str
) -> None:
    before = renderer.resolve(tool)
    after = renderer.resolve(tool, RestoredTable="kycourier-restored")

    own = after["Resources"].pop("StateTable")
    assert own == before["Resources"]["StateTable"]
    assert "StateTable}" not in str(after)
    assert "StateTable." not in str(after)
    assert after["Outputs"]["StateTableName"] == "kycourier-restored"


@pytest.mark.parametrize("logical", ["StateTable", "EvidenceBucket", "FingerprintKey"])
def test_irreplaceable_resources_outlive_the_stack(
    resources: Resources, logical: str
) -> None:
    stack = resources()[logical]

    assert stack["DeletionPolicy"] == "Retain"
    assert stack["UpdateReplacePolicy"] == "Retain"


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


def test_bucket_policy_requires_tls(resources: Resources) -> None:
    policy = resources()["EvidenceBucketPolicy"]["Properties"]

    assert policy["Bucket"] == "${EvidenceBucket}"
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Effect"] == "Deny"
    assert statement["Principal"] == statement["Action"].partition(":")[2] == "*"
    assert statement["Resource"] == ["${EvidenceBucket.Arn}", "${EvidenceBucket.Arn}/*"]
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_evidence_is_kept_forever_or_for_the_retention_days(
    resources: Resources,
) -> None:
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


def test_queue_redrives_to_the_dead_letter_queue(resources: Resources) -> None:
    stack = resources()
    queue, dead = (
        stack[logical]["Properties"] for logical in ("OrdersQueue", "DeadLetterQueue")
    )

    assert queue["RedrivePolicy"] == {
        "deadLetterTargetArn": "${DeadLetterQueue.Arn}",
        "maxReceiveCount": "5",
    }
    (source,) = dead["RedriveAllowPolicy"]["sourceQueueArns"]
    assert source.endswith(f":{queue['QueueName']}")
    assert queue["SqsManagedSseEnabled"] == dead["SqsManagedSseEnabled"] == "true"


def test_dead_letters_are_retained_longer_than_messages(
    resources: Resources,
) -> None:
    stack = resources()
    live, dead = (
        int(stack[logical]["Properties"]["MessageRetentionPeriod"])
        for logical in ("OrdersQueue", "DeadLetterQueue")
    )

    fourteen_days = 14 * 24 * 3600
    assert live < dead == fourteen_days


def test_bus_archives_all_events(resources: Resources) -> None:
    archive = resources()["EventArchive"]["Properties"]

    assert archive["SourceArn"] == "${EventBus.Arn}"
    assert "EventPattern" not in archive
    assert int(archive["RetentionDays"]) == 90


def test_each_log_group_has_the_retention(resources: Resources) -> None:
    stack = resources(LogRetentionDays="7")
    groups = {
        each["Properties"]["LogGroupName"]: each["Properties"]["RetentionInDays"]
        for each in stack.values()
        if each["Type"] == "AWS::Logs::LogGroup"
    }
    names = {
        f"/aws/lambda/{each['Properties']['FunctionName']}"
        for each in stack.values()
        if each["Type"] == "AWS::Lambda::Function"
    }

    assert groups.keys() == names
    assert set(groups.values()) == {"7"}


def test_app_secret_is_empty_and_other_secrets_are_generated(
    resources: Resources,
) -> None:
    stack = resources(ApiAccess="url")
    secrets = {
        logical: each["Properties"]
        for logical, each in stack.items()
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
def test_templates_hold_no_value_of_a_secret(renderer: Renderer, tool: str) -> None:
    resolved = renderer.resolve(tool, ApiAccess="url")

    text = str(resolved)
    assert "SecretString'" not in text.replace("GenerateSecretString'", "")
    assert "resolve:" not in text
    for value in resolved["Outputs"].values():
        assert not re.search("(?i)password", value)


@pytest.mark.parametrize("tool", ["sam", "osls"])
@pytest.mark.parametrize("access", ["iam", "url"])
def test_resources_work_in_every_partition(
    renderer: Renderer, tool: str, access: str
) -> None:
    text = str(renderer.resolve(tool, ApiAccess=access))

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
def test_resources_that_osls_adds_work_in_every_partition(
    renderer: Renderer, tool: str
) -> None:
    template = str({"sam": renderer.sam, "osls": renderer.osls}[tool]())

    assert "arn:aws" not in template


def test_outputs_name_the_resources_that_a_person_needs(renderer: Renderer) -> None:
    outputs = renderer.resolve("sam", ApiAccess="url")["Outputs"]

    assert outputs["ApiUrl"] == "${FunctionUrl.FunctionUrl}"
    assert outputs["AppSecretArn"] == "${AppSecret}"
    assert outputs["QueueUrl"] == "${OrdersQueue}"
    assert outputs["EvidenceUri"] == "s3://${EvidenceBucket}/evidence"
    gateway = renderer.resolve("sam", ApiAccess="iam")["Outputs"]["ApiUrl"]
    assert gateway == (
        "https://${HttpApi}.execute-api.${AWS::Region}.${AWS::URLSuffix}"
    )
