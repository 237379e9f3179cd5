"""The command that builds dist/*.zip for one cloud and prints their sizes."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from kycourier_devkit import repository, tool_envs
from kycourier_devkit.cli.terminal import Terminal
from kycourier_devkit.errors import DevkitError, ToolUnavailableError
from kycourier_devkit.package.archive import BuiltZip
from kycourier_devkit.package.build import BuildOptions, build
from kycourier_devkit.package.clouds import AWS, CLOUDS, Cloud
from kycourier_devkit.package.sizes import format_size, total_size

_INTERRUPTED = 130
_DIGEST_LENGTH = 12
_NO_BYTECODE = (
    "The zips will hold no bytecode: functions start two to four times as slowly.",
    "Put that Python on the path and build again.",
)


def main(arguments: Sequence[str]) -> int:
    """Builds the zips and returns the exit code."""
    parsed = _parse(arguments)
    screen, cloud = Terminal(sys.stdout, sys.stderr), CLOUDS[parsed.cloud]
    options = BuildOptions(
        root=repository.ROOT,
        python=_find_compiler(cloud, screen),
        cloud=cloud,
        pins_boto3=parsed.boto3 == "pinned",
    )
    try:
        packages = build(options, parsed.into, report=screen.line)
    except DevkitError as error:
        screen.problem(f"package: {error}")
        return error.exit_code
    except KeyboardInterrupt:
        screen.problem("package: stopped")
        return _INTERRUPTED
    _print_sizes(cloud, screen, packages)
    return 0


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m kycourier_devkit.package",
        description="Build the zips for AWS Lambda or Tencent SCF, without Docker.",
    )
    parser.add_argument(
        "cloud",
        nargs="?",
        choices=CLOUDS,
        default=AWS.name,
        help="the cloud to build for (aws)",
    )
    parser.add_argument(
        "--boto3",
        choices=("runtime", "pinned"),
        default="runtime",
        help="where boto3 comes from: Lambda's runtime, or layers/sdk_aws/boto3.txt",
    )
    parser.add_argument(
        "--into",
        type=Path,
        default=repository.ROOT / "dist",
        help="the folder for the zips (dist)",
    )
    parsed = parser.parse_args(arguments)
    if parsed.boto3 == "pinned" and parsed.cloud != AWS.name:
        parser.error("argument --boto3: is for aws alone")
    return parsed


def _find_compiler(cloud: Cloud, screen: Terminal) -> str | None:
    try:
        return tool_envs.find_python(cloud.python)
    except ToolUnavailableError as missing:
        for text in (f"{missing}.", *_NO_BYTECODE):
            screen.line(text, "yellow")
    return None


def _print_sizes(cloud: Cloud, screen: Terminal, packages: Sequence[BuiltZip]) -> None:
    """Prints a table of the zips, and the totals of a function."""
    screen.table(
        ("zip", "files", "zipped", "unzipped", "sha256"),
        [
            (
                package.name,
                str(package.files),
                format_size(package.zipped),
                format_size(package.unzipped),
                package.digest[:_DIGEST_LENGTH],
            )
            for package in packages
        ],
    )
    for architecture in cloud.architectures:
        total = total_size(cloud, architecture, packages)
        zipped, unzipped = format_size(total.zipped), format_size(total.unzipped)
        screen.line(f"A function on {architecture}: {zipped}, {unzipped} unzipped")
