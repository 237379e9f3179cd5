"""The flow on AWS: as the demo says it, and with each role's own permissions alone."""

import io
import json
from pathlib import Path

import pytest

from aws.permissions import Need, allows, covers, need_of
from built import PACKAGED
from kycourier.adapters.system import SystemClock
from kycourier_devkit.demo.script import play_steps
from kycourier_devkit.demo_aws.stage import CloudStage, set_stage
from kycourier_devkit.demo_aws.steps import STEPS
from kycourier_devkit.errors import ToolMissing
from kycourier_devkit.screen import Screen
from kycourier_devkit.session import Session

ELSEWHERE = {"logs", "kms"}  # what Lambda itself, and moto's services, do for a role


def statements_of(stage: CloudStage, name: str) -> list[dict[str, object]]:
    policies = stage.stack.functions[name].policies
    return [each for policy in policies for each in policy["Statement"]]


def needs_of(stage: CloudStage, record: Path) -> dict[str, set[Need]]:
    """Give the permissions that each function's calls took."""
    whose = {key["AWS_ACCESS_KEY_ID"]: name for name, key in stage.keys.items()}
    needs: dict[str, set[Need]] = {name: set() for name in stage.keys}
    for line in record.read_text().splitlines():
        call = json.loads(line)
        if call["key_id"] in whose:
            need = need_of(call)
            context = tuple(sorted(need.context.items()))
            needs[whose[call["key_id"]]].add(need._replace(context=context))
    return needs


def as_asked(need: Need) -> Need:
    return need._replace(context=dict(need.context))


def unused(statements: list[dict[str, object]], needs: set[Need]) -> list[str]:
    """Name the actions that are granted and that no call took."""
    granted = []
    for statement in statements:
        actions = statement["Action"]
        for action in [actions] if isinstance(actions, str) else actions:
            alone = {**statement, "Action": action}
            if not any(covers(alone, as_asked(need)) for need in needs):
                granted.append(action)
    return [each for each in granted if each.partition(":")[0] not in ELSEWHERE]


@pytest.fixture
def played(packages, tmp_path):
    """Play the demo; give its stage, what was printed, and who called what."""
    out, record, log = io.StringIO(), tmp_path / "calls.jsonl", tmp_path / "log"
    screen = Screen(out, out)
    session = Session({}, tmp_path, screen, SystemClock())
    log.touch()
    try:
        with set_stage(
            session, packages, tmp_path / "lambda", log=log, record=record
        ) as stage:
            failed = play_steps(screen, stage, STEPS)
            yield stage, failed, out.getvalue(), needs_of(stage, record)
    except ToolMissing as missing:
        pytest.skip(str(missing))


@pytest.mark.usefixtures("packages")
class TestPlayed:
    """One play, looked at from all sides, since it takes half a minute."""

    pytestmark = PACKAGED

    def test_all_is_as_it_says_with_each_roles_permissions_and_no_others(self, played):
        stage, failed, text, needs = played

        assert not failed, text
        assert text.count("    ok  ") > 2 * len(STEPS)
        assert max(map(len, text.splitlines())) <= 80
        for name, taken in needs.items():
            assert taken, name
            statements = statements_of(stage, name)
            refused = [need for need in taken if not allows(statements, as_asked(need))]
            assert not refused, name
            assert not unused(statements, taken), name
