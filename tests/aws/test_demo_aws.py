"""The flow on AWS: as the demo says it, and with each role's own permissions alone."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from aws.permissions import Need, allows, covers, need_of
from kycourier_devkit.demo_aws.stage import CloudStage, set_stage
from kycourier_devkit.demo_aws.steps import STEPS
from playing import play_through

IN_DOUBT = {"s3:GetObject", "secretsmanager:DescribeSecret"}  # to look again
BY_LAMBDA = {"logs:CreateLogStream", "logs:PutLogEvents", "sqs:GetQueueAttributes"}
TABLE = "arn:aws:dynamodb:eu-west-1:123456789012:table/state"
LIST = {
    "Effect": "Allow",
    "Action": ["s3:ListBucket"],
    "Resource": "arn:aws:s3:::bucket",
    "Condition": {"StringLikeIfExists": {"s3:prefix": "evidence/*"}},
}
Statement = Mapping[str, object]


@pytest.mark.parametrize(
    ("statements", "need", "allowed"),
    [
        ([], Need("dynamodb:GetItem", TABLE), False),
        (
            [{"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": TABLE}],
            Need("dynamodb:GetItem", TABLE),
            True,
        ),
        (
            [{"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": TABLE}],
            Need("dynamodb:PutItem", TABLE),
            False,
        ),
        (
            [{"Effect": "Allow", "Action": "dynamodb:*", "Resource": TABLE}],
            Need("dynamodb:Query", f"{TABLE}/index/due"),
            False,
        ),
        (
            [
                {"Effect": "Allow", "Action": "*", "Resource": "*"},
                {"Effect": "Deny", "Action": "dynamodb:Put*", "Resource": TABLE},
            ],
            Need("dynamodb:PutItem", TABLE),
            False,
        ),
        (
            [LIST],
            Need(
                "s3:ListBucket", "arn:aws:s3:::bucket", (("s3:prefix", "evidence/A"),)
            ),
            True,
        ),
        (
            [LIST],
            Need("s3:ListBucket", "arn:aws:s3:::bucket", (("s3:prefix", ""),)),
            False,
        ),
        ([LIST], Need("s3:ListBucket", "arn:aws:s3:::bucket"), True),
    ],
)
def test_a_call_is_let_through_only_as_the_statements_say(statements, need, allowed):
    assert allows(statements, need) is allowed


def statements_of(stage: CloudStage, name: str) -> list[Statement]:
    policies = stage.stack.functions[name].policies
    return [each for policy in policies for each in policy["Statement"]]


def needs_of(stage: CloudStage, record: Path) -> dict[str, set[Need]]:
    """Give the permissions that each function's calls took."""
    whose = {keys["AWS_ACCESS_KEY_ID"]: name for name, keys in stage.keys.items()}
    needs: dict[str, set[Need]] = {name: set() for name in stage.keys}
    for call in map(json.loads, record.read_text().splitlines()):
        if call["key_id"] in whose:
            needs[whose[call["key_id"]]].add(need_of(call))
    return needs


def unused(statements: Iterable[Statement], needs: set[Need]) -> set[str]:
    """Name the actions that are granted and that no call took."""
    left = set()
    for statement in statements:
        actions = statement["Action"]
        for action in [actions] if isinstance(actions, str) else actions:
            alone = {**statement, "Action": action}
            if not any(covers(alone, need) for need in needs):
                left.add(action)
    return left - BY_LAMBDA - IN_DOUBT


@pytest.mark.enable_socket
@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.tells_secrets  # its own clients put the secrets there
def test_all_is_as_it_says_with_each_roles_permissions_and_each_is_used(
    packages, tmp_path
):
    record, log, folder = (tmp_path / name for name in ("calls", "log", "lambda"))
    log.touch()

    def begin(session):
        return set_stage(session, packages, folder, log=log, record=record)

    stage = play_through(STEPS, begin, tmp_path)

    for name, needs in needs_of(stage, record).items():
        statements = statements_of(stage, name)
        assert not {need for need in needs if not allows(statements, need)}, name
        assert not unused(statements, needs), name
