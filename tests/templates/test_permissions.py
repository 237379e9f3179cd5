"""Each role allows the calls that its function makes, and nothing else."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from rendered import BY_TOOLS, as_list

pytestmark = BY_TOOLS

Resources = Callable[..., dict[str, Any]]

TABLE, INDEX = "${StateTable.Arn}", "${StateTable.Arn}/index/due"
BUCKET, OBJECTS = "${EvidenceBucket.Arn}", "${EvidenceBucket.Arn}/evidence/*"
BUS, QUEUE = "${EventBus.Arn}", "${OrdersQueue.Arn}"
PREFIX = "{'StringLikeIfExists': {'s3:prefix': 'evidence/*'}}"
ARN = "arn:${AWS::Partition}:%s:${AWS::Region}:${AWS::AccountId}:%s"
RESTORED = ARN % ("dynamodb", "table/kycourier-restored")


def reading(secret: str) -> set[tuple[str, str, str]]:
    """Give what reading a secret takes, and saying why it cannot be read."""
    return {
        ("secretsmanager:GetSecretValue", secret, ""),
        ("secretsmanager:DescribeSecret", secret, ""),
    }


COLLECTING = {
    ("dynamodb:GetItem", TABLE, ""),
    ("dynamodb:UpdateItem", TABLE, ""),
    ("s3:GetObject", OBJECTS, ""),
    ("s3:PutObject", OBJECTS, ""),
    ("s3:ListBucket", BUCKET, PREFIX),
    ("events:PutEvents", BUS, ""),
    ("events:DescribeEventBus", BUS, ""),
    ("sqs:SendMessage", QUEUE, ""),
    ("sqs:GetQueueUrl", QUEUE, ""),
} | reading("${FingerprintKey}")
LISTING = {
    ("dynamodb:Query", INDEX, ""),
    ("dynamodb:BatchGetItem", TABLE, ""),
}
TRIGGERED = {
    ("sqs:ReceiveMessage", QUEUE, ""),
    ("sqs:DeleteMessage", QUEUE, ""),
    ("sqs:ChangeMessageVisibility", QUEUE, ""),
    ("sqs:GetQueueAttributes", QUEUE, ""),
}
REFRESHING = {
    ("dynamodb:GetItem", TABLE, ""),
    ("dynamodb:UpdateItem", TABLE, ""),
}
BUYING = reading("${AppSecret}")
OWNED = {
    "RefreshTicket": REFRESHING | BUYING,
    "CollectResults": COLLECTING | TRIGGERED | BUYING,
    "SweepOrders": COLLECTING | LISTING | BUYING,
    "OrdersApi": COLLECTING | LISTING,
}
FOREIGN = {
    "aws-secretsmanager://kyc/ticket": reading(
        ARN % ("secretsmanager", "secret:kyc/ticket-??????")
    ),
    "aws-ssm:///kyc/ticket": {
        ("ssm:GetParameter", ARN % ("ssm", "parameter/kyc/ticket"), "")
    },
}


def allowed(resources: Mapping[str, Any], function: str) -> set[tuple[str, str, str]]:
    """Give what a function's role allows, writing its own log group apart."""
    policies = resources[f"{function}Role"]["Properties"]["Policies"]
    found = {tuple(each) for each in policies}
    logs = {
        ("logs:CreateLogStream", f"${{{function}LogGroup.Arn}}", ""),
        ("logs:PutLogEvents", f"${{{function}LogGroup.Arn}}", ""),
    }
    assert logs <= found
    return found - logs


@pytest.mark.parametrize("function", OWNED)
def test_role_allows_the_calls_of_its_function_alone(
    resources: Resources, function: str
) -> None:
    assert allowed(resources(), function) == OWNED[function]


@pytest.mark.parametrize("function", OWNED)
def test_role_allows_a_restored_table_and_then_not_the_stack_s_own(
    resources: Resources, function: str
) -> None:
    made = resources(RestoredTable="kycourier-restored")

    instead = {TABLE: RESTORED, INDEX: f"{RESTORED}/index/due"}
    assert allowed(made, function) == {
        (action, instead.get(resource, resource), condition)
        for action, resource, condition in OWNED[function]
    }


@pytest.mark.parametrize("ticket", FOREIGN)
def test_a_foreign_ticket_is_read_and_no_app_secret(
    resources: Resources, ticket: str
) -> None:
    made = resources(Ticket=ticket)

    reads = FOREIGN[ticket]
    assert "AppSecret" not in made
    assert allowed(made, "RefreshTicket") == REFRESHING
    assert allowed(made, "CollectResults") == COLLECTING | TRIGGERED | reads
    assert allowed(made, "SweepOrders") == COLLECTING | LISTING | reads
    assert allowed(made, "OrdersApi") == COLLECTING | LISTING | reads


def test_api_reads_its_keys_only_where_it_checks_signatures(
    resources: Resources,
) -> None:
    keys = reading("${ApiKeys}")

    allowed_here = allowed(resources(ApiAccess="url"), "OrdersApi")
    assert allowed_here == COLLECTING | LISTING | keys


def test_each_function_has_a_role_of_its_own(resources: Resources) -> None:
    roles = [
        made["Properties"]["Role"]
        for made in resources().values()
        if made["Type"] == "AWS::Lambda::Function"
    ]

    assert sorted(roles) == sorted(f"${{{function}Role.Arn}}" for function in OWNED)


def test_roles_are_assumed_by_lambda_alone_and_borrow_no_policy(
    resources: Resources,
) -> None:
    for function in OWNED:
        properties = resources()[f"{function}Role"]["Properties"]

        (trust,) = properties["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"Service": "lambda.amazonaws.com"}
        assert "ManagedPolicyArns" not in properties


@pytest.mark.parametrize("access", ["iam", "url"])
def test_nothing_allows_every_action_or_every_resource(
    resources: Resources, access: str
) -> None:
    made = resources(ApiAccess=access)
    permits = [
        (action, resource, logical)
        for logical, statement in statements(made)
        if statement["Effect"] == "Allow"
        for action in as_list(statement["Action"])
        for resource in as_list(statement.get("Resource", []))
    ]

    assert permits
    assert not [each for each in permits if "*" in each[0]]
    wide = {logical for _, resource, logical in permits if resource == "*"}
    assert wide == {"AlertKey"}  # a key's policy knows no other name for the key


def test_what_calls_a_function_is_named(resources: Resources) -> None:
    public = {"FunctionUrlIsPublic", "FunctionUrlMayCall"}
    for access in ("iam", "url"):
        for logical, made in resources(ApiAccess=access).items():
            if made["Type"] != "AWS::Lambda::Permission":
                continue
            properties = made["Properties"]
            assert (properties["Principal"] == "*") is (logical in public)
            assert ("SourceArn" in properties) is (logical not in public)


def statements(resources: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give every statement of every policy, and whose it is."""
    for logical, made in resources.items():
        properties = made["Properties"]
        if made["Type"] == "AWS::IAM::Role":
            for action, resource, _ in properties["Policies"]:
                yield (
                    logical,
                    {"Effect": "Allow", "Action": action, "Resource": resource},
                )
        for name in ("PolicyDocument", "KeyPolicy", "AssumeRolePolicyDocument"):
            for statement in properties.get(name, {}).get("Statement", []):
                yield logical, statement
