"""Packages template.yaml with SAM and translates it to CloudFormation."""

import json
import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kycourier_devkit import tool_envs
from kycourier_devkit.errors import StackCreationError

_TRANSLATE = Path(__file__).with_name("translate_sam.py")
_SECONDS = 120


def package(environ: Mapping[str, str], *, project: Path, bucket: str) -> str:
    """Uploads the project's zips with `sam package`; returns the template naming them.

    Args:
        environ: Address and credentials of AWS or moto.
        project: The folder of template.yaml.
        bucket: An existing bucket for the zips.

    Raises:
        StackCreationError: SAM failed.
        ToolUnavailableError: SAM is not available here.
    """
    sam = tool_envs.python_tool("sam") / "sam"
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / "packaged.yaml"
        command: list[str | Path] = [sam, "package"]
        command += ["--template-file", project / "template.yaml"]
        command += ["--s3-bucket", bucket, "--output-template-file", written]
        _run(command, {**environ, "HOME": folder, "SAM_CLI_TELEMETRY": "0"})
        return written.read_text()


def translate(packaged: str, parameters: Mapping[str, str]) -> dict[str, Any]:
    """Returns the CloudFormation template that AWS derives from a packaged template.

    Raises StackCreationError, ToolUnavailableError.
    """
    python = tool_envs.python_tool("sam") / "python"
    command: list[str | Path] = [python, _TRANSLATE]
    command.append(json.dumps(dict(parameters)))
    region = {"AWS_DEFAULT_REGION": "eu-west-1"}  # the translator needs any region
    translated: dict[str, Any] = json.loads(_run(command, region, stdin=packaged))
    return translated


def _run(
    command: Sequence[str | Path], environ: Mapping[str, str], *, stdin: str = ""
) -> str:
    done = subprocess.run(  # noqa: S603 - our own list
        command,
        env={"PATH": os.defpath, **environ},
        input=stdin,
        check=False,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
    )
    if done.returncode:
        raise StackCreationError(
            f"{Path(command[0]).name} failed: {done.stderr.strip()}"
        )
    return done.stdout
