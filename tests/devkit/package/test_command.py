"""`python -m kycourier_devkit.package`: output, failures and exit codes."""

import re
import subprocess
import sys

import pytest

from kycourier_devkit import repository, tool_envs
from kycourier_devkit.errors import ToolUnavailableError
from kycourier_devkit.package import command, wheels
from kycourier_devkit.package.archive import inspect_zip
from kycourier_devkit.package.build import BuildOptions, build
from support.built_packages import PACKAGED, build_output

pytestmark = PACKAGED
ZIPS = {
    "functions.zip", "service.zip", "sdk-aws-x86_64.zip", "sdk-aws-arm64.zip",
    "sdk-sealing-x86_64.zip", "sdk-sealing-arm64.zip",
}  # fmt: skip
BOMS = {
    "kycourier-x86_64.cdx.json", "kycourier-sealing-x86_64.cdx.json",
    "kycourier-arm64.cdx.json", "kycourier-sealing-arm64.cdx.json",
}  # fmt: skip


@pytest.fixture
def offline(monkeypatch):
    """Configure pip to find no package."""
    settings = {"NO_INDEX": "1", "FIND_LINKS": "", "CONFIG_FILE": "/dev/null"}
    for name, value in settings.items():
        monkeypatch.setenv(f"PIP_{name}", value)


@pytest.fixture
def empty_cache(monkeypatch, tmp_path):
    """Use an empty cache."""
    monkeypatch.setattr(repository, "CACHE", tmp_path / "cache")


def run(capsys, *arguments):
    code = command.main(arguments)
    return code, *capsys.readouterr()


def test_build_prints_sizes_in_80_columns(packages):
    out = build_output(packages).read_text()
    assert max(map(len, out.splitlines())) <= 80
    assert {path.name for path in packages.iterdir()} == ZIPS | BOMS
    for name in ZIPS:
        built = inspect_zip(packages / name)
        row = f"{name} +{built.files} +[0-9.]+ MB +[0-9.]+ MB +{built.digest[:12]}"
        assert re.search(row, out)
    sizes = re.findall(r"A function on \w+: ([0-9.]+) MB, ([0-9.]+) MB unzipped", out)
    assert len(sizes) == 2


def test_build_without_python_3_13_leaves_bytecode_out_and_warns(
    tmp_path, capsys, monkeypatch
):
    def find_none(version):
        raise ToolUnavailableError(f"Python {version} is not on this machine")

    monkeypatch.setattr(tool_envs, "find_python", find_none)
    monkeypatch.setattr(wheels, "install", lambda *_, **__: None)
    code, out, _ = run(capsys, "--into", str(tmp_path))
    assert code == 0
    assert out.startswith("Python 3.13 is not on this machine.\nThe zips will hold no")
    assert max(map(len, out.splitlines())) <= 80
    assert inspect_zip(tmp_path / "functions.zip").files == 4
    assert inspect_zip(tmp_path / "service.zip").files > 4


@pytest.mark.usefixtures("packages", "offline")
def test_downloaded_wheels_are_reused(tmp_path):
    options = BuildOptions(root=repository.ROOT, python=None, architectures=["arm64"])
    *_, sdk, sealing = build(options, tmp_path, report=lambda _: None)
    assert sdk.files > 400
    assert sealing.files > 100


@pytest.mark.usefixtures("offline", "empty_cache")
def test_failed_download_is_reported_and_existing_zips_stay(tmp_path, capsys):
    dist = tmp_path / "dist"
    dist.mkdir()
    (dist / "functions.zip").write_bytes(b"the last one")
    code, _, err = run(capsys, "--into", str(dist))
    assert code == 1
    message = "package: pip download failed: is there a network? See .cache/pip.log\n"
    assert err == message
    assert [path.name for path in dist.iterdir()] == ["functions.zip"]
    assert (dist / "functions.zip").read_bytes() == b"the last one"
    assert (tmp_path / "cache/pip.log").read_text()


def test_missing_pip_is_reported(tmp_path, capsys, monkeypatch):
    bare = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", bare], check=True)
    monkeypatch.setattr(wheels, "_PIP", (str(bare / "bin/python"), "-m", "pip"))
    code, _, err = run(capsys, "--into", str(tmp_path / "dist"))
    assert code == 1
    assert err == "package: pip is not in this environment: run `make setup`\n"
    assert list((tmp_path / "dist").iterdir()) == []


def test_interrupted_build_or_unwritable_folder_leaves_no_files(
    tmp_path, capsys, monkeypatch
):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(wheels, "install", interrupt)
    code, _, err = run(capsys, "--into", str(tmp_path / "dist"))
    assert (code, err) == (130, "package: stopped\n")
    assert list((tmp_path / "dist").iterdir()) == []
    (tmp_path / "file").touch()
    code, _, err = run(capsys, "--into", str(tmp_path / "file/dist"))
    assert (code, err.count("\n")) == (2, 1)
