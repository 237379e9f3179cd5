"""What osls does with serverless.yml: print it, package it, deploy it."""

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kycourier_devkit import toolbox
from kycourier_devkit.errors import StackNotMade

_SECONDS = 240


def run(
    command: str,
    parameters: Mapping[str, str],
    *,
    project: Path,
    environ: Mapping[str, str],
) -> str:
    """Run one command of osls in the project's folder; give what it printed.

    `environ` leads to a cloud. Raises StackNotMade, ToolMissing.
    """
    given = [f"--param={name}={value}" for name, value in parameters.items()]
    done = subprocess.run(  # noqa: S603 - our own list
        [toolbox.node_tool("osls"), command, *given],
        cwd=project,
        env={"PATH": os.defpath, "HOME": str(project), **environ},
        stdin=subprocess.DEVNULL,
        check=False,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
    )
    if done.returncode:
        raise StackNotMade(f"osls {command} failed: {done.stdout.strip()}")
    return done.stdout


def read_package(project: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Give what `package` left: the CloudFormation, and the service as it was read."""
    folder = project / ".serverless"
    template = folder / "cloudformation-template-update-stack.json"
    state = json.loads((folder / "serverless-state.json").read_text())
    return json.loads(template.read_text()), state["service"]
