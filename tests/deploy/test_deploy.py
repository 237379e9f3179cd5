"""A deployment is made, and then only what differs is changed."""

import json
from collections.abc import Callable

import pytest

from deploying import (
    NAME,
    PACKAGES,
    REGION,
    ROLE,
    TOPIC,
    VPC,
    Cloud,
    Deployer,
    Terminal,
    build_zip,
    secret,
)
from kycourier_devkit.deploy import zips
from kycourier_devkit.deploy.api import CallRefused
from kycourier_devkit.deploy.waiting import NotReady
from kycourier_devkit.stand_ins.tencent.scf import Function

TTL = "KYCOURIER_ORDER_TTL_SECONDS"
FUNCTIONS = ["refresh-ticket", "collect-results", "sweep-orders", "orders-api"]
CREATES = {
    "ssm:CreateSecret": 4,
    "scf:PublishLayerVersion": 2,
    "scf:CreateFunction": 4,
    "scf:UpdateFunctionEventInvokeConfig": 2,
    "scf:PutReservedConcurrencyConfig": 3,
    "scf:CreateTrigger": 4,
}


def function(cloud: Cloud, short: str) -> Function:
    return cloud.scf.functions["default", f"{NAME}-{short}"]


def triggers(cloud: Cloud, short: str) -> dict[str, int]:
    """Give a function's triggers by name: open or closed."""
    return {
        each["TriggerName"]: each["Enable"] for each in function(cloud, short).triggers
    }


def keep(cloud: Cloud, action: str, name: str, text: str) -> None:
    """Do something to a secret, as a person does."""
    asked = {"SecretName": name, "VersionId": "SSM_Current", "SecretString": text}
    cloud.ssm.call(action, asked, REGION)


def change(deployer: Deployer, **settings: object) -> None:
    deployer.wanted["settings"] |= settings


def test_an_empty_account_gets_everything_once(deployer, cloud):
    ran = deployer.run()

    assert (ran.code, ran.err) == (0, "")
    writes = cloud.writes()
    assert {call: writes.count(call) for call in writes} == CREATES
    assert [name for _, name in cloud.scf.functions] == [
        f"{NAME}-{n}" for n in FUNCTIONS
    ]
    assert len(ran.planned("create")) == sum(CREATES.values())
    assert len(ran.planned("created")) == sum(CREATES.values())


def test_a_second_run_plans_nothing_and_changes_nothing(deployer, cloud):
    deployer.run()
    before = cloud.tell()

    ran = deployer.run()

    assert ran.code == 0
    assert "Nothing differs." in ran.out
    assert not ran.planned("create", "update", "close", "cannot")
    assert cloud.writes() == []
    assert cloud.tell() == before


def test_functions_are_as_on_aws(deployer, cloud):
    deployer.run()

    sizes = {
        name: (made.members["MemorySize"], made.members["Timeout"], made.reserved)
        for (_, name), made in cloud.scf.functions.items()
    }
    assert sizes == {
        f"{NAME}-refresh-ticket": (256, 30, 256),
        f"{NAME}-collect-results": (512, 60, 1024),
        f"{NAME}-sweep-orders": (512, 55, 512),
        f"{NAME}-orders-api": (512, 29, None),
    }
    made = function(cloud, "sweep-orders")
    assert made.members["Handler"] == "sweep_orders.handler"
    assert made.members["Runtime"] == "Python3.10"
    assert made.members["Role"] == ROLE
    assert made.retries == {"RetryConfig": [{"RetryNum": 0}], "MsgTTL": 60}
    assert made.content == (deployer.dist / zips.FUNCTIONS_ZIP).read_bytes()


def test_each_trigger_is_of_the_kind_that_scf_knows(deployer, cloud):
    deployer.run()

    told = {
        (each["Type"], each["TriggerName"]): json.loads(each["TriggerDesc"])
        for made in cloud.scf.functions.values()
        for each in made.triggers
    }
    assert told["timer", "refresh-ticket"] == {"cron": "0 */5 * * * * *"}
    assert told["timer", "sweep-orders"] == {"cron": "0 * * * * * *"}
    assert told["ckafka", TOPIC]["offset"] == "earliest"
    assert told["ckafka", TOPIC]["maxMsgNum"] == "10"
    assert told["http", "orders-api"]["AuthType"] == "NONE"
    assert len(told) == 4


def rebuilt(name: str) -> Callable[[Deployer], None]:
    return lambda deployer: deployer.build(name, other="2")


def wanted(**members: object) -> Callable[[Deployer], None]:
    return lambda deployer: deployer.wanted.update(members)


def tuned(name: str, **members: object) -> Callable[[Deployer], None]:
    return wanted(functions={name: members})


def setting(name: str, value: object) -> Callable[[Deployer], None]:
    return lambda deployer: change(deployer, **{f"KYCOURIER_{name}": value})


@pytest.mark.parametrize(
    ("differ", "calls", "lines"),
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
            setting("ORDER_TTL_SECONDS", 3600),
            ["scf:UpdateFunctionConfiguration"] * 3,
            [
                f"update function {NAME}-{short} environment: {TTL}"
                for short in FUNCTIONS
                if short != "refresh-ticket"
            ],
        ),
        (
            tuned("sweep_orders", memory=1024),
            ["scf:UpdateFunctionConfiguration", "scf:PutReservedConcurrencyConfig"],
            [
                f"update function {NAME}-sweep-orders memory",
                f"update cap {NAME}-sweep-orders 1 at once, 1024 MB",
            ],
        ),
        (
            tuned("orders_api", timeout=20),
            ["scf:UpdateFunctionConfiguration"],
            [f"update function {NAME}-orders-api timeout"],
        ),
        (
            tuned("orders_api", concurrency=4),
            ["scf:PutReservedConcurrencyConfig"],
            [f"update cap {NAME}-orders-api 4 at once, 2048 MB"],
        ),
        (
            wanted(logs={"logset": "set-1", "topic": "topic-1"}),
            ["scf:UpdateFunctionConfiguration"] * 4,
            [f"update function {NAME}-{short} log topic" for short in FUNCTIONS],
        ),
        (
            wanted(
                queue={"instance": "ckafka-a1b2c3d4", "topic": "orders", "batch": 5}
            ),
            ["scf:UpdateTrigger"],
            [f"update ckafka {NAME}-collect-results {TOPIC}: maxMsgNum"],
        ),
    ],
    ids=["code", "layer", "variable", "memory", "timeout", "cap", "logs", "batch"],
)
def test_each_difference_changes_that_alone(deployer, cloud, differ, calls, lines):
    deployer.run()
    differ(deployer)

    ran = deployer.run()

    assert ran.code == 0
    assert cloud.writes() == calls
    assert ran.planned("create", "update", "close") == lines
    assert "Nothing differs." in deployer.run().out


def test_a_role_of_its_own_is_one_functions_alone(deployer, cloud):
    cloud.scf.account.roles.add("kycourier-api")
    deployer.run()
    tuned("orders_api", role="kycourier-api")(deployer)

    deployer.run()

    assert cloud.writes() == ["scf:UpdateFunctionConfiguration"]
    assert function(cloud, "orders-api").members["Role"] == "kycourier-api"
    assert function(cloud, "sweep-orders").members["Role"] == ROLE


def test_what_somebody_changed_by_hand_is_put_back(deployer, cloud):
    deployer.run()
    before = cloud.tell()["functions"]
    made = function(cloud, "sweep-orders")
    made.members |= {
        "Timeout": 3,
        "VpcConfig": {"VpcId": "", "SubnetId": ""},
        "PublicNetConfig": {"PublicNetStatus": "DISABLE"},
        "Environment": {"Variables": [{"Key": "STRAY", "Value": "1"}]},
    }
    made.triggers[0] |= {"TriggerDesc": '{"cron": "0 0 * * * * *"}', "Enable": 0}
    made.retries, made.reserved = {"RetryConfig": [{"RetryNum": 2}], "MsgTTL": 60}, None

    ran = deployer.run()

    assert "timeout" in ran.out
    assert "-STRAY" in ran.out
    assert "is closed" in ran.out
    assert cloud.tell()["functions"] == before


def test_variables_that_differ_are_named_and_their_values_are_not_shown(deployer):
    deployer.run()
    setting("KYC_URL", "https://moved.example")(deployer)

    ran = deployer.run()

    assert "environment: KYCOURIER_KYC_URL" in " ".join(ran.out.split())
    assert "moved.example" not in ran.out + ran.err


def test_a_plan_alone_changes_nothing(deployer, cloud):
    ran = deployer.run(only_plan=True)

    assert (ran.code, cloud.writes()) == (0, [])
    assert len(ran.planned("create")) == sum(CREATES.values())


def test_without_a_terminal_only_yes_changes_something(deployer, cloud):
    ran = deployer.run(is_sure=False)

    assert (ran.code, cloud.writes()) == (2, [])
    assert "--yes" in ran.err
    deployer.run()
    assert deployer.run(is_sure=False).code == 0


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("n", 2), ("", 2)])
def test_on_a_terminal_it_asks_first(deployer, cloud, monkeypatch, answer, code):
    monkeypatch.setattr("sys.stdin", Terminal(f"{answer}\n"))

    ran = deployer.run(is_sure=False, out=Terminal())

    assert ran.code == code
    assert bool(cloud.writes()) is (answer == "y")


def test_a_trigger_that_is_not_wanted_any_more_is_closed_and_stays(deployer, cloud):
    deployer.run()
    cloud.scf.account.topics.add("ckafka-a1b2c3d4-others")
    deployer.wanted |= {
        "api": "none",
        "queue": {**deployer.wanted["queue"], "topic": "others"},
    }

    ran = deployer.run()

    assert cloud.writes() == [
        "scf:CreateTrigger",
        "scf:UpdateTrigger",
        "scf:UpdateTrigger",
    ]
    assert triggers(cloud, "orders-api") == {"orders-api": 0}
    assert triggers(cloud, "collect-results") == {TOPIC: 0, "ckafka-a1b2c3d4-others": 1}
    assert len(ran.planned("close")) == 2
    assert "Nothing differs." in deployer.run().out
    deployer.wanted["api"] = "url"
    deployer.run()
    assert triggers(cloud, "orders-api") == {"orders-api": 1}


def test_a_trigger_that_somebody_else_made_is_left_alone(deployer, cloud):
    deployer.run()
    mine = function(cloud, "sweep-orders").triggers[0]
    function(cloud, "sweep-orders").triggers.extend(
        {**mine, "TriggerName": f"mine-{number}", "Description": ""}
        for number in range(40)
    )

    assert "Nothing differs." in deployer.run().out


def test_a_trigger_behind_many_others_is_found(deployer, cloud):
    deployer.run()
    there = function(cloud, "sweep-orders").triggers
    others = [
        {**there[0], "TriggerName": f"mine-{n}", "Description": ""} for n in range(40)
    ]
    there[:0] = others

    assert "Nothing differs." in deployer.run().out


def test_a_foreign_ticket_needs_no_timer_and_no_app_secret(deployer, cloud):
    deployer.run()
    keep(cloud, "CreateSecret", "theirs", "a ticket")
    del deployer.wanted["settings"]["KYCOURIER_APP_SECRET"]
    setting("TICKET", "tencent-ssm://theirs?region=ap-guangzhou")(deployer)

    deployer.run()

    assert triggers(cloud, "refresh-ticket") == {"refresh-ticket": 0}
    for made in cloud.scf.functions.values():
        keys = [each["Key"] for each in made.members["Environment"]["Variables"]]
        assert "KYCOURIER_APP_SECRET" not in keys
        assert "KYCOURIER_TICKET" in keys


def test_a_foreign_tickets_secret_is_for_another_to_make(deployer, cloud):
    setting("TICKET", "tencent-ssm://theirs?region=ap-guangzhou")(deployer)

    ran = deployer.run()

    assert (ran.code, cloud.writes()) == (2, [])
    assert len(ran.planned("cannot")) == 1


def test_secrets_are_made_empty_or_drawn_and_never_touched_again(deployer, cloud):
    ran = deployer.run()

    assert cloud.secret("app-secret") == cloud.secret("redis") == "\n"
    drawn = cloud.secret("fingerprint-key"), cloud.secret("api-keys")
    assert drawn[0] != drawn[1]
    assert [len(text) for text in drawn] == [64, 64]
    assert not any(text in ran.out + ran.err for text in drawn)
    assert "kycourier deploy secret KYCOURIER_APP_SECRET" in ran.out
    assert "kycourier deploy secret KYCOURIER_STATE" in ran.out

    keep(cloud, "UpdateSecret", f"{NAME}-app-secret", "theirs")
    deployer.run()
    assert cloud.secret("app-secret") == "theirs"


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda cloud: cloud.eb.buses.clear(), "bus eb-a1b2c3d4"),
        (lambda cloud: cloud.objects.kept.clear(), "bucket evidence-1250000000"),
        (
            lambda cloud: (
                keep(cloud, "CreateSecret", f"{NAME}-redis", "x"),
                keep(cloud, "DisableSecret", f"{NAME}-redis", "x"),
            ),
            f"secret {NAME}-redis is Disabled: enable it first",
        ),
    ],
    ids=["bus", "bucket", "secret"],
)
def test_what_is_missing_beforehand_stops_it_before_anything_is_made(
    deployer, cloud, spoil, said
):
    spoil(cloud)

    ran = deployer.run()

    assert (ran.code, cloud.writes()) == (2, [])
    (line,) = ran.planned("cannot")
    assert line.startswith(f"cannot {said}")
    assert "nothing was changed" in ran.err


@pytest.mark.parametrize(
    ("kind", "name", "said"),
    [
        ("roles", ROLE, "scf:CreateFunction: no such role: it is made beforehand"),
        ("vpcs", VPC, "scf:CreateFunction: no such VPC or subnet"),
        ("topics", TOPIC, "scf:CreateTrigger: no such CKafka instance or topic"),
    ],
)
def test_what_only_scf_can_miss_is_named_and_the_next_run_completes(
    deployer, cloud, kind, name, said
):
    getattr(cloud.scf.account, kind).clear()
    with pytest.raises(CallRefused, match=f"^{said}"):
        deployer.run()

    getattr(cloud.scf.account, kind).add(name)

    assert deployer.run().code == 0
    assert "Nothing differs." in deployer.run().out


def test_a_function_that_could_not_be_made_is_named_with_scfs_symbol(deployer, cloud):
    cloud.scf.fails[f"{NAME}-sweep-orders"] = "CreateFailed"

    with pytest.raises(NotReady, match="sweep-orders: CreateFailed"):
        deployer.run()

    ran = deployer.run()
    assert ran.code == 2
    assert "delete it" in " ".join(ran.out.split())


def test_an_update_that_failed_is_made_again_though_its_values_show(deployer, cloud):
    deployer.run()
    tuned("orders_api", timeout=20)(deployer)
    cloud.scf.fails[f"{NAME}-orders-api"] = "UpdateFailed"
    with pytest.raises(NotReady, match="orders-api: UpdateFailed"):
        deployer.run()
    assert function(cloud, "orders-api").members["Timeout"] == 20

    assert deployer.run().code == 0

    assert cloud.writes() == [
        "scf:UpdateFunctionCode",
        "scf:UpdateFunctionConfiguration",
    ]
    assert "Nothing differs." in deployer.run().out


def test_an_update_of_code_that_failed_is_made_again(deployer, cloud):
    deployer.run()
    before = cloud.tell()
    deployer.build(zips.FUNCTIONS_ZIP, refresh_ticket="2")
    cloud.scf.fails[f"{NAME}-refresh-ticket"] = "UpdateFailed"
    with pytest.raises(NotReady, match="refresh-ticket: UpdateFailed"):
        deployer.run()

    assert deployer.run().code == 0

    assert function(cloud, "refresh-ticket").members["Status"] == "Active"
    assert cloud.tell()["functions"].keys() == before["functions"].keys()
    wanted_bytes = (deployer.dist / zips.FUNCTIONS_ZIP).read_bytes()
    assert all(made.content == wanted_bytes for made in cloud.scf.functions.values())


def test_a_function_that_never_becomes_active_ends_the_run(deployer, cloud):
    cloud.scf.polls = 10_000

    with pytest.raises(NotReady, match="still Creating after 180 s"):
        deployer.run()


def test_another_runtime_cannot_be_changed_to_ours(deployer, cloud):
    deployer.run()
    function(cloud, "orders-api").members["Runtime"] = "Python3.9"

    ran = deployer.run()

    assert (ran.code, cloud.writes()) == (2, [])
    assert "runs another runtime" in " ".join(ran.out.split())


def test_a_large_zip_goes_by_way_of_the_packages_bucket(deployer, cloud, monkeypatch):
    monkeypatch.setattr(zips, "MOST_IN_REQUEST", 300)
    deployer.build(zips.SDK_ZIP, tencentcloud="1" * 400)
    deployer.build(zips.FUNCTIONS_ZIP, f="1")
    ran = deployer.run()
    assert ran.code == 2
    assert "packages" in ran.planned("cannot")[0]

    deployer.wanted["packages"] = PACKAGES
    assert deployer.run().code == 0

    (key,) = cloud.objects.kept[PACKAGES]
    content = (deployer.dist / zips.SDK_ZIP).read_bytes()
    assert cloud.objects.kept[PACKAGES][key] == content
    (layer,) = cloud.scf.layers.versions[f"{NAME}-sdk"]
    assert layer.content == content
    before = cloud.tell()
    assert "Nothing differs." in deployer.run().out
    assert cloud.tell() == before


def test_bytes_of_before_are_found_again_and_not_published_twice(deployer, cloud):
    deployer.run()
    old = (deployer.dist / zips.SERVICE_ZIP).read_bytes()
    deployer.build(zips.SERVICE_ZIP, kycourier="2")
    deployer.run()
    (deployer.dist / zips.SERVICE_ZIP).write_bytes(old)

    deployer.run()

    assert len(cloud.scf.layers.versions[f"{NAME}-service"]) == 2
    layers = function(cloud, "orders-api").members["Layers"]
    assert layers[0] == {"LayerName": f"{NAME}-service", "LayerVersion": 1}


def test_a_namespace_of_its_own_is_made(deployer, cloud):
    deployer.wanted["namespace"] = "payments"

    assert deployer.run().code == 0

    assert {namespace for namespace, _ in cloud.scf.functions} == {"payments"}
    assert cloud.writes()[0] == "scf:CreateNamespace"
    assert "Nothing differs." in deployer.run().out


def test_every_line_fits_80_columns(deployer):
    deployer.wanted["name"] = "k" * 40
    ran = deployer.run()

    assert max(map(len, ran.out.splitlines())) <= 80


def test_no_value_of_a_setting_stands_in_what_is_shown(deployer):
    ran = deployer.run()

    shown = ran.out + ran.err + deployer.run().out
    assert secret("app-secret") not in shown
    assert "10.0.0.5" not in shown


def test_small_zips_are_what_they_are():
    assert build_zip(a="1") == build_zip(a="1") != build_zip(a="2")
