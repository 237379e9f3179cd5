"""What SAM does with template.yaml: upload its zips, translate it to CloudFormation."""

import json
import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kycourier_devkit import toolbox
from kycourier_devkit.errors import StackNotMade

_TRANSLATE = Path(__file__).with_name("translate_sam.py")
_SECONDS = 120


def package(environ: Mapping[str, str], *, project: Path, bucket: str) -> str:
    """Let `sam package` upload the project's zips; give the template that names them.

    `environ` leads to a cloud, where `bucket` is. Raises StackNotMade, ToolMissing.
    """
    sam = toolbox.python_tool("sam") / "sam"
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / "packaged.yaml"
        command: list[str | Path] = [sam, "package"]
        command += ["--template-file", project / "template.yaml"]
        command += ["--s3-bucket", bucket, "--output-template-file", written]
        _run(command, {**environ, "HOME": folder, "SAM_CLI_TELEMETRY": "0"})
        return written.read_text()


def translate(packaged: str, parameters: Mapping[str, str]) -> dict[str, Any]:
    """Give the CloudFormation that AWS makes of a packaged template.

    Raises StackNotMade, ToolMissing.
    """
    python = toolbox.python_tool("sam") / "python"
    command: list[str | Path] = [python, _TRANSLATE]
    command.append(json.dumps(dict(parameters)))
    region = {"AWS_DEFAULT_REGION": "eu-west-1"}  # the translator asks for any
    translated: dict[str, Any] = json.loads(_run(command, region, given=packaged))
    return translated


def _run(
    command: Sequence[str | Path], environ: Mapping[str, str], *, given: str = ""
) -> str:
    done = subprocess.run(  # noqa: S603 - our own list
        command,
        env={"PATH": os.defpath, **environ},
        input=given,
        check=False,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
    )
    if done.returncode:
        raise StackNotMade(f"{Path(command[0]).name} failed: {done.stderr.strip()}")
    return done.stdout
