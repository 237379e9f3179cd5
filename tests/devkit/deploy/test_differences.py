"""A run changes only what differs from tencent.yml and the built zips."""

from collections.abc import Callable

import pytest

from kycourier_devkit.deploy import zips
from support.tencent_account import NAME, TOPIC
from support.tencent_deployment import Deployer

TTL = "KYCOURIER_ORDER_TTL_SECONDS"
Change = Callable[[Deployer], None]
FUNCTIONS = ["refresh-ticket", "collect-results", "sweep-orders", "orders-api"]


def rebuilt(name: str) -> Change:
    return lambda deployer: deployer.build(name, other="2")


def configured(**members: object) -> Change:
    return lambda deployer: deployer.config.update(members)


def overridden(name: str, **members: object) -> Change:
    return configured(functions={name: members})


@pytest.mark.parametrize(
    ("change", "calls", "lines"),
    [
        (
            rebuilt(zips.FUNCTIONS_ZIP),
            ["scf:UpdateFunctionCode", "scf:UpdateFunctionConfiguration"] * 4,
            [f"update function {NAME}-{short} code" for short in FUNCTIONS],
        ),
        (
            rebuilt(zips.SERVICE_ZIP),
            ["scf:PublishLayerVersion", *["scf:UpdateFunctionConfiguration"] * 4],
            [
                f"create layer {NAME}-service a version with the new scf-service.zip",
                *[f"update function {NAME}-{short} layers" for short in FUNCTIONS],
            ],
        ),
        (
            lambda deployer: deployer.set("ORDER_TTL_SECONDS", 3600),
            ["scf:UpdateFunctionConfiguration"] * 3,
            [
                f"update function {NAME}-{short} environment: {TTL}"
                for short in FUNCTIONS
                if short != "refresh-ticket"
            ],
        ),
        (
            overridden("sweep_orders", memory=1024),
            ["scf:UpdateFunctionConfiguration", "scf:PutReservedConcurrencyConfig"],
            [
                f"update function {NAME}-sweep-orders memory",
                f"update cap {NAME}-sweep-orders 1 at once, 1024 MB",
            ],
        ),
        (
            overridden("orders_api", timeout=20),
            ["scf:UpdateFunctionConfiguration"],
            [f"update function {NAME}-orders-api timeout"],
        ),
        (
            overridden("orders_api", role="kycourier-api"),
            ["scf:UpdateFunctionConfiguration"],
            [f"update function {NAME}-orders-api role"],
        ),
        (
            overridden("orders_api", concurrency=4),
            ["scf:PutReservedConcurrencyConfig"],
            [f"update cap {NAME}-orders-api 4 at once, 2048 MB"],
        ),
        (
            configured(logs={"logset": "set-1", "topic": "topic-1"}),
            ["scf:UpdateFunctionConfiguration"] * 4,
            [f"update function {NAME}-{short} log topic" for short in FUNCTIONS],
        ),
        (
            configured(
                queue={"instance": "ckafka-a1b2c3d4", "topic": "orders", "batch": 5}
            ),
            ["scf:UpdateTrigger"],
            [f"update ckafka {NAME}-collect-results {TOPIC}: maxMsgNum"],
        ),
    ],
    ids=[
        *("code", "layer", "variable", "memory", "timeout"),
        *("role", "cap", "logs", "batch"),
    ],
)
def test_each_difference_updates_only_its_resource(
    deployer, account, change, calls, lines
):
    account.scf.prerequisites.roles.add("kycourier-api")
    deployer.run()
    change(deployer)

    result = deployer.run()

    assert result.code == 0
    assert account.writes() == calls
    assert result.planned("create", "update", "close") == lines
    assert "Nothing differs." in deployer.run().out


def test_manual_changes_are_reverted(deployer, account):
    deployer.run()
    before = account.snapshot()["functions"]
    function = account.function("sweep-orders")
    function.members |= {
        "Timeout": 3,
        "VpcConfig": {"VpcId": "", "SubnetId": ""},
        "PublicNetConfig": {"PublicNetStatus": "DISABLE"},
        "Environment": {"Variables": [{"Key": "STRAY", "Value": "1"}]},
    }
    function.triggers[0] |= {"TriggerDesc": '{"cron": "0 0 * * * * *"}', "Enable": 0}
    function.retries = {"RetryConfig": [{"RetryNum": 2}], "MsgTTL": 60}
    function.reserved = None

    result = deployer.run()

    assert "timeout" in result.out
    assert "-STRAY" in result.out
    assert "is closed" in result.out
    assert account.snapshot()["functions"] == before


def test_unwanted_trigger_is_disabled_and_not_deleted(deployer, account):
    deployer.run()
    account.scf.prerequisites.topics.add("ckafka-a1b2c3d4-others")
    deployer.config |= {
        "api": "none",
        "queue": {**deployer.config["queue"], "topic": "others"},
    }

    result = deployer.run()

    others = "ckafka-a1b2c3d4-others"
    assert account.writes() == ["scf:CreateTrigger", *["scf:UpdateTrigger"] * 2]
    assert account.triggers("orders-api") == {"orders-api": 0}
    assert account.triggers("collect-results") == {TOPIC: 0, others: 1}
    assert len(result.planned("close")) == 2
    assert "Nothing differs." in deployer.run().out
    deployer.config["api"] = "url"
    deployer.run()
    assert account.triggers("orders-api") == {"orders-api": 1}


@pytest.mark.parametrize("position", [0, 99], ids=["before", "after"])
def test_foreign_triggers_on_several_pages_are_left_alone(deployer, account, position):
    deployer.run()
    triggers = account.function("sweep-orders").triggers
    triggers[position:position] = [
        {**triggers[0], "TriggerName": f"foreign-{number}", "Description": ""}
        for number in range(40)
    ]

    assert "Nothing differs." in deployer.run().out


def test_layer_version_with_earlier_bytes_is_reused(deployer, account):
    deployer.run()
    old = (deployer.dist / zips.SERVICE_ZIP).read_bytes()
    deployer.build(zips.SERVICE_ZIP, kycourier="2")
    deployer.run()
    (deployer.dist / zips.SERVICE_ZIP).write_bytes(old)

    deployer.run()

    assert len(account.scf.layers.versions[f"{NAME}-service"]) == 2
    layers = account.function("orders-api").members["Layers"]
    assert layers[0] == {"LayerName": f"{NAME}-service", "LayerVersion": 1}
