"""`deploy tencent` creates a whole deployment once, after the person agrees."""

import json

import pytest

from kycourier_devkit.deploy import zips
from kycourier_devkit.errors import UsageError
from support.tencent_account import NAME, PACKAGES, ROLE, TOPIC
from support.tencent_deployment import TtyStream, secret_url

FUNCTIONS = ["refresh-ticket", "collect-results", "sweep-orders", "orders-api"]
CREATES = {
    "ssm:CreateSecret": 4,
    "scf:PublishLayerVersion": 2,
    "scf:CreateFunction": 4,
    "scf:UpdateFunctionEventInvokeConfig": 2,
    "scf:PutReservedConcurrencyConfig": 3,
    "scf:CreateTrigger": 4,
}


def test_first_run_creates_each_resource_once(deployer, account):
    result = deployer.run()

    assert (result.code, result.err) == (0, "")
    writes = account.writes()
    assert {call: writes.count(call) for call in writes} == CREATES
    assert [name for _, name in account.scf.functions] == [
        f"{NAME}-{n}" for n in FUNCTIONS
    ]
    assert len(result.planned("create")) == sum(CREATES.values())
    assert len(result.planned("created")) == sum(CREATES.values())
    assert max(map(len, result.out.splitlines())) <= 80
    assert secret_url("app-secret") not in result.out + result.err
    assert "10.0.0.5" not in result.out + result.err


def test_webhook_needs_its_secret_and_no_bus(deployer, account):
    deployer.set("EVENTS", "https://partner.example/hook")
    with pytest.raises(UsageError, match="KYCOURIER_WEBHOOK_SECRET"):
        deployer.run()
    deployer.set("WEBHOOK_SECRET", secret_url("webhook-secret"))

    result = deployer.run()

    assert result.code == 0
    assert "eb:GetEventBus" not in account.calls
    assert "partner.example" not in result.out + result.err


def test_functions_that_seal_get_a_layer_more(deployer, account):
    deployer.set("RECIPIENT_KEY", secret_url("recipient-key"))
    missing = deployer.dist / zips.SEALING_ZIP
    with pytest.raises(UsageError, match=missing.name):
        deployer.run()
    deployer.build(zips.SEALING_ZIP, joserfc="1")

    result = deployer.run()

    assert result.code == 0
    for (_, name), function in account.scf.functions.items():
        layers = [each["LayerName"] for each in function.members["Layers"]]
        variables = {
            each["Key"] for each in function.members["Environment"]["Variables"]
        }
        seals = not name.endswith("refresh-ticket")
        assert (f"{NAME}-sealing" in layers) == seals
        assert ("KYCOURIER_RECIPIENT_KEY" in variables) == seals
    assert deployer.run(is_sure=False).out.count("Nothing differs.") == 1


def test_second_run_changes_nothing(deployer, account):
    deployer.run()
    before = account.snapshot()

    result = deployer.run(is_sure=False)

    assert (result.code, account.writes()) == (0, [])
    assert "Nothing differs." in result.out
    assert account.snapshot() == before


@pytest.mark.parametrize(
    ("options", "code"),
    [({"only_plan": True}, 0), ({"is_sure": False}, 2)],
    ids=["only the plan", "no terminal and no --yes"],
)
def test_plan_is_printed_and_nothing_changed(deployer, account, options, code):
    result = deployer.run(**options)

    assert (result.code, account.writes()) == (code, [])
    assert len(result.planned("create")) == sum(CREATES.values())


def test_functions_have_the_sizes_of_the_aws_template(deployer, account):
    deployer.run()

    sizes = {
        name: (
            function.members["MemorySize"],
            function.members["Timeout"],
            function.reserved,
        )
        for (_, name), function in account.scf.functions.items()
    }
    assert sizes == {
        f"{NAME}-refresh-ticket": (256, 30, 256),
        f"{NAME}-collect-results": (512, 60, 1024),
        f"{NAME}-sweep-orders": (512, 55, 512),
        f"{NAME}-orders-api": (512, 29, None),
    }
    function = account.function("sweep-orders")
    assert function.members["Handler"] == "sweep_orders.handler"
    assert function.members["Runtime"] == "Python3.10"
    assert function.members["Role"] == ROLE
    assert function.retries == {"RetryConfig": [{"RetryNum": 0}], "MsgTTL": 60}
    assert function.content == (deployer.dist / zips.FUNCTIONS_ZIP).read_bytes()


def test_triggers_have_types_and_descriptions_of_scf(deployer, account):
    deployer.run()

    triggers = {
        (each["Type"], each["TriggerName"]): json.loads(each["TriggerDesc"])
        for function in account.scf.functions.values()
        for each in function.triggers
    }
    assert triggers["timer", "refresh-ticket"] == {"cron": "0 */5 * * * * *"}
    assert triggers["timer", "sweep-orders"] == {"cron": "0 * * * * * *"}
    assert triggers["ckafka", TOPIC]["offset"] == "earliest"
    assert triggers["ckafka", TOPIC]["maxMsgNum"] == "10"
    assert triggers["http", "orders-api"]["AuthType"] == "NONE"
    assert len(triggers) == 4


def test_secrets_are_created_empty_or_generated_and_never_changed(deployer, account):
    result = deployer.run()

    assert account.secret("app-secret") == account.secret("redis") == "\n"
    generated = account.secret("fingerprint-key"), account.secret("api-keys")
    assert generated[0] != generated[1]
    assert [len(text) for text in generated] == [64, 64]
    assert not any(text in result.out + result.err for text in generated)
    assert "kycourier deploy secret KYCOURIER_APP_SECRET" in result.out
    assert "kycourier deploy secret KYCOURIER_STATE" in result.out

    account.set_secret("UpdateSecret", f"{NAME}-app-secret", "theirs")
    deployer.run()
    assert account.secret("app-secret") == "theirs"


def test_foreign_ticket_needs_no_timer_and_no_app_secret(deployer, account):
    deployer.run()
    del deployer.config["settings"]["KYCOURIER_APP_SECRET"]
    deployer.set("TICKET", "tencent-ssm://theirs?region=ap-guangzhou")
    missing = deployer.run()
    assert (missing.code, account.writes()) == (2, [])
    assert len(missing.planned("cannot")) == 1
    account.set_secret("CreateSecret", "theirs", "a ticket")

    deployer.run()

    assert account.triggers("refresh-ticket") == {"refresh-ticket": 0}
    for function in account.scf.functions.values():
        keys = [each["Key"] for each in function.members["Environment"]["Variables"]]
        assert "KYCOURIER_APP_SECRET" not in keys
        assert "KYCOURIER_TICKET" in keys


def test_namespace_is_created(deployer, account):
    deployer.config["namespace"] = "payments"

    assert deployer.run().code == 0

    assert {namespace for namespace, _ in account.scf.functions} == {"payments"}
    assert account.writes()[0] == "scf:CreateNamespace"
    assert "Nothing differs." in deployer.run().out


def test_large_zip_is_uploaded_to_the_packages_bucket(deployer, account, monkeypatch):
    monkeypatch.setattr(zips, "MAX_INLINE_BYTES", 300)
    deployer.build(zips.SDK_ZIP, tencentcloud="1" * 400)
    deployer.build(zips.FUNCTIONS_ZIP, f="1")
    result = deployer.run()
    assert result.code == 2
    assert "packages" in result.planned("cannot")[0]

    deployer.config["packages"] = PACKAGES
    assert deployer.run().code == 0

    (key,) = account.buckets.objects[PACKAGES]
    content = (deployer.dist / zips.SDK_ZIP).read_bytes()
    assert account.buckets.objects[PACKAGES][key] == content
    (layer,) = account.scf.layers.versions[f"{NAME}-sdk"]
    assert layer.content == content
    assert "Nothing differs." in deployer.run().out


@pytest.mark.parametrize(("typed", "code"), [("y", 0), ("n", 2), ("", 2)])
def test_run_on_terminal_requires_confirmation(
    deployer, account, monkeypatch, typed, code
):
    monkeypatch.setattr("sys.stdin", TtyStream(f"{typed}\n"))

    result = deployer.run(is_sure=False, out=TtyStream())

    assert result.code == code
    assert bool(account.writes()) is (typed == "y")
