"""Each role allows exactly the calls that its function makes."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from support.rendered_templates import NEEDS_TOOLS, as_list, of_type

pytestmark = NEEDS_TOOLS

TABLE, INDEX = "${StateTable.Arn}", "${StateTable.Arn}/index/due"
ENDED = "${StateTable.Arn}/index/ended"
BUCKET, OBJECTS = "${EvidenceBucket.Arn}", "${EvidenceBucket.Arn}/evidence/*"
BUS, QUEUE = "${EventBus.Arn}", "${OrdersQueue.Arn}"
PREFIX = "{'StringLikeIfExists': {'s3:prefix': 'evidence/*'}}"
ARN = "arn:${AWS::Partition}:%s:${AWS::Region}:${AWS::AccountId}:%s"
RESTORED = ARN % ("dynamodb", "table/kycourier-restored")


def grants(resource: str, *actions: str) -> set[tuple[str, str, str]]:
    """Return unconditional permissions."""
    return {(action, resource, "") for action in actions}


def reading(secret: str) -> set[tuple[str, str, str]]:
    """Return the permissions to read a secret and to see why it is unreadable."""
    return grants(
        secret, "secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"
    )


REFRESHING = grants(TABLE, "dynamodb:GetItem", "dynamodb:UpdateItem")
COLLECTING = {
    *grants(TABLE, "dynamodb:GetItem", "dynamodb:UpdateItem"),
    *grants(OBJECTS, "s3:GetObject", "s3:PutObject"),
    ("s3:ListBucket", BUCKET, PREFIX),
    *grants(BUS, "events:PutEvents", "events:DescribeEventBus"),
    *grants(QUEUE, "sqs:SendMessage", "sqs:GetQueueUrl"),
    *reading("${FingerprintKey}"),
}
LISTING = {("dynamodb:Query", INDEX, ""), ("dynamodb:BatchGetItem", TABLE, "")}
FINDING = {("dynamodb:Query", ENDED, "")}
TRIGGERED = grants(
    QUEUE,
    *("sqs:ReceiveMessage", "sqs:DeleteMessage"),
    *("sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"),
)
ISSUING = reading("${AppSecret}")
JOINING = grants(  # what Lambda documents for a function in a VPC
    "*",
    *("ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces"),
    *("ec2:DeleteNetworkInterface", "ec2:DescribeSubnets"),
    *("ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses"),
)
OWNED = {
    "RefreshTicket": REFRESHING | ISSUING,
    "CollectResults": COLLECTING | TRIGGERED | ISSUING,
    "SweepOrders": COLLECTING | LISTING | ISSUING,
    "OrdersApi": COLLECTING | LISTING | FINDING,
}
FOREIGN = {
    "aws-secretsmanager://kyc/ticket": reading(
        ARN % ("secretsmanager", "secret:kyc/ticket-??????")
    ),
    "aws-ssm:///kyc/ticket": grants(
        ARN % ("ssm", "parameter/kyc/ticket"), "ssm:GetParameter"
    ),
}


def allowed(resources: Mapping[str, Any], function: str) -> set[tuple[str, str, str]]:
    """Return what a function's role allows besides writing its own log group."""
    policies = resources[f"{function}Role"]["Properties"]["Policies"]
    found = {tuple(each) for each in policies}
    group = f"${{{function}LogGroup.Arn}}"
    logs = grants(group, "logs:CreateLogStream", "logs:PutLogEvents")
    assert logs <= found
    return found - logs


@pytest.mark.parametrize("function", OWNED)
def test_role_allows_only_the_calls_of_its_function(resources, function):
    assert allowed(resources(), function) == OWNED[function]


@pytest.mark.parametrize("function", OWNED)
def test_role_allows_the_restored_table_instead_of_the_original(resources, function):
    stack = resources(RestoredTable="kycourier-restored")

    replaced = {
        TABLE: RESTORED,
        INDEX: f"{RESTORED}/index/due",
        ENDED: f"{RESTORED}/index/ended",
    }
    assert allowed(stack, function) == {
        (action, replaced.get(resource, resource), condition)
        for action, resource, condition in OWNED[function]
    }


@pytest.mark.parametrize("ticket", FOREIGN)
def test_roles_read_a_foreign_ticket_and_no_app_secret(resources, ticket):
    stack = resources(Ticket=ticket)

    reads = FOREIGN[ticket]
    assert "AppSecret" not in stack
    assert allowed(stack, "RefreshTicket") == REFRESHING
    assert allowed(stack, "CollectResults") == COLLECTING | TRIGGERED | reads
    assert allowed(stack, "SweepOrders") == COLLECTING | LISTING | reads
    assert allowed(stack, "OrdersApi") == COLLECTING | LISTING | FINDING | reads


def test_api_reads_its_keys_only_when_it_checks_signatures(resources):
    allowed_here = allowed(resources(ApiAccess="url"), "OrdersApi")

    assert allowed_here == COLLECTING | LISTING | FINDING | reading("${ApiKeys}")


def test_roles_that_touch_evidence_may_use_its_key(resources):
    key = "arn:aws:kms:eu-west-1:123456789012:key/ours"
    stack = resources(EvidenceKey=key)

    uses = grants(key, "kms:GenerateDataKey", "kms:Decrypt")
    for function, own in OWNED.items():
        expected = own if function == "RefreshTicket" else own | uses
        assert allowed(stack, function) == expected


@pytest.mark.parametrize("reference", FOREIGN)
@pytest.mark.parametrize("member", ["", "?key=jwk"])
def test_roles_that_collect_may_read_the_recipients_key(resources, reference, member):
    stack = resources(RecipientKey=reference + member)

    for function, own in OWNED.items():
        reads = set() if function == "RefreshTicket" else FOREIGN[reference]
        assert allowed(stack, function) == own | reads


def test_roles_that_send_webhooks_read_their_secret_and_use_no_bus(resources):
    stack = resources(WebhookUrl="https://partner.example/hook")

    bus = grants(BUS, "events:PutEvents", "events:DescribeEventBus")
    for function, own in OWNED.items():
        if function != "RefreshTicket":
            expected = own - bus | reading("${WebhookSecret}")
            assert allowed(stack, function) == expected


def test_roles_may_join_the_vpc_only_if_there_is_one(resources):
    stack = resources(SubnetIds="subnet-1,subnet-2", SecurityGroupIds="sg-1")

    for function, own in OWNED.items():
        assert allowed(stack, function) == own | JOINING


def test_each_function_has_a_role_of_its_own(resources):
    functions = of_type("AWS::Lambda::Function", resources())
    roles = [each["Role"] for each in functions.values()]

    assert sorted(roles) == sorted(f"${{{function}Role.Arn}}" for function in OWNED)


def test_roles_trust_only_lambda_and_use_no_managed_policy(resources):
    for function in OWNED:
        properties = resources()[f"{function}Role"]["Properties"]

        (trust,) = properties["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"Service": "lambda.amazonaws.com"}
        assert "ManagedPolicyArns" not in properties


@pytest.mark.parametrize("access", ["iam", "url"])
def test_no_policy_allows_every_action_or_every_resource(resources, access):
    stack = resources(ApiAccess=access)
    permits = [
        (action, resource, logical)
        for logical, statement in statements(stack)
        if statement["Effect"] == "Allow"
        for action in as_list(statement["Action"])
        for resource in as_list(statement.get("Resource", []))
    ]

    assert permits
    assert not [each for each in permits if "*" in each[0]]
    wide = {logical for _, resource, logical in permits if resource == "*"}
    assert wide == {"AlertKey"}  # in a key's policy "*" is the key itself


def test_invoke_permissions_name_their_caller(resources):
    public = {"FunctionUrlIsPublic", "FunctionUrlMayCall"}
    for access in ("iam", "url"):
        permissions = of_type("AWS::Lambda::Permission", resources(ApiAccess=access))
        for logical, properties in permissions.items():
            assert (properties["Principal"] == "*") is (logical in public)
            assert ("SourceArn" in properties) is (logical not in public)


def statements(resources: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every statement of every policy with its resource's logical id."""
    for logical, resource in resources.items():
        properties = resource["Properties"]
        if resource["Type"] == "AWS::IAM::Role":
            for action, arn, _ in properties["Policies"]:
                yield logical, {"Effect": "Allow", "Action": action, "Resource": arn}
        for name in ("PolicyDocument", "KeyPolicy", "AssumeRolePolicyDocument"):
            for statement in properties.get(name, {}).get("Statement", []):
                yield logical, statement
