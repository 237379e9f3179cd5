"""The demo on Tencent Cloud passes with the documented permissions, and needs all."""

import io
import json
import re
from contextlib import closing

import pytest

from kycourier.adapters.system import SystemClock
from kycourier_devkit.cli.context import CliContext
from kycourier_devkit.cli.terminal import Terminal
from kycourier_devkit.demo.environments.tencent import open_tencent
from kycourier_devkit.emulators.tencent.account import (
    DEPLOYER_PERMISSIONS,
    EVIDENCE,
    FUNCTION_PERMISSIONS,
    TencentAccount,
)
from kycourier_devkit.package.clouds import TENCENT
from kycourier_devkit.repository import ROOT

AFTER_LOST_RESPONSES = {"cos:HeadObject"}
BY_SCF = {"cam:PassRole"}
ON_A_CHANGE = {
    *("scf:UpdateFunctionCode", "scf:UpdateFunctionConfiguration"),
    *("scf:UpdateTrigger", "scf:ListNamespaces", "scf:CreateNamespace"),
}


def read_documented():
    """Return the actions of both policies of the page: functions and deployer."""
    page = (ROOT / "docs/tencent.md").read_text(encoding="utf-8")
    policies = map(json.loads, re.findall(r"```json\n(.*?)```", page, re.DOTALL))
    return [
        {action for each in policy["statement"] for action in each["action"]}
        for policy in policies
    ]


def called(account):
    """Return the permissions that the calls needed."""
    calls = {f"{call.service}:{call.action}" for call in account.api.calls}
    return calls | {call.action for call in account.cos.calls}


def test_permissions_are_the_documented_ones():
    assert read_documented() == [FUNCTION_PERMISSIONS, DEPLOYER_PERMISSIONS]


@pytest.mark.enable_socket
@pytest.mark.slow
def test_former_credentials_of_the_role_are_rejected_after_renewal(moto, tmp_path):
    screen = Terminal(io.StringIO(), io.StringIO())
    session = CliContext({}, tmp_path, screen, SystemClock())
    with closing(TencentAccount(moto)) as account:
        former = account.role_environ()
        assert not account.rejects(former, session)
        with account.denied("eb:PutEvents"):
            assert not account.rejects(former, session)

        account.renew_role()

        assert account.rejects(former, session)
        assert not account.rejects(account.role_environ(), session)
        assert account.cos.read(EVIDENCE, "nothing") is None


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
        lambda session: open_tencent(session, packages, folder, log=log)
    )

    unused = (FUNCTION_PERMISSIONS | DEPLOYER_PERMISSIONS) - called(environment.account)
    assert unused <= AFTER_LOST_RESPONSES | BY_SCF | ON_A_CHANGE
