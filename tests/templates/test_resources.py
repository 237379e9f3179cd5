"""Table, bucket, queues, bus and secrets have the configuration of the design."""

import re

import pytest

from support.aws.dynamo_table import EXPIRY, SCHEMA
from support.rendered_templates import NEEDS_TOOLS, differences, of_type

pytestmark = NEEDS_TOOLS
KEY = "arn:aws:kms:eu-west-1:123456789012:key/ours"


def test_table_has_the_schema_of_the_tests_on_dynamodb(resources):
    table = resources()["StateTable"]["Properties"]

    assert differences({name: table[name] for name in SCHEMA}, SCHEMA) == []


def test_table_has_encryption_recovery_and_time_to_live(resources):
    table = resources()["StateTable"]["Properties"]

    assert table["SSESpecification"] == {"SSEEnabled": "true", "SSEType": "KMS"}
    assert table["PointInTimeRecoverySpecification"] == {
        "PointInTimeRecoveryEnabled": "true"
    }
    assert table["TimeToLiveSpecification"]["AttributeName"] == EXPIRY
    assert table["DeletionProtectionEnabled"] == "true"


@pytest.mark.parametrize("tool", ["sam", "osls"])
def test_restored_table_replaces_the_unchanged_original(renderer, tool):
    before = renderer.resolve(tool)
    after = renderer.resolve(tool, RestoredTable="kycourier-restored")

    own = after["Resources"].pop("StateTable")
    assert own == before["Resources"]["StateTable"]
    assert "StateTable}" not in str(after)
    assert "StateTable." not in str(after)
    for function in of_type("AWS::Lambda::Function", after["Resources"]).values():
        state = function["Environment"]["Variables"]["KYCOURIER_STATE"]
        assert state == "dynamodb://kycourier-restored"
    assert after["Outputs"]["StateTableName"] == "kycourier-restored"


@pytest.mark.parametrize("logical", ["StateTable", "EvidenceBucket", "FingerprintKey"])
def test_irreplaceable_resources_outlive_the_stack(resources, logical):
    stack = resources()[logical]

    # A first deployment that fails leaves nothing behind.
    assert stack["DeletionPolicy"] == "RetainExceptOnCreate"
    assert stack["UpdateReplacePolicy"] == "Retain"


def test_bucket_is_private_encrypted_and_versioned(resources):
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


def test_bucket_and_functions_use_the_given_key(resources):
    stack = resources(EvidenceKey=KEY)

    bucket = stack["EvidenceBucket"]["Properties"]
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"] == {
        "SSEAlgorithm": "aws:kms",
        "KMSMasterKeyID": KEY,
    }
    environs = [
        each["Environment"]["Variables"]
        for each in of_type("AWS::Lambda::Function", stack).values()
    ]
    uris = [each["KYCOURIER_EVIDENCE"] for each in environs if len(each) > 6]
    assert uris == [f"s3://${{EvidenceBucket}}/evidence?sse=aws:kms&kms_key={KEY}"] * 3


def test_bucket_policy_requires_tls(resources):
    policy = resources()["EvidenceBucketPolicy"]["Properties"]

    assert policy["Bucket"] == "${EvidenceBucket}"
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Effect"] == "Deny"
    assert statement["Principal"] == statement["Action"].partition(":")[2] == "*"
    assert statement["Resource"] == ["${EvidenceBucket.Arn}", "${EvidenceBucket.Arn}/*"]
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_evidence_is_kept_forever_or_for_the_retention_days(resources):
    def rules(days):
        bucket = resources(EvidenceRetentionDays=days)["EvidenceBucket"]["Properties"]
        return bucket["LifecycleConfiguration"]["Rules"]

    assert [rule["Id"] for rule in rules("0")] == ["broken-off-uploads"]
    assert not any("ExpirationInDays" in rule for rule in rules("0"))
    uploads, evidence = rules("400")
    assert uploads["Id"] == "broken-off-uploads"
    assert evidence["ExpirationInDays"] == "400"
    assert evidence["Prefix"] == "evidence/"
    assert evidence["NoncurrentVersionExpiration"] == {"NoncurrentDays": "30"}


def test_queue_redrives_to_a_dead_letter_queue_that_keeps_messages_longer(
    resources,
):
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
    fourteen_days = 14 * 24 * 3600
    assert int(queue["MessageRetentionPeriod"]) < fourteen_days
    assert int(dead["MessageRetentionPeriod"]) == fourteen_days


def test_bus_archives_all_events(resources):
    archive = resources()["EventArchive"]["Properties"]

    assert archive["SourceArn"] == "${EventBus.Arn}"
    assert "EventPattern" not in archive
    assert int(archive["RetentionDays"]) == 90


def test_each_log_group_has_the_retention(resources):
    stack = resources(LogRetentionDays="7")
    functions = of_type("AWS::Lambda::Function", stack).values()

    assert {
        each["LogGroupName"]: each["RetentionInDays"]
        for each in of_type("AWS::Logs::LogGroup", stack).values()
    } == {f"/aws/lambda/{each['FunctionName']}": "7" for each in functions}


def test_app_secret_is_empty_and_other_secrets_are_generated(resources):
    secrets = of_type("AWS::SecretsManager::Secret", resources(ApiAccess="url"))

    assert secrets.pop("AppSecret").keys() == {"Description"}
    assert secrets.keys() == {"FingerprintKey", "ApiKeys"}
    for logical in secrets:
        assert secrets[logical]["GenerateSecretString"] == {
            "PasswordLength": "64",
            "ExcludePunctuation": "true",
        }


@pytest.mark.parametrize("tool", ["sam", "osls"])
def test_templates_hold_no_value_of_a_secret(renderer, tool):
    resolved = renderer.resolve(tool, ApiAccess="url")

    text = str(resolved)
    assert "SecretString'" not in text.replace("GenerateSecretString'", "")
    assert "resolve:" not in text
    for value in resolved["Outputs"].values():
        assert not re.search("(?i)password", value)


@pytest.mark.parametrize("tool", ["sam", "osls"])
@pytest.mark.parametrize("access", ["iam", "url"])
def test_resources_work_in_every_partition(renderer, tool, access):
    text = str(renderer.resolve(tool, ApiAccess=access))
    with_own_parts_of_the_tool = str(getattr(renderer, tool)())

    principals = re.findall(r"'[^']*amazonaws\.com[^']*'", text)
    assert "arn:aws" not in text + with_own_parts_of_the_tool
    assert ".on.aws" not in text
    # Their names are the same in China: IAM refuses lambda.amazonaws.com.cn.
    assert {each.strip("'") for each in principals} <= {
        "apigateway.amazonaws.com",
        "cloudwatch.amazonaws.com",
        "events.amazonaws.com",
        "lambda.amazonaws.com",
    }


def test_output_has_the_url_of_the_api(renderer):
    gateway, function = (
        renderer.resolve("sam", ApiAccess=access)["Outputs"]["ApiUrl"]
        for access in ("iam", "url")
    )

    assert gateway == "https://${HttpApi}.execute-api.${AWS::Region}.${AWS::URLSuffix}"
    assert function == "${FunctionUrl.FunctionUrl}"
