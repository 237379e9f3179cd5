"""The demo on AWS passes with each role's permissions, all of which it uses."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from kycourier_devkit.demo.environments.aws import AwsEnvironment
from kycourier_devkit.demo.environments.aws_start import open_aws
from support.aws.iam import Permission, allows, covers, permission_of

AFTER_LOST_RESPONSES = {"s3:GetObject", "secretsmanager:DescribeSecret"}
BY_LAMBDA = {"logs:CreateLogStream", "logs:PutLogEvents", "sqs:GetQueueAttributes"}
Statement = Mapping[str, object]


def statements_of(environment: AwsEnvironment, name: str) -> list[Statement]:
    policies = environment.stack.functions[name].policies
    return [each for policy in policies for each in policy["Statement"]]


def needs_of(environment: AwsEnvironment, record: Path) -> dict[str, set[Permission]]:
    """Return the permissions that each function's calls needed."""
    functions = {
        keys["AWS_ACCESS_KEY_ID"]: name for name, keys in environment.keys.items()
    }
    needs: dict[str, set[Permission]] = {name: set() for name in environment.keys}
    for call in map(json.loads, record.read_text().splitlines()):
        if name := functions.get(call["key_id"]):
            needs[name].add(permission_of(call))
    return needs


def unused(statements: Iterable[Statement], needs: set[Permission]) -> set[str]:
    """Return the granted actions that no call needed."""
    left = set()
    for statement in statements:
        actions = statement["Action"]
        for action in [actions] if isinstance(actions, str) else actions:
            alone = {**statement, "Action": action}
            if not any(covers(alone, need) for need in needs):
                left.add(action)
    return left - BY_LAMBDA - AFTER_LOST_RESPONSES


@pytest.mark.enable_socket
@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.leaks_on_purpose  # the operator stores the secrets
def test_every_step_passes_with_the_roles_permissions_and_each_is_needed(
    packages, tmp_path, run_scenario
):
    record, log, folder = (tmp_path / name for name in ("calls", "log", "lambda"))
    log.touch()

    environment = run_scenario(
        lambda context: open_aws(context, packages, folder, log=log, record=record)
    )

    for name, needs in needs_of(environment, record).items():
        statements = statements_of(environment, name)
        assert not {need for need in needs if not allows(statements, need)}, name
        assert not unused(statements, needs), name
