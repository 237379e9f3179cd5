"""The flow on Tencent Cloud: as the demo says it, and with the documented rights."""

import io
import json
import re
from contextlib import closing

import pytest

from kycourier.adapters.system import SystemClock
from kycourier_devkit.demo_tencent.account import (
    DEPLOYER_MAY,
    EVIDENCE,
    FUNCTIONS_MAY,
    Account,
)
from kycourier_devkit.demo_tencent.stage import set_stage
from kycourier_devkit.demo_tencent.steps import STEPS
from kycourier_devkit.package.clouds import TENCENT
from kycourier_devkit.screen import Screen
from kycourier_devkit.session import Session
from kycourier_devkit.toolbox import ROOT
from playing import play_through

IN_DOUBT = {"cos:HeadObject"}  # to look again
BY_SCF = {"cam:PassRole"}
ON_A_CHANGE = {
    *("scf:UpdateFunctionCode", "scf:UpdateFunctionConfiguration"),
    *("scf:UpdateTrigger", "scf:ListNamespaces", "scf:CreateNamespace"),
}


def documented():
    """Give the actions of both policies of the page: the functions', the deployer's."""
    page = (ROOT / "docs/tencent.md").read_text(encoding="utf-8")
    policies = map(json.loads, re.findall(r"```json\n(.*?)```", page, re.DOTALL))
    return [
        {action for each in policy["statement"] for action in each["action"]}
        for policy in policies
    ]


def called(account):
    """Give the permissions that calls took."""
    calls = {f"{call.service}:{call.action}" for call in account.api.calls}
    return calls | {call.action for call in account.cos.calls}


def test_the_demos_rights_are_those_of_the_page():
    assert documented() == [FUNCTIONS_MAY, DEPLOYER_MAY]


@pytest.mark.enable_socket
@pytest.mark.slow
def test_the_role_may_do_what_it_is_permitted_alone_until_it_is_denied(moto, tmp_path):
    screen = Screen(io.StringIO(), io.StringIO())
    session = Session({}, tmp_path, screen, SystemClock())
    with closing(Account(moto)) as account:
        earlier = account.role_environ()
        assert not account.refuses(earlier, session)
        with account.denied("eb:PutEvents"):
            assert not account.refuses(earlier, session)

        account.renew_role()

        assert account.refuses(earlier, session)
        assert not account.refuses(account.role_environ(), session)
        assert account.cos.read(EVIDENCE, "nothing") is None


@pytest.mark.enable_socket
@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.tells_secrets  # its own commands put the secrets there
def test_all_is_as_it_says_with_the_documented_rights_and_each_is_used(
    packages_of, tmp_path
):
    packages, log, folder = packages_of(TENCENT), tmp_path / "log", tmp_path / "scf"
    log.touch()
    folder.mkdir()

    def begin(session):
        return set_stage(session, packages, folder, log=log)

    stage = play_through(STEPS, begin, tmp_path)

    unused = (FUNCTIONS_MAY | DEPLOYER_MAY) - called(stage.account)
    assert unused <= IN_DOUBT | BY_SCF | ON_A_CHANGE
