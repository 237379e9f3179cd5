"""The next run completes an interrupted one and creates nothing twice."""

import pytest

from kycourier_devkit.deploy import zips
from support.tencent_account import PACKAGES, FakeAccount
from support.tencent_deployment import ZIPS, Deployer


class Crash(BaseException):
    """The process ends here."""


def crash_at(number: int, *, after: bool):
    """End the run at its call of this number, before the call or after its effect."""
    count = 0

    def on_call(_call: str, *, is_done: bool) -> None:
        nonlocal count
        if is_done is after:
            count += 1
            if count == number:
                raise Crash

    return on_call


def pass_through(_call: str, *, is_done: bool) -> None:
    """Change nothing."""


def open_account(tmp_path, monkeypatch) -> tuple[FakeAccount, Deployer]:
    monkeypatch.setattr(zips, "MAX_INLINE_BYTES", 300)
    account = FakeAccount()
    deployer = Deployer(tmp_path, account)
    deployer.config["packages"] = PACKAGES
    deployer.build(zips.SDK_ZIP, tencentcloud="1" * 400)
    return account, deployer


def deploy_and_change(deployer: Deployer) -> None:
    """Deploy, then change everything that can differ."""
    deployer.run()
    for name in ZIPS:
        deployer.build(name, other="2")
    deployer.config["functions"] = {"sweep_orders": {"memory": 1024}}
    deployer.config["queue"]["batch"] = 5
    deployer.config["api"] = "none"


@pytest.fixture(params=["created", "changed"])
def prepare(request):
    """Return what happens before the interrupted run."""
    return {"created": lambda _: None, "changed": deploy_and_change}[request.param]


@pytest.mark.slow
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_next_run_completes_after_a_crash_at_any_call(
    tmp_path, monkeypatch, prepare, after
):
    account, deployer = open_account(tmp_path, monkeypatch)
    prepare(deployer)
    seen = []
    account.on_call = lambda call, *, is_done: (
        seen.append(call) if is_done is after else 0
    )
    assert deployer.run().code == 0
    complete, count = account.snapshot(), len(seen)
    assert count > 35

    for number in range(1, count + 1):
        account, deployer = open_account(tmp_path, monkeypatch)
        prepare(deployer)
        account.on_call = crash_at(number, after=after)
        with pytest.raises(Crash):
            deployer.run()
        account.on_call = pass_through

        assert deployer.run().code == 0, f"call {number}"
        assert account.snapshot() == complete, f"call {number}"
        assert "Nothing differs." in deployer.run().out
