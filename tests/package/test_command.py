"""`python -m kycourier_devkit.package`, as a person sees it."""

import re
import subprocess
import sys

import pytest

from built import PACKAGED, printed
from kycourier_devkit import toolbox
from kycourier_devkit.errors import ToolMissing
from kycourier_devkit.package import __main__ as command
from kycourier_devkit.package import wheels
from kycourier_devkit.package.archive import inspect_zip
from kycourier_devkit.package.build import Order, build

pytestmark = PACKAGED
ZIPS = {
    "functions.zip", "service.zip", "sdk-aws-x86_64.zip", "sdk-aws-arm64.zip",
}  # fmt: skip
BILLS = {"kycourier-x86_64.cdx.json", "kycourier-arm64.cdx.json"}


@pytest.fixture
def offline(monkeypatch):
    """Let pip find nothing."""
    settings = {"NO_INDEX": "1", "FIND_LINKS": "", "CONFIG_FILE": "/dev/null"}
    for name, value in settings.items():
        monkeypatch.setenv(f"PIP_{name}", value)


@pytest.fixture
def empty_cache(monkeypatch, tmp_path):
    """Let nothing be there from before."""
    monkeypatch.setattr(toolbox, "CACHE", tmp_path / "cache")


def run(capsys, *arguments):
    code = command.main(arguments)
    return code, *capsys.readouterr()


def test_what_was_built_is_shown_in_80_columns(packages):
    out = printed(packages).read_text()
    assert max(map(len, out.splitlines())) <= 80
    assert {path.name for path in packages.iterdir()} == ZIPS | BILLS
    for name in ZIPS:
        built = inspect_zip(packages / name)
        row = f"{name} +{built.files} +[0-9.]+ MB +[0-9.]+ MB +{built.digest[:12]}"
        assert re.search(row, out)
    sizes = re.findall(r"A function on \w+: ([0-9.]+) MB, ([0-9.]+) MB unzipped", out)
    assert len(sizes) == 2


def test_without_python_3_13_the_zips_hold_no_bytecode_and_it_says_so(
    tmp_path, capsys, monkeypatch
):
    def find_none(version):
        raise ToolMissing(f"Python {version} is not on this machine")

    monkeypatch.setattr(toolbox, "find_python", find_none)
    monkeypatch.setattr(wheels, "install", lambda *_, **__: None)
    code, out, _ = run(capsys, "--into", str(tmp_path))
    assert code == 0
    assert out.startswith("Python 3.13 is not on this machine.\nThe zips will hold no")
    assert max(map(len, out.splitlines())) <= 80
    assert inspect_zip(tmp_path / "functions.zip").files == 4
    assert inspect_zip(tmp_path / "service.zip").files > 4


@pytest.mark.usefixtures("packages", "offline")
def test_what_was_downloaded_once_is_used_again(tmp_path):
    order = Order(root=toolbox.ROOT, python=None, architectures=["arm64"])
    *_, sdk = build(order, tmp_path, tell=lambda _: None)
    assert sdk.files > 400


@pytest.mark.usefixtures("offline", "empty_cache")
def test_without_a_network_it_says_so_and_what_was_built_stays(tmp_path, capsys):
    dist = tmp_path / "dist"
    dist.mkdir()
    (dist / "functions.zip").write_bytes(b"the last one")
    code, _, err = run(capsys, "--into", str(dist))
    assert code == 1
    said = "package: pip download failed: is there a network? See .cache/pip.log\n"
    assert err == said
    assert [path.name for path in dist.iterdir()] == ["functions.zip"]
    assert (dist / "functions.zip").read_bytes() == b"the last one"
    assert (tmp_path / "cache/pip.log").read_text()


def test_without_pip_it_says_so(tmp_path, capsys, monkeypatch):
    bare = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", bare], check=True)
    monkeypatch.setattr(wheels, "_PIP", (str(bare / "bin/python"), "-m", "pip"))
    code, _, err = run(capsys, "--into", str(tmp_path / "dist"))
    assert code == 1
    assert err == "package: pip is not in this environment: run `make setup`\n"
    assert list((tmp_path / "dist").iterdir()) == []


def test_a_folder_that_cannot_be_made_is_a_wrong_use(tmp_path, capsys):
    (tmp_path / "file").touch()
    code, _, err = run(capsys, "--into", str(tmp_path / "file/dist"))
    assert code == 2
    assert "cannot be written to" in err


def test_ctrl_c_leaves_nothing_half_made(tmp_path, capsys, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(wheels, "install", interrupt)
    code, _, err = run(capsys, "--into", str(tmp_path / "dist"))
    assert (code, err) == (130, "package: stopped\n")
    assert list((tmp_path / "dist").iterdir()) == []


def test_where_boto3_comes_from_is_one_of_two(tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        run(capsys, "--boto3", "latest", "--into", str(tmp_path))
    assert ended.value.code == 2
    assert "--boto3" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
