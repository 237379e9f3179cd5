"""The tools that deploy and audit the templates accept both."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from aws.access import aws_environ, client
from kycourier_devkit import toolbox
from kycourier_devkit.stand_ins import osls
from kycourier_devkit.stand_ins.servers import start_moto
from rendered import APP_ID, BY_TOOLS, STACK, Renderer, copy_project
from stand_ins import or_skip, tool_or_skip

pytestmark = BY_TOOLS


def run(command: Sequence[str | Path], folder: Path) -> str:
    """Run a tool that must say yes; give what it printed."""
    done = subprocess.run(
        command,
        cwd=folder,
        env={
            "PATH": "/usr/bin:/bin",
            "HOME": str(folder),
            "AWS_DEFAULT_REGION": "eu-west-1",
            "SAM_CLI_TELEMETRY": "0",
        },
        stdin=subprocess.DEVNULL,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def osls_json(renderer: Renderer, tmp_path: Path) -> Path:
    """Write the CloudFormation that osls makes into a file."""
    written = tmp_path / "osls.json"
    written.write_text(json.dumps(renderer.osls()))
    return written


def test_osls_prints_what_it_understood(renderer: Renderer) -> None:
    shown = osls.run("print", APP_ID, project=renderer.folder, environ=renderer.environ)

    assert "handler: collect_results.handler" in shown
    assert "artifact: dist/sdk-aws-arm64.zip" in shown
    assert "${param:" not in shown
    assert "${self:" not in shown


def test_osls_asks_for_the_app_id(renderer: Renderer) -> None:
    done = subprocess.run(
        [toolbox.node_tool("osls"), "print"],
        cwd=renderer.folder,
        env={"PATH": "/usr/bin:/bin", **renderer.environ},
        check=False,
        capture_output=True,
        text=True,
    )

    assert done.returncode != 0
    assert 'Value not found at "param" source' in done.stdout


def test_osls_deploys_and_removes_all_but_what_is_kept(tmp_path: Path) -> None:
    folder = copy_project(tmp_path)
    with or_skip(start_moto()) as url:
        environ = aws_environ(url)
        formation, functions = client("cloudformation", url), client("lambda", url)
        osls.run("deploy", APP_ID, project=folder, environ=environ)
        (stack,) = formation.describe_stacks()["Stacks"]
        deployed = {
            each["FunctionName"] for each in functions.list_functions()["Functions"]
        }
        osls.run("remove", APP_ID, project=folder, environ=environ)
        stacks_left = formation.describe_stacks()["Stacks"]
        functions_left = functions.list_functions()["Functions"]
        (table,) = client("dynamodb", url).list_tables()["TableNames"]
        (bucket,) = client("s3", url).list_buckets()["Buckets"]

    assert stack["StackName"] == STACK
    assert stack["StackStatus"] in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
    assert deployed == {
        f"{STACK}-{name}"
        for name in ("collect-results", "orders-api", "refresh-ticket", "sweep-orders")
    }
    assert stacks_left == functions_left == []
    assert "-StateTable-" in table
    assert "-evidencebucket-" in bucket["Name"]


def test_sam_validates_and_lints() -> None:
    sam = tool_or_skip("sam") / "sam"
    command = [sam, "validate", "--lint", "--region", "eu-west-1"]

    shown = run([*command, "--template", toolbox.ROOT / "template.yaml"], toolbox.ROOT)

    assert "is a valid SAM Template" in shown


def test_cfn_lint_accepts_both_for_a_region_of_each_partition(
    osls_json: Path,
) -> None:
    linter = [tool_or_skip("sam") / "cfn-lint", "--non-zero-exit-code", "warning"]
    regions = ["--regions", "eu-west-1", "cn-north-1", "--"]

    for template in (toolbox.ROOT / "template.yaml", osls_json):
        assert run([*linter, *regions, template], osls_json.parent) == ""


def test_cfn_lint_sees_a_misspelt_property(osls_json: Path) -> None:
    linter = tool_or_skip("sam") / "cfn-lint"
    osls_json.write_text(osls_json.read_text().replace("BatchSize", "BatchSise"))

    done = subprocess.run([linter, osls_json], check=False, capture_output=True)

    assert done.returncode != 0
    assert b"BatchSise" in done.stdout


def test_checkov_has_nothing_to_say_that_has_no_reason(osls_json: Path) -> None:
    checkov = [tool_or_skip("checkov") / "checkov", "--config-file"]
    checkov += [toolbox.ROOT / ".checkov.yaml"]
    offline = ["--skip-download", "--framework", "cloudformation", "--output", "json"]

    for template in (toolbox.ROOT / "template.yaml", osls_json):
        report = json.loads(run([*checkov, *offline, "-f", template], osls_json.parent))

        assert report["results"]["failed_checks"] == []
        assert report["summary"]["parsing_errors"] == 0
        assert report["summary"]["passed"] > 40


def test_each_skip_of_checkov_has_its_reason() -> None:
    text = (toolbox.ROOT / ".checkov.yaml").read_text(encoding="utf-8")
    skips = [line for line in text.splitlines() if line.strip().startswith("- ")]

    assert len(skips) == 10
    for skip in skips:
        check, _, reason = skip.partition("#")
        assert check.strip().startswith("- CKV_AWS_")
        assert len(reason.split()) >= 2
