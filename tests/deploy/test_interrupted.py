"""A run that ended anywhere is completed by the next one; nothing is there twice."""

import pytest

from deploying import PACKAGES, Cloud, Deployer
from kycourier_devkit.deploy import zips
from kycourier_devkit.deploy.api import CallRefused


class Crash(BaseException):
    """The process ended here."""


def crash_at(number: int, *, after: bool):
    """End the run at its call of this number, before the call or after its effect."""
    count = 0

    def meddle(_call: str, *, is_done: bool) -> None:
        nonlocal count
        if is_done is after:
            count += 1
            if count == number:
                raise Crash

    return meddle


def leave_alone(_call: str, *, is_done: bool) -> None:
    """Let every call go through."""


def fresh(tmp_path, monkeypatch) -> tuple[Cloud, Deployer]:
    monkeypatch.setattr(zips, "MOST_IN_REQUEST", 300)
    cloud = Cloud()
    deployer = Deployer(tmp_path, cloud)
    deployer.wanted["packages"] = PACKAGES
    deployer.build(zips.SDK_ZIP, tencentcloud="1" * 400)
    return cloud, deployer


def deploy_first(deployer: Deployer) -> None:
    """Leave an older deployment, in which everything differs."""
    deployer.run()
    for name in (zips.FUNCTIONS_ZIP, zips.SERVICE_ZIP, zips.SDK_ZIP):
        deployer.build(name, other="2")
    deployer.wanted["functions"] = {"sweep_orders": {"memory": 1024}}
    deployer.wanted["queue"]["batch"] = 5
    deployer.wanted["api"] = "none"


@pytest.fixture(params=["made", "changed"])
def way(request):
    """Give what comes before the run that is interrupted."""
    return {"made": lambda _: None, "changed": deploy_first}[request.param]


@pytest.mark.slow
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_crash_at_any_call_is_made_good_by_the_next_run(
    tmp_path, monkeypatch, way, after
):
    cloud, deployer = fresh(tmp_path, monkeypatch)
    way(deployer)
    seen = []
    cloud.meddle = lambda call, *, is_done: seen.append(call) if is_done is after else 0
    assert deployer.run().code == 0
    wanted, count = cloud.tell(), len(seen)
    assert count > 35

    for number in range(1, count + 1):
        cloud, deployer = fresh(tmp_path, monkeypatch)
        way(deployer)
        cloud.meddle = crash_at(number, after=after)
        with pytest.raises(Crash):
            deployer.run()
        cloud.meddle = leave_alone

        assert deployer.run().code == 0, f"call {number}"
        assert cloud.tell() == wanted, f"call {number}"
        assert "Nothing differs." in deployer.run().out


def test_a_refusal_at_any_change_ends_the_run_and_the_next_completes_it(
    tmp_path, monkeypatch
):
    cloud, deployer = fresh(tmp_path, monkeypatch)
    deployer.run()
    wanted, writes = cloud.tell(), len(cloud.writes())

    for number in range(1, writes + 1):
        cloud, deployer = fresh(tmp_path, monkeypatch)
        refused = []

        def meddle(call: str, *, is_done, number=number, refused=refused) -> None:
            is_write = call.partition(":")[2].startswith(
                ("Create", "Publish", "Update", "Put")
            )
            if is_write and not is_done:
                refused.append(call)
                if len(refused) == number:
                    raise CallRefused(call, "InternalError")

        cloud.meddle = meddle
        with pytest.raises(CallRefused):
            deployer.run()
        assert len(refused) == number
        cloud.meddle = leave_alone

        assert deployer.run().code == 0
        assert cloud.tell() == wanted
