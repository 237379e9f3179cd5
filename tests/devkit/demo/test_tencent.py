"""The demo on Tencent Cloud passes with the documented permissions, and needs all."""

import json
import re

import pytest

from kycourier_devkit.demo.environments.tencent import open_tencent
from kycourier_devkit.emulators.tencent.account import (
    DEPLOYER_PERMISSIONS,
    FUNCTION_PERMISSIONS,
)
from kycourier_devkit.errors import UsageError
from kycourier_devkit.package.clouds import TENCENT
from kycourier_devkit.repository import ROOT

AFTER_LOST_RESPONSES = {"cos:HeadObject"}
BY_SCF = {"cam:PassRole"}
ON_A_CHANGE = {
    *("scf:UpdateFunctionCode", "scf:UpdateFunctionConfiguration"),
    *("scf:UpdateTrigger", "scf:ListNamespaces", "scf:CreateNamespace"),
}


def called(account):
    """Return the permissions that the calls needed."""
    calls = {f"{call.service}:{call.action}" for call in account.api.calls}
    return calls | {call.action for call in account.cos.calls}


def test_permissions_are_the_documented_ones():
    page = (ROOT / "docs/tencent.md").read_text(encoding="utf-8")
    policies = map(json.loads, re.findall(r"```json\n(.*?)```", page, re.DOTALL))
    actions = [
        {action for each in policy["statement"] for action in each["action"]}
        for policy in policies
    ]
    assert actions == [FUNCTION_PERMISSIONS, DEPLOYER_PERMISSIONS]


def test_missing_packages_are_named_before_anything_starts(tmp_path):
    opened = open_tencent(None, tmp_path, tmp_path, log=tmp_path / "log")
    with pytest.raises(UsageError, match="Build it: make package-tencent"), opened:
        pass
    assert not list(tmp_path.iterdir())


@pytest.mark.enable_socket
@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.leaks_on_purpose  # the operator stores the secrets
def test_every_step_passes_with_the_documented_permissions_and_each_is_needed(
    packages_of, tmp_path, run_scenario
):
    packages, log, folder = packages_of(TENCENT), tmp_path / "log", tmp_path / "scf"
    log.touch()
    folder.mkdir()

    environment = run_scenario(
        lambda context: open_tencent(context, packages, folder, log=log)
    )

    unused = (FUNCTION_PERMISSIONS | DEPLOYER_PERMISSIONS) - called(environment.account)
    assert unused <= AFTER_LOST_RESPONSES | BY_SCF | ON_A_CHANGE
