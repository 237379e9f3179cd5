"""Errors in tencent.yml name the key and never show a value."""

from collections.abc import Mapping

import pytest

from kycourier import bootstrap
from kycourier_devkit.deploy.config.environments import (
    MAX_BYTES,
    REQUIRED,
    UPSTREAM_CAPS,
    build_environments,
)
from kycourier_devkit.deploy.config.tencent_yml import read_config
from kycourier_devkit.errors import UsageError
from kycourier_devkit.repository import ROOT
from support.leaks.canaries import MARK
from support.tencent_deployment import CONFIG, SETTINGS

CANARY = f"{MARK}in-a-value"
QUEUE = CONFIG["queue"]


def problem(deployer, **changes: object) -> str:
    """Return the error of a file with these changes."""
    deployer.config |= changes
    with pytest.raises(UsageError) as caught:
        deployer.open_context()
    assert CANARY not in str(caught.value)
    return str(caught.value)


def setting_problem(deployer, name: str, value: object) -> str:
    settings = {**SETTINGS, f"KYCOURIER_{name}": value}
    return problem(deployer, settings=settings).removeprefix(
        f"settings: KYCOURIER_{name}"
    )


def test_minimal_file_is_valid(deployer):
    deployer.config = {
        key: CONFIG[key] for key in ("region", "name", "role", "settings")
    }

    config = deployer.open_context().config

    assert (config.namespace, config.api, config.upstream_cap) == ("default", "url", 20)


def test_api_keys_are_required_only_with_a_url(deployer):
    del deployer.config["settings"]["KYCOURIER_API_KEYS"]
    deployer.config["api"] = "none"
    deployer.open_context()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({CANARY.lower(): 1}, "there is no such key"),
        ({"region": "Guangzhou"}, "region: "),
        ({"name": "k" * 41}, "name: "),
        ({"role": CANARY + "/"}, "role: "),
        ({"packages": "no-appid"}, "packages: "),
        ({"vpc": {"id": "vpc-1"}}, "vpc.subnet: is missing"),
        ({"vpc": {"id": CANARY, "subnet": "subnet-1"}}, "vpc.id: "),
        ({"queue": {"instance": CANARY, "topic": "t"}}, "queue.instance: "),
        ({"queue": {**QUEUE, "batch": 0}}, "queue.batch: "),
        ({"logs": {"topic": "t-1"}}, "logs.logset: is missing"),
        ({"api": False}, "api: Expected 'str', got 'bool'"),
        ({"api": CANARY}, "api: is not one of the allowed"),
        ({"upstream_cap": 30}, "upstream_cap: is not one of the allowed"),
        ({"functions": {"sweep": {}}}, "functions.sweep: there is no such key"),
        ({"functions": {"sweep_orders": {"memry": 1}}}, "sweep_orders.memry: there is"),
        ({"functions": {"sweep_orders": {"memory": 500}}}, "sweep_orders.memory: "),
        ({"functions": {"sweep_orders": {"timeout": 901}}}, "sweep_orders.timeout: "),
    ],
)
def test_wrong_key_or_value_is_named(deployer, changes, message):
    assert message in problem(deployer, **changes)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"name: a\n{CANARY}", "is not valid YAML, line 2"),
        (f"name: a\nname: {CANARY}", "a key occurs twice or is not plain text, line 2"),
        (f"? [{CANARY}]\n: 1", "a key occurs twice or is not plain text, line 1"),
        (f"name: !!python/name:os.{CANARY} x", "is not valid YAML, line 1"),
        (f"- {CANARY}", "Expected 'object', got 'array'"),
        ("\x00", "is not valid YAML"),
        ("[" * 5000, "is not valid YAML"),
    ],
)
def test_invalid_yaml_is_refused_without_showing_its_text(tmp_path, text, message):
    path = tmp_path / "tencent.yml"
    path.write_text(text)

    with pytest.raises(UsageError) as caught:
        read_config(path)

    assert str(caught.value).startswith("tencent.yml")
    assert message in str(caught.value)
    assert CANARY not in str(caught.value)


TEXT = """region: ap-guangzhou
name: kyc
role: kyc-role
settings:
  KYCOURIER_KYC_PROFILE: kyc1
  {}
"""


@pytest.mark.parametrize("name", ["KYCOURIER_APP_ID", "KYCOURIER_ORDER_TTL_SECONDS"])
@pytest.mark.parametrize(
    "value",
    [
        *("01234567", "0x1A2B3C", "0b101", "1_000", "12:30:45", "2026-01-01", "1.5e+3"),
        *("-1", "+1", ".5", "yes", "true", "~", ""),
    ],
)
def test_value_that_yaml_would_change_is_refused_with_its_line(tmp_path, name, value):
    path = tmp_path / "tencent.yml"
    path.write_text(TEXT.format(f"{name}: {value}"))

    with pytest.raises(UsageError) as caught:
        read_config(path)

    problem = f"settings.{name}: must be text: put it in quotes, line 6"
    assert str(caught.value) == f"tencent.yml: {problem}"

    path.write_text(TEXT.format(f"{name}: '{value}'"))
    assert read_config(path).settings[name] == value


@pytest.mark.parametrize(
    ("line", "is_number"),
    [
        ("KYCOURIER_ORDER_TTL_SECONDS: 3600", True),
        ("KYCOURIER_KYC_TIMEOUT_SECONDS: 7.5", True),
        ("KYCOURIER_APP_ID: 12345678", False),
        ("KYCOURIER_KYC_PROFILE: 1", False),
    ],
)
def test_plain_number_is_for_settings_that_are_numbers(tmp_path, line, is_number):
    path = tmp_path / "tencent.yml"
    path.write_text(TEXT.replace("  KYCOURIER_KYC_PROFILE: kyc1\n", "").format(line))
    if is_number:
        read_config(path)
        return
    with pytest.raises(UsageError, match=r": must be text: put it in quotes, line 5$"):
        read_config(path)


@pytest.mark.parametrize("key", ["region", "name", "role"])
def test_number_as_name_is_refused_with_its_line(tmp_path, key):
    path = tmp_path / "tencent.yml"
    lines = TEXT.format("KYCOURIER_APP_ID: A1").splitlines()
    at = [line.partition(":")[0] for line in lines].index(key)
    lines[at] = f"{key}: 0123"
    path.write_text("\n".join(lines))
    with pytest.raises(UsageError, match=rf"{key}: .*, line {at + 1}$"):
        read_config(path)


def test_missing_or_too_large_file_is_named(tmp_path):
    with pytest.raises(
        UsageError,
        match=r"^absent\.yml cannot be read: No such file.* Start from tencent",
    ):
        read_config(tmp_path / "absent.yml")
    (tmp_path / "large.yml").write_bytes(b" " * 70_000)
    with pytest.raises(UsageError, match=r"^large\.yml is too large"):
        read_config(tmp_path / "large.yml")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("APP_SECRET", CANARY, "must be env:NAME or"),
        ("APP_SECRET", "env:SECRET", "must be tencent-ssm://"),
        ("APP_SECRET", "aws-ssm:///path", "must be tencent-ssm://"),
        ("APP_SECRET", "tencent-ssm://name", "has no region"),
        ("TICKET", CANARY, "must be owned or"),
        ("TICKET", f"redis://:{CANARY}@10.0.0.5#k", "holds a password"),
        ("STATE", f"redis://u:{CANARY}@10.0.0.5", "holds a password"),
        ("STATE", "redis://u@10.0.0.5?password=env:X", "must refer to tencent-ssm://"),
        ("STATE", "dynamodb://table", "must be redis:// or rediss://"),
        ("EVIDENCE", "s3://bucket/evidence", "must be cos://"),
        ("EVIDENCE", "cos://no-appid?region=ap-guangzhou", "must be cos://"),
        ("EVENTS", "eventbridge://bus", "must be tencent-eb://"),
        ("APP_ID", "a b", "must be letters and digits"),
        ("MAX_IN_FLIGHT", 5, "cannot be set: it is derived from upstream_cap"),
        ("QUEUE", "none", "cannot be set: it is always none"),
        ("API_AUTH", "none", "cannot be set: it is always signature"),
        ("SECRET", CANARY, "is not a setting"),
        ("ORDER_TTL_SECONDS", True, ": must be text: put it in quotes, line "),
        ("ORDER_TTL_SECONDS", {"a": CANARY}, "must be one line of text, or a number"),
        ("ORDER_TTL_SECONDS", 0, "must be between"),
        ("KYC_URL", "https://a\nb", "must be one line of text, or a number"),
    ],
)
def test_unusable_setting_is_refused(deployer, name, value, message):
    assert message in setting_problem(deployer, name, value)


@pytest.mark.parametrize("name", ["APP_ID", "APP_SECRET", "STATE", "API_KEYS"])
def test_missing_setting_is_named(deployer, name):
    settings = {k: v for k, v in SETTINGS.items() if k != f"KYCOURIER_{name}"}

    message = problem(deployer, settings=settings)
    assert message == f"settings: KYCOURIER_{name} is not set"


def test_environment_over_the_limit_of_scf_is_refused(deployer):
    url = "https://kyc.example/" + "a" * MAX_BYTES

    assert f"over SCF's {MAX_BYTES}" in setting_problem(deployer, "KYC_URL", url)


def test_required_settings_equal_those_of_bootstrap():
    assert {
        "refresh_ticket": set(bootstrap._REFRESH_NEEDS),
        "collect_results": set(bootstrap._COLLECT_NEEDS),
        "sweep_orders": set(bootstrap._COLLECT_NEEDS),
        "orders_api": set(bootstrap._API_NEEDS),
    } == REQUIRED


def build_variables(deployer) -> Mapping[str, Mapping[str, str]]:
    return build_environments(deployer.open_context().config).variables


def test_each_function_gets_only_the_variables_that_it_needs(deployer):
    deployer.set("ORDER_TTL_SECONDS", 3600)

    variables = build_variables(deployer)

    has_secret = {
        name for name, env in variables.items() if "KYCOURIER_APP_SECRET" in env
    }
    has_keys = {name for name, env in variables.items() if "KYCOURIER_API_KEYS" in env}
    assert has_secret == {"refresh_ticket", "collect_results", "sweep_orders"}
    assert has_keys == {"orders_api"}
    assert variables["orders_api"]["KYCOURIER_API_AUTH"] == "signature"
    assert variables["sweep_orders"]["KYCOURIER_ORDER_TTL_SECONDS"] == "3600"
    assert "KYCOURIER_EVIDENCE" not in variables["refresh_ticket"]


def test_upstream_caps_equal_those_of_the_aws_template():
    text = (ROOT / "template.yaml").read_text(encoding="utf-8")
    for cap, (workers, in_flight) in UPSTREAM_CAPS.items():
        assert f'"{cap}": {{Concurrency: "{workers}", InFlight: "{in_flight}"}}' in text
        assert (workers + 1) * in_flight + 1 <= cap
