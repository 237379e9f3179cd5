"""`python -m kycourier_devkit.package`: build dist/*.zip, and show what was built."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from kycourier_devkit import toolbox
from kycourier_devkit.errors import DevkitError, ToolMissing
from kycourier_devkit.package.archive import Package
from kycourier_devkit.package.build import Order, build
from kycourier_devkit.package.clouds import AWS, CLOUDS, Cloud
from kycourier_devkit.screen import Screen

_STOPPED = 130
_MEGABYTE = 1_000_000
_SHOWN_DIGEST = 12
_NO_BYTECODE = (
    "The zips will hold no bytecode: functions start two to four times as slowly.",
    "Put that Python on the path and build again to mend that.",
)


def main(arguments: Sequence[str]) -> int:
    """Build; give the exit code. What went wrong is said in one line."""
    given = _parse(arguments)
    screen, cloud = Screen(sys.stdout, sys.stderr), CLOUDS[given.cloud]
    order = Order(
        root=toolbox.ROOT,
        python=_find_compiler(cloud, screen),
        cloud=cloud,
        pins_boto3=given.boto3 == "pinned",
    )
    try:
        packages = build(order, given.into, tell=screen.line)
    except DevkitError as error:
        screen.problem(f"package: {error}")
        return error.exit_code
    except KeyboardInterrupt:
        screen.problem("package: stopped")
        return _STOPPED
    _show(cloud, screen, packages)
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
        help="whose functions they are for (aws)",
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
        default=toolbox.ROOT / "dist",
        help="the folder for the zips (dist)",
    )
    given = parser.parse_args(arguments)
    if given.boto3 == "pinned" and given.cloud != AWS.name:
        parser.error("argument --boto3: is for aws alone")
    return given


def _find_compiler(cloud: Cloud, screen: Screen) -> str | None:
    try:
        return toolbox.find_python(cloud.python)
    except ToolMissing as missing:
        for text in (f"{missing}.", *_NO_BYTECODE):
            screen.line(text, "yellow")
    return None


def _show(cloud: Cloud, screen: Screen, packages: Sequence[Package]) -> None:
    """Show each zip, and what one function is deployed with."""
    screen.table(
        ("zip", "files", "zipped", "unzipped", "sha256"),
        [
            (
                package.name,
                str(package.files),
                _show_size(package.zipped),
                _show_size(package.unzipped),
                package.digest[:_SHOWN_DIGEST],
            )
            for package in packages
        ],
    )
    for architecture in cloud.architectures:
        names = cloud.name_set(architecture)
        parts = [package for package in packages if package.name in names]
        zipped = _show_size(sum(package.zipped for package in parts))
        unzipped = _show_size(sum(package.unzipped for package in parts))
        screen.line(f"A function on {architecture}: {zipped}, {unzipped} unzipped")


def _show_size(size: int) -> str:
    return f"{size / _MEGABYTE:.2f} MB"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
