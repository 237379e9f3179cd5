"""What docs/tencent.md says is so: policies, alarms, commands, and the sample file."""

import json
import re
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from tencentcloud.scf.v20180416 import models as scf_models
from tencentcloud.ssm.v20190923 import models as ssm_models

from deploying import NAME, Cloud, Deployer
from kycourier import logs
from kycourier_devkit.deploy import zips
from kycourier_devkit.deploy.config import read_config
from kycourier_devkit.deploy.environments import build_environments
from kycourier_devkit.deploy.secret_store import put_secret
from kycourier_devkit.toolbox import ROOT

PAGE = (ROOT / "docs/tencent.md").read_text(encoding="utf-8")
TEMPLATE = (ROOT / "template.yaml").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
SAMPLE = ROOT / "tencent.yml.example"
MODELS = {"scf": scf_models, "ssm": ssm_models}


def blocks(language: str) -> list[str]:
    """Give the page's code blocks of a language."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def actions(policy: str) -> set[str]:
    told = json.loads(policy)
    assert told["version"] == "2.0"
    return {action for each in told["statement"] for action in each["action"]}


def alarms() -> Iterator[dict[str, str]]:
    """Give the rows of the table of alarms."""
    table = PAGE.partition("## Alarms")[2].partition("## Taking")[0]
    for line in table.splitlines():
        if line.startswith("| ") and "operations.md" in line:
            cells = re.split(r"(?<!\\)\|", line.strip().strip("|"))
            names = ("alarm", "section", "statement", "minutes", "rings")
            texts = (cell.strip().replace("\\|", "|") for cell in cells)
            yield dict(zip(names, texts, strict=True))


def alarm_of_aws(logical: str) -> dict[str, str]:
    """Give a few properties of an alarm in template.yaml."""
    _, _, rest = TEMPLATE.partition(f"\n  {logical}:")
    block = re.split(r"\n  [A-Z]", rest)[0]
    found = dict(re.findall(r"(\w+): ([\w/.]+)", block))
    found["section"] = re.findall(r"operations\.md#([a-z-]+)", block)[0]
    return found


def test_the_sample_file_is_a_good_one_and_names_every_key():
    config = read_config(SAMPLE)

    environments = build_environments(config)

    assert environments.owns_ticket
    text = SAMPLE.read_text(encoding="utf-8")
    assert all(f"{key}:" in text for key in config.__struct_fields__)


def test_the_deployers_policy_is_what_the_deployment_calls(tmp_path):
    cloud = Cloud()
    deployer = Deployer(tmp_path, cloud)
    called = set()
    deployer.wanted["namespace"] = "payments"
    for _ in range(2):
        deployer.run()
        called |= set(cloud.calls)
        deployer.build(zips.FUNCTIONS_ZIP, refresh_ticket="2")
        deployer.wanted["api"] = "none"
    site = deployer.site()
    put_secret(site, site.environments.named.secrets["app_secret"], "value")
    called |= set(cloud.calls)

    *_, policy = blocks("json")
    elsewhere = {"cos:GetBucket", "cos:HeadObject", "cos:PutObject", "cam:PassRole"}
    assert actions(policy) - elsewhere == called
    assert elsewhere <= actions(policy)


def test_every_alarm_of_aws_is_in_the_table():
    made = set(re.findall(r"^  (\w+Alarm):", TEMPLATE, re.MULTILINE))
    rows = {row["alarm"].split()[0] for row in alarms()}

    spoken_for = {f"{each}{kind}Alarm" for each in FUNCTIONS for kind in KINDS}
    assert made - rows <= spoken_for
    assert rows <= made


FUNCTIONS = ("RefreshTicket", "CollectResults", "SweepOrders", "OrdersApi")
KINDS = ("Errors", "Throttles")


@pytest.mark.parametrize("row", list(alarms()), ids=lambda row: row["alarm"].split()[0])
def test_an_alarm_rings_as_on_aws_and_reads_on_at_the_same_section(row):
    aws = alarm_of_aws(row["alarm"].split()[0])

    assert re.findall(r"operations\.md#([a-z-]+)", row["section"]) == [aws["section"]]
    if row["statement"].startswith("metric"):
        return
    limits = re.findall(r"\$1\.(?:n|seconds) (?:>=|>|<) (\d+)", row["rings"])
    assert limits[-1] == aws["Threshold"]
    seconds = int(aws["Period"]) * (
        1 if "in a row" in row["rings"] else int(aws["EvaluationPeriods"])
    )
    assert int(row["minutes"]) * 60 == seconds
    if "in a row" in row["rings"]:
        assert f"{aws['EvaluationPeriods']} in a row" in row["rings"]
    rings_in_silence = "$1.n < 1" in row["rings"]
    assert rings_in_silence is (aws["TreatMissingData"] == "breaching")


@pytest.mark.parametrize("row", list(alarms()), ids=lambda row: row["alarm"].split()[0])
def test_a_statement_asks_for_facts_and_fields_that_are_logged(row):
    if row["statement"].startswith("metric"):
        assert re.findall("`(QCE/[A-Z_0-9]+)`", row["statement"])
        return
    aws = alarm_of_aws(row["alarm"].split()[0])
    search, _, sql = row["statement"].strip("`").partition(" | ")
    fact, *others = re.findall('"([a-z_]+)"', search)
    known = logs.FACTS[fact]
    fields = re.findall(r"'\$\.([a-z_]+)'", sql)
    assert set(fields) <= logs.FIELDS
    if others:  # told by a word of the field that the SQL reads
        assert f"= '{others[0]}'" in sql
        return
    metric = aws["MetricName"]
    assert metric in {*known.metrics, "ApproximateNumberOfMessagesVisible"}
    if fields:
        assert known.metrics[metric] == fields[0]


def test_a_line_has_the_fact_and_the_fields_where_a_statement_looks_for_them():
    out = StringIO()
    journal = logs.PowertoolsJournal(out, app_id="SANDBOX1")
    journal.note("sweep_finished", oldest_due_seconds=2.5)

    line = json.loads(out.getvalue())

    assert (line["message"], line["oldest_due_seconds"]) == ("sweep_finished", 2.5)


def test_commands_of_the_vendor_are_such_as_its_sdk_knows():
    (script,) = blocks("bash")
    asked = re.findall(r"tccli (\w+) (\w+)((?: --\w+ \S+)+)", script)

    assert len(asked) == 8
    for service, action, options in asked:
        known: Any = getattr(MODELS[service], f"{action}Request")()
        names = set(re.findall(r"--(\w+)", options))
        assert {f"_{name}" for name in names} <= vars(known).keys()


def test_what_is_taken_down_is_what_was_made(deployer, cloud):
    deployer.run()
    (script,) = blocks("bash")

    functions = set(re.search(r"for FUNCTION in (.*);", script)[1].split())
    assert {f"{NAME}-{short}" for short in functions} == {
        n for _, n in cloud.scf.functions
    }
    named = set(re.findall(r"--TriggerName (\S+) --Type (\w+)", script))
    made = {
        (
            "INSTANCE-TOPIC" if each["Type"] == "ckafka" else each["TriggerName"],
            each["Type"],
        )
        for kept in cloud.scf.functions.values()
        for each in kept.triggers
    }
    assert named == made


def test_the_readme_deploys_with_commands_that_there_are():
    section = README.partition("## Deploy on Tencent Cloud")[2].partition("\n## ")[0]

    for option in ("make package-tencent", "deploy tencent", "deploy secret", "--curl"):
        assert option in section
    assert "docs/tencent.md" in section
