"""Every magic order number has the documented behaviour."""

import pytest

from devkit.sandbox.behaviours import reply_checks, transport_checks
from devkit.sandbox.kyc_client import SandboxRig
from kycourier_devkit.sandbox import order_rows
from kycourier_devkit.sandbox.platform.result_codes import meanings

CHECKS = {**reply_checks.CHECKS, **transport_checks.CHECKS}


@pytest.mark.enable_socket
@pytest.mark.parametrize("spelling", CHECKS)
def test_order_has_behaviour_of_its_row(spelling: str, rig: SandboxRig) -> None:
    CHECKS[spelling](rig)


def test_every_row_has_a_check() -> None:
    assert sorted(CHECKS) == sorted(spelling for spelling, _ in order_rows())


@pytest.mark.enable_socket
@pytest.mark.parametrize("code", [code for code in meanings() if code != "0"])
def test_every_documented_code_is_available_by_order_number(
    code: str, rig: SandboxRig
) -> None:
    reply = rig.query(f"code{code.replace('-', 'm')}x1")

    assert (reply.status, reply.code) == (200, code)
    assert reply.json["msg"] == meanings()[code]
    assert "result" not in reply.json
