"""docs/tencent.md and tencent.yml.example agree with the code and the template."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from tencentcloud.scf.v20180416 import models as scf_models
from tencentcloud.ssm.v20190923 import models as ssm_models

from kycourier import logs
from kycourier.core.causes import Cause, metric_of
from kycourier_devkit.deploy import zips
from kycourier_devkit.deploy.config.environments import build_environments
from kycourier_devkit.deploy.config.tencent_yml import read_config
from kycourier_devkit.deploy.resources.secrets import put_secret
from kycourier_devkit.repository import ROOT
from support.tencent_account import NAME, FakeAccount
from support.tencent_deployment import Deployer

PAGE = (ROOT / "docs/tencent.md").read_text(encoding="utf-8")
TEMPLATE = (ROOT / "template.yaml").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
SAMPLE = ROOT / "tencent.yml.example"
MODELS = {"scf": scf_models, "ssm": ssm_models}


def blocks(language: str) -> list[str]:
    """Return the page's code blocks of a language."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def actions(policy: str) -> set[str]:
    parsed = json.loads(policy)
    assert parsed["version"] == "2.0"
    return {action for each in parsed["statement"] for action in each["action"]}


def alarms() -> Iterator[dict[str, str]]:
    """Return the rows of the table of alarms."""
    table = PAGE.partition("## Alarms")[2].partition("## Taking")[0]
    for line in table.splitlines():
        if line.startswith("| ") and "operations.md" in line:
            cells = re.split(r"(?<!\\)\|", line.strip().strip("|"))
            names = ("alarm", "section", "statement", "minutes", "condition")
            texts = (cell.strip().replace("\\|", "|") for cell in cells)
            yield dict(zip(names, texts, strict=True))


def aws_alarm(logical: str) -> dict[str, str]:
    """Return some properties of an alarm in template.yaml."""
    _, _, rest = TEMPLATE.partition(f"\n  {logical}:")
    block = re.split(r"\n  [A-Z]", rest)[0]
    found = dict(re.findall(r"(\w+): ([\w/.]+)", block))
    found["section"] = re.findall(r"operations\.md#([a-z-]+)", block)[0]
    return found


def test_sample_file_is_valid_and_has_every_key():
    config = read_config(SAMPLE)

    environments = build_environments(config)

    assert environments.owns_ticket
    text = SAMPLE.read_text(encoding="utf-8")
    assert all(f"{key}:" in text for key in config.__struct_fields__)


def test_deployer_policy_equals_the_calls_of_a_deployment(tmp_path):
    account = FakeAccount()
    deployer = Deployer(tmp_path, account)
    called = set()
    deployer.config["namespace"] = "payments"
    for _ in range(2):
        deployer.run()
        called |= set(account.calls)
        deployer.build(zips.FUNCTIONS_ZIP, refresh_ticket="2")
        deployer.config["api"] = "none"
    context = deployer.open_context()
    put_secret(context, context.environments.references.secrets["app_secret"], "value")
    called |= set(account.calls)

    *_, policy = blocks("json")
    elsewhere = {"cos:GetBucket", "cos:HeadObject", "cos:PutObject", "cam:PassRole"}
    assert actions(policy) - elsewhere == called
    assert elsewhere <= actions(policy)


def test_every_alarm_of_aws_is_in_the_table():
    existing = set(re.findall(r"^  (\w+Alarm):", TEMPLATE, re.MULTILINE))
    rows = {row["alarm"].split()[0] for row in alarms()}

    per_function = {f"{each}{kind}Alarm" for each in FUNCTIONS for kind in KINDS}
    assert existing - rows <= per_function
    assert rows <= existing


FUNCTIONS = ("RefreshTicket", "CollectResults", "SweepOrders", "OrdersApi")
KINDS = ("Errors", "Throttles")
STATEMENT_SECONDS = 300  # the page: CLS runs each statement every 5 minutes


@pytest.mark.parametrize("row", list(alarms()), ids=lambda row: row["alarm"].split()[0])
def test_alarm_has_threshold_period_and_section_of_aws(row):
    aws = aws_alarm(row["alarm"].split()[0])

    assert re.findall(r"operations\.md#([a-z-]+)", row["section"]) == [aws["section"]]
    if row["statement"].startswith("metric"):
        return
    limits = re.findall(r"\$1\.(?:n|seconds) (?:>=|>|<) (\d+)", row["condition"])
    assert limits[-1] == aws["Threshold"]
    one_is_enough = (
        "in a row" in row["condition"] or aws.get("DatapointsToAlarm") == "1"
    )
    periods = 1 if one_is_enough else int(aws["EvaluationPeriods"])
    seconds = int(aws["Period"]) * periods
    assert int(row["minutes"]) * 60 == max(seconds, STATEMENT_SECONDS)
    if "in a row" in row["condition"]:
        assert f"{aws['EvaluationPeriods']} in a row" in row["condition"]
    alarms_without_data = "$1.n < 1" in row["condition"]
    assert alarms_without_data is (aws["TreatMissingData"] == "breaching")


@pytest.mark.parametrize("row", list(alarms()), ids=lambda row: row["alarm"].split()[0])
def test_log_query_uses_events_and_fields_that_are_logged(row):
    if row["statement"].startswith("metric"):
        assert re.findall("`(QCE/[A-Z_0-9]+)`", row["statement"])
        return
    aws = aws_alarm(row["alarm"].split()[0])
    search, _, sql = row["statement"].strip("`").partition(" | ")
    words = re.findall('"([a-z_]+)"', search)
    fields = re.findall(r"'\$\.([a-z_]+)'", sql)
    assert set(fields) <= logs.FIELDS | {"message"}
    metric = aws["MetricName"]
    ambiguous = {cause.value for cause in Cause} & logs.LOG_EVENTS.keys()
    if words[0] in ambiguous:  # lines of orders have the word too
        assert sql.startswith("SELECT count_if(")
        assert f"'$.message') = '{words[0]}'" in sql
        assert metric in logs.LOG_EVENTS[words[0]].metrics
        return
    if causes := {cause.value for cause in Cause} & set(words):
        counted = {cause.value for cause in Cause if metric_of(cause, 400) == metric}
        assert causes == counted
        assert set(words) - causes <= logs.LOG_EVENTS.keys()
        return
    fact, *others = words
    if fact in logs.FIELDS:  # whichever event measures it
        assert fields == [fact]
        measured = [event.metrics.get(metric) for event in logs.LOG_EVENTS.values()]
        assert fact in measured
        return
    known = logs.LOG_EVENTS[fact]
    if others:  # the search has a value of the field that the SQL reads
        assert f"= '{others[0]}'" in sql
        return
    assert metric in {*known.metrics, "ApproximateNumberOfMessagesVisible"}
    if fields:
        assert known.metrics[metric] == fields[0]


def test_removal_script_uses_actions_and_parameters_of_the_sdk():
    (script,) = blocks("bash")
    commands = re.findall(r"tccli (\w+) (\w+)((?: --\w+ \S+)+)", script)

    assert len(commands) == 8
    for service, action, options in commands:
        known: Any = getattr(MODELS[service], f"{action}Request")()
        names = set(re.findall(r"--(\w+)", options))
        assert {f"_{name}" for name in names} <= vars(known).keys()


def test_removal_script_names_all_functions_and_triggers(deployer, account):
    deployer.run()
    (script,) = blocks("bash")

    functions = set(re.search(r"for FUNCTION in (.*);", script)[1].split())
    assert {f"{NAME}-{short}" for short in functions} == {
        n for _, n in account.scf.functions
    }
    named = set(re.findall(r"--TriggerName (\S+) --Type (\w+)", script))
    existing = {
        (
            "INSTANCE-TOPIC" if each["Type"] == "ckafka" else each["TriggerName"],
            each["Type"],
        )
        for kept in account.scf.functions.values()
        for each in kept.triggers
    }
    assert named == existing
