"""The tools that deploy, lint and audit templates accept both."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from kycourier_devkit.emulators.aws import osls
from kycourier_devkit.emulators.aws.cloudformation import evaluate
from kycourier_devkit.emulators.servers import start_moto
from kycourier_devkit.errors import StackCreationError
from kycourier_devkit.repository import ROOT
from kycourier_devkit.tool_envs import node_tool
from support.aws.clients import aws_client, aws_environ
from support.rendered_templates import (
    APP_ID,
    NEEDS_TOOLS,
    STACK,
    ZIPS,
    Renderer,
    comparable,
    copy_project,
    differences,
)
from support.servers.emulators import start_or_skip, tool_or_skip

pytestmark = NEEDS_TOOLS
FUNCTIONS, LAYERS = 4, 5
ENDPOINT = ROOT / "tests/data/aws_sdk_endpoint.js"


def run(command: Sequence[str | Path], folder: Path) -> str:
    """Run a tool that must succeed, and return its output."""
    environ = {"PATH": os.defpath, "HOME": str(folder)}
    done = subprocess.run(
        command, cwd=folder, env=environ, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def osls_json(renderer: Renderer, tmp_path: Path) -> Path:
    """Write the CloudFormation of osls to a file."""
    written = tmp_path / "osls.json"
    written.write_text(json.dumps(renderer.osls()))
    return written


def test_osls_requires_the_app_id(renderer):
    with pytest.raises(StackCreationError, match='Value not found at "param" source'):
        osls.run("print", {}, project=renderer.folder, environ=renderer.environ)


def test_osls_removes_all_but_the_retained_resources(tmp_path):
    folder = copy_project(tmp_path)
    with start_or_skip(start_moto()) as url:
        environ = aws_environ(url)
        formation = aws_client("cloudformation", url)
        functions = aws_client("lambda", url)
        osls.run("deploy", APP_ID, project=folder, environ=environ)
        (stack,) = formation.describe_stacks()["Stacks"]
        deployed = {
            each["FunctionName"] for each in functions.list_functions()["Functions"]
        }
        osls.run("remove", APP_ID, project=folder, environ=environ)
        stacks_left = formation.describe_stacks()["Stacks"]
        functions_left = functions.list_functions()["Functions"]
        (table,) = aws_client("dynamodb", url).list_tables()["TableNames"]
        (bucket,) = aws_client("s3", url).list_buckets()["Buckets"]

    assert stack["StackName"] == STACK
    assert stack["StackStatus"] in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
    assert deployed == {
        f"{STACK}-{name}"
        for name in ("collect-results", "orders-api", "refresh-ticket", "sweep-orders")
    }
    assert stacks_left == functions_left == []
    assert "-StateTable-" in table
    assert "-evidencebucket-" in bucket["Name"]


def test_sam_build_leaves_the_paths_of_the_zips_valid(tmp_path):
    folder = copy_project(tmp_path)
    run([tool_or_skip("sam") / "sam", "build"], folder)

    built = folder / ".aws-sam/build/template.yaml"
    paths = re.findall(r"(?m)^ +(?:CodeUri|ContentUri): (\S+)", built.read_text())
    found = [(built.parent / path).resolve() for path in paths]
    assert {path.name for path in found} == {f"{name}.zip" for name in ZIPS}
    assert len(found) == FUNCTIONS + LAYERS
    assert all(path.is_file() for path in found)


def serverless(command: str, folder: Path, url: str) -> str:
    """Run the Serverless Framework 3, whose SDK knows no AWS_ENDPOINT_URL."""
    script = node_tool("osls").parents[1] / "serverless/bin/serverless.js"
    node, environ = shutil.which("node"), {"HOME": str(folder), **aws_environ(url)}
    done = subprocess.run(
        [node, "--require", ENDPOINT, script, command, "--param=AppId=SANDBOX1"],
        cwd=folder,
        env={"PATH": os.defpath, **environ},
        stdin=subprocess.DEVNULL,
        check=False,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_serverless_framework_renders_the_same_stack_and_deploys_it(renderer, tmp_path):
    folder = copy_project(tmp_path)
    with start_or_skip(start_moto()) as url:
        printed = serverless("print", folder, url)
        serverless("package", folder, url)
        template, service = osls.read_package(folder)
        serverless("deploy", folder, url)
        functions = aws_client("lambda", url).list_functions()["Functions"]

    assert "SANDBOX1" in printed
    assert service["provider"]["stackParameters"]
    known = {"AWS::StackName": STACK}
    ours = comparable(evaluate(template, APP_ID, known=known), {})
    assert differences(ours, renderer.resolve("osls")) == []
    assert len(functions) == FUNCTIONS


def test_cfn_lint_accepts_both_templates_in_each_partition(osls_json):
    linter = [tool_or_skip("sam") / "cfn-lint", "--non-zero-exit-code", "warning"]
    regions = ["--regions", "eu-west-1", "cn-north-1", "--"]

    for template in (ROOT / "template.yaml", osls_json):
        assert run([*linter, *regions, template], osls_json.parent) == ""


def test_checkov_finds_nothing_beyond_the_skipped_checks(osls_json):
    checkov = [tool_or_skip("checkov") / "checkov", "--skip-download"]
    checkov += ["--config-file", ROOT / ".checkov.yaml"]
    checkov += ["--framework", "cloudformation", "--output", "json", "-f"]

    for template in (ROOT / "template.yaml", osls_json):
        report = json.loads(run([*checkov, template], osls_json.parent))

        assert report["results"]["failed_checks"] == []
        assert report["summary"]["parsing_errors"] == 0
        assert report["summary"]["passed"] > 40
