"""tencent.yml: what is wrong in it is said by its key, and no value is repeated."""

from collections.abc import Mapping
from typing import Any

import pytest

from canaries import MARK
from deploying import SETTINGS, WANTED, secret
from kycourier import bootstrap
from kycourier_devkit.deploy.config import read_config
from kycourier_devkit.deploy.environments import (
    CAPS,
    MOST_BYTES,
    NEEDS,
    build_environments,
)
from kycourier_devkit.errors import UsageProblem
from kycourier_devkit.toolbox import ROOT

CANARY = f"{MARK}in-a-value"


def problem(deployer, **changes: object) -> str:
    """Give what is said of a file with these changes."""
    deployer.wanted |= changes
    with pytest.raises(UsageProblem) as caught:
        deployer.site()
    assert CANARY not in str(caught.value)
    return str(caught.value)


def of_setting(deployer, name: str, value: object) -> str:
    settings = {**SETTINGS, f"KYCOURIER_{name}": value}
    return problem(deployer, settings=settings).removeprefix(
        f"settings: KYCOURIER_{name}"
    )


def test_the_least_file_is_enough(deployer):
    deployer.wanted = {
        key: WANTED[key] for key in ("region", "name", "role", "settings")
    }

    config = deployer.site().config

    assert (config.namespace, config.api, config.upstream_cap) == ("default", "url", 20)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({CANARY.lower(): 1}, "there is no such key"),
        ({"region": "Guangzhou"}, "region: "),
        ({"name": "1st"}, "name: "),
        ({"name": "k" * 41}, "name: "),
        ({"role": CANARY + "/"}, "role: "),
        ({"packages": "no-appid"}, "packages: "),
        ({"vpc": {"id": "vpc-1"}}, "vpc.subnet: is missing"),
        ({"vpc": {"id": CANARY, "subnet": "subnet-1"}}, "vpc.id: "),
        ({"queue": {"instance": CANARY, "topic": "t"}}, "queue.instance: "),
        (
            {"queue": {"instance": "ckafka-1", "topic": "t", "batch": 0}},
            "queue.batch: ",
        ),
        ({"logs": {"topic": "t-1"}}, "logs.logset: is missing"),
        ({"api": False}, "api: Expected 'str', got 'bool'"),
        ({"api": CANARY}, "api: is none of the values"),
        ({"upstream_cap": 30}, "upstream_cap: is none of the values"),
        ({"functions": {"sweep": {}}}, "functions.sweep: there is no such key"),
        (
            {"functions": {"sweep_orders": {"memry": 1}}},
            "functions.sweep_orders.memry: there is no such key",
        ),
        (
            {"functions": {"sweep_orders": {"memory": 500}}},
            "functions.sweep_orders.memory: ",
        ),
        (
            {"functions": {"sweep_orders": {"timeout": 901}}},
            "functions.sweep_orders.timeout: ",
        ),
    ],
)
def test_a_wrong_key_or_value_is_named(deployer, changes, said):
    assert said in problem(deployer, **changes)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"name: a\n{CANARY}", "is no YAML, line 2"),
        (f"name: a\nname: {CANARY}", "a key stands twice, or is no plain word, line 2"),
        (f"? [{CANARY}]\n: 1", "a key stands twice, or is no plain word, line 1"),
        (f"name: !!python/name:os.{CANARY} x", "is no YAML, line 1"),
        (f"- {CANARY}", "Expected 'object', got 'array'"),
        ("", "Expected 'object', got 'null'"),
        ("\x00", "is no YAML"),
        ("a: " * 2000, "is no YAML"),
        ("[" * 5000, "is no YAML"),
    ],
)
def test_what_is_no_such_yaml_is_refused_without_its_text(tmp_path, text, said):
    path = tmp_path / "tencent.yml"
    path.write_text(text)

    with pytest.raises(UsageProblem) as caught:
        read_config(path)

    assert str(caught.value).startswith("tencent.yml")
    assert said in str(caught.value)
    assert CANARY not in str(caught.value)


def test_a_file_that_is_not_there_or_far_too_large_is_named(tmp_path):
    with pytest.raises(
        UsageProblem, match=r"^absent\.yml cannot be read: No such file"
    ):
        read_config(tmp_path / "absent.yml")
    (tmp_path / "large.yml").write_bytes(b" " * 70_000)
    with pytest.raises(UsageProblem, match=r"^large\.yml is too large"):
        read_config(tmp_path / "large.yml")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("APP_SECRET", CANARY, "must be env:NAME or"),
        ("APP_SECRET", "env:SECRET", "must be tencent-ssm://"),
        ("APP_SECRET", "file:///run/secret", "must be tencent-ssm://"),
        ("APP_SECRET", "aws-ssm:///path", "must be tencent-ssm://"),
        ("APP_SECRET", "tencent-ssm://name", "names no region"),
        ("API_KEYS", CANARY, "must be env:NAME or"),
        ("FINGERPRINT_KEY", "env:KEY", "must be tencent-ssm://"),
        ("TICKET", CANARY, "must be owned or"),
        ("TICKET", f"redis://:{CANARY}@10.0.0.5#k", "holds a password"),
        ("STATE", f"redis://u:{CANARY}@10.0.0.5", "holds a password"),
        ("STATE", "redis://u@10.0.0.5?password=env:X", "must refer to tencent-ssm://"),
        ("STATE", "dynamodb://table", "must be redis:// or rediss://"),
        ("EVIDENCE", "s3://bucket/evidence", "must be cos://"),
        ("EVIDENCE", "cos://no-appid?region=ap-guangzhou", "must be cos://"),
        ("EVENTS", "eventbridge://bus", "must be tencent-eb://"),
        ("EVENTS", "tencent-eb://bus", "must be tencent-eb://"),
        ("APP_ID", "a b", "must be letters and digits"),
        ("MAX_IN_FLIGHT", 5, "cannot be set: it follows from upstream_cap"),
        ("QUEUE", "none", "cannot be set: it is none"),
        ("API_AUTH", "none", "cannot be set: it is signature"),
        ("SECRET", CANARY, "is no setting"),
        ("app_id", CANARY, "is no setting"),
        ("ORDER_TTL_SECONDS", True, "must be one line of text, or a number"),
        ("ORDER_TTL_SECONDS", {"a": CANARY}, "must be one line of text, or a number"),
        ("ORDER_TTL_SECONDS", 0, "must be between"),
        ("KYC_URL", "https://a\nb", "must be one line of text, or a number"),
    ],
)
def test_a_setting_that_a_function_could_not_use_is_refused(
    deployer, name, value, said
):
    assert said in of_setting(deployer, name, value)


@pytest.mark.parametrize(
    "name", ["APP_ID", "APP_SECRET", "STATE", "EVENTS", "API_KEYS"]
)
def test_a_setting_that_is_missing_is_named(deployer, name):
    settings = {k: v for k, v in SETTINGS.items() if k != f"KYCOURIER_{name}"}

    assert (
        problem(deployer, settings=settings) == f"settings: KYCOURIER_{name} is not set"
    )


def test_keys_of_the_api_are_needed_only_where_it_has_a_url(deployer):
    del deployer.wanted["settings"]["KYCOURIER_API_KEYS"]
    deployer.wanted["api"] = "none"

    deployer.site()


def test_an_environment_over_scfs_limit_is_refused(deployer):
    said = of_setting(deployer, "KYC_URL", "https://kyc.example/" + "a" * MOST_BYTES)

    assert f"over SCF's {MOST_BYTES}" in said


def test_each_function_needs_what_it_demands_when_it_starts():
    assert {
        "refresh_ticket": set(bootstrap._REFRESHES),
        "collect_results": set(bootstrap._COLLECTS),
        "sweep_orders": set(bootstrap._COLLECTS),
        "orders_api": set(bootstrap._ANSWERS),
    } == NEEDS


def given(deployer) -> Mapping[str, Mapping[str, str]]:
    return build_environments(deployer.site().config).variables


def test_the_api_gets_no_app_secret_and_others_get_no_keys_of_the_api(deployer):
    variables = given(deployer)

    has_secret = {
        name for name, env in variables.items() if "KYCOURIER_APP_SECRET" in env
    }
    has_keys = {name for name, env in variables.items() if "KYCOURIER_API_KEYS" in env}
    assert has_secret == {"refresh_ticket", "collect_results", "sweep_orders"}
    assert has_keys == {"orders_api"}
    assert variables["orders_api"]["KYCOURIER_API_AUTH"] == "signature"
    assert "KYCOURIER_EVIDENCE" not in variables["refresh_ticket"]


def test_numbers_of_the_file_are_given_as_they_stand(deployer):
    deployer.wanted["settings"]["KYCOURIER_ORDER_TTL_SECONDS"] = 3600

    assert given(deployer)["sweep_orders"]["KYCOURIER_ORDER_TTL_SECONDS"] == "3600"


def test_caps_are_those_of_aws():
    text = (ROOT / "template.yaml").read_text(encoding="utf-8")
    for cap, (workers, in_flight) in CAPS.items():
        assert f'"{cap}": {{Concurrency: "{workers}", InFlight: "{in_flight}"}}' in text
        assert (workers + 1) * in_flight + 1 <= cap


def test_a_password_may_be_referred_to(deployer):
    named: Any = build_environments(deployer.site().config).named

    assert (
        named.secrets["state"].at.name == secret("redis").split("//")[1].split("?")[0]
    )
