"""A run that cannot be completed names the reason; the next one completes it."""

import pytest

from kycourier_devkit.deploy import zips
from kycourier_devkit.deploy.tencent.api import ApiError
from kycourier_devkit.deploy.tencent.waiters import WaiterError
from support.tencent_account import NAME, ROLE, TOPIC, VPC


@pytest.mark.parametrize(
    ("remove", "line_start"),
    [
        (lambda account: account.eb.buses.clear(), "bus eb-a1b2c3d4"),
        (lambda account: account.buckets.objects.clear(), "bucket evidence-1250000000"),
        (
            lambda account: (
                account.set_secret("CreateSecret", f"{NAME}-redis", "x"),
                account.set_secret("DisableSecret", f"{NAME}-redis", "x"),
            ),
            f"secret {NAME}-redis is Disabled: enable it first",
        ),
    ],
    ids=["bus", "bucket", "secret"],
)
def test_missing_prerequisite_stops_the_run_before_any_change(
    deployer, account, remove, line_start
):
    remove(account)

    result = deployer.run()

    assert (result.code, account.writes()) == (2, [])
    (line,) = result.planned("cannot")
    assert line.startswith(f"cannot {line_start}")
    assert "nothing was changed" in result.err


@pytest.mark.parametrize(
    ("kind", "name", "message"),
    [
        ("roles", ROLE, "scf:CreateFunction: no such role: create it first"),
        ("vpcs", VPC, "scf:CreateFunction: no such VPC or subnet"),
        ("topics", TOPIC, "scf:CreateTrigger: no such CKafka instance or topic"),
    ],
)
def test_prerequisite_that_only_scf_checks_is_named_and_next_run_completes(
    deployer, account, kind, name, message
):
    getattr(account.scf.prerequisites, kind).clear()
    with pytest.raises(ApiError, match=f"^{message}"):
        deployer.run()

    getattr(account.scf.prerequisites, kind).add(name)

    assert deployer.run().code == 0
    assert "Nothing differs." in deployer.run().out


def test_failed_creation_is_reported_with_status_of_scf(deployer, account):
    account.scf.fails[f"{NAME}-sweep-orders"] = "CreateFailed"

    with pytest.raises(WaiterError, match="sweep-orders: CreateFailed"):
        deployer.run()

    result = deployer.run()
    assert result.code == 2
    assert "delete it" in " ".join(result.out.split())


def lengthen_timeout(deployer):
    deployer.config["functions"] = {"orders_api": {"timeout": 20}}


def rebuild_functions(deployer):
    deployer.build(zips.FUNCTIONS_ZIP, refresh_ticket="2")


@pytest.mark.parametrize(
    ("function", "change"),
    [("orders-api", lengthen_timeout), ("refresh-ticket", rebuild_functions)],
)
def test_failed_update_is_repeated(deployer, account, function, change):
    deployer.run()
    change(deployer)
    account.scf.fails[f"{NAME}-{function}"] = "UpdateFailed"
    with pytest.raises(WaiterError, match=f"{function}: UpdateFailed"):
        deployer.run()

    assert deployer.run().code == 0

    assert "scf:UpdateFunctionCode" in account.writes()
    assert account.function(function).members["Status"] == "Active"
    built = (deployer.dist / zips.FUNCTIONS_ZIP).read_bytes()
    assert all(each.content == built for each in account.scf.functions.values())
    assert "Nothing differs." in deployer.run().out


def test_function_that_never_becomes_active_ends_the_run(deployer, account):
    account.scf.polls = 10_000

    with pytest.raises(WaiterError, match="still Creating after 180 s"):
        deployer.run()


def test_function_with_another_runtime_stops_the_run(deployer, account):
    deployer.run()
    account.function("orders-api").members["Runtime"] = "Python3.9"

    result = deployer.run()

    assert (result.code, account.writes()) == (2, [])
    assert "has another runtime" in " ".join(result.out.split())
