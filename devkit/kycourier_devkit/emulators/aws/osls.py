"""Runs osls on serverless.yml: print, package, deploy."""

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kycourier_devkit import tool_envs
from kycourier_devkit.errors import StackCreationError

_SECONDS = 240


def run(
    command: str,
    parameters: Mapping[str, str],
    *,
    project: Path,
    environ: Mapping[str, str],
) -> str:
    """Runs one osls command in the project's folder; returns its output.

    Args:
        command: `print`, `package` or `deploy`.
        parameters: The template's parameters.
        project: The folder of serverless.yml.
        environ: Address and credentials of AWS or moto.

    Raises:
        StackCreationError: osls failed.
        ToolUnavailableError: osls is not available here.
    """
    options = [f"--param={name}={value}" for name, value in parameters.items()]
    done = subprocess.run(  # noqa: S603 - our own list
        [tool_envs.node_tool("osls"), command, *options],
        cwd=project,
        env={"PATH": os.defpath, "HOME": str(project), **environ},
        stdin=subprocess.DEVNULL,
        check=False,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
    )
    if done.returncode:
        raise StackCreationError(f"osls {command} failed: {done.stdout.strip()}")
    return done.stdout


def read_package(project: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Returns the CloudFormation template and the service that `package` wrote."""
    folder = project / ".serverless"
    template = folder / "cloudformation-template-update-stack.json"
    state = json.loads((folder / "serverless-state.json").read_text())
    return json.loads(template.read_text()), state["service"]
