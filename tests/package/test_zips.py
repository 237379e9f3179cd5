"""What is in the zips, and what is not."""

import re
import shutil
import stat
import struct
import zipfile
from importlib.metadata import distributions
from pathlib import PurePosixPath

import pytest

from built import PACKAGED, build_into
from kycourier_devkit.functions.process import FUNCTIONS
from kycourier_devkit.package.archive import inspect_zip
from kycourier_devkit.package.bom import name_bom
from kycourier_devkit.package.build import ARCHITECTURES, name_sdk_zip, name_set
from kycourier_devkit.toolbox import ROOT

pytestmark = PACKAGED
ZIPS = ("functions.zip", "service.zip", *map(name_sdk_zip, ARCHITECTURES))
MOST_ZIPPED, MOST_UNZIPPED = 12_000_000, 35_000_000
ELF_MACHINES = {"x86_64": 62, "arm64": 183}  # EM_X86_64, EM_AARCH64
LIBRARIES = {
    "aws_lambda_powertools", "certifi", "charset_normalizer", "idna", "jmespath",
    "msgspec", "obstore", "pybase64", "redis", "requests", "typing_extensions",
    "urllib3",
}  # fmt: skip
UNWANTED = re.compile(
    r"(^|/)(tests?|bin|devkit|kycourier_devkit|sandbox|\.[^/]*)(/|$)"
    r"|\.(pyi|whl|exe|key|p12|pem)$|(^|/)(RECORD|INSTALLER|direct_url\.json)$"
)
ROOTS = "python/certifi/cacert.pem"
PRIVATE_KEY = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/=]{16}")


def names_in(path):
    with zipfile.ZipFile(path) as archive:
        return archive.namelist()


def with_bytecode(modules):
    """Give the modules' names and their bytecode's."""
    cached = (
        path.parent / "__pycache__" / f"{path.stem}.cpython-313.pyc" for path in modules
    )
    return sorted(map(str, (*modules, *cached)))


def test_the_same_bytes_come_of_another_folder_whatever_else_lies_there(
    packages, tmp_path
):
    root = tmp_path / "elsewhere"
    for part in ("functions", "layers"):
        shutil.copytree(ROOT / part, root / part)
    for stray in (
        "functions/.env", "functions/extra.py", "functions/tests/test_x.py",
        "layers/service/python/kycourier/.env",
        "layers/service/python/kycourier/core/signing.key",
        "layers/service/python/kycourier/core/own.pem",
        "layers/service/python/kycourier/core/notes.txt",
        "layers/service/python/kycourier/core/tests/test_card.py",
        "layers/service/python/kycourier/.hidden/module.py",
        "layers/service/python/kycourier/__pycache__/old.cpython-310.pyc",
    ):  # fmt: skip
        path = root / stray
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("not to be shipped")
    build_into(tmp_path / "again", root=root)
    built = sorted(path.name for path in (tmp_path / "again").iterdir())
    assert built == sorted([*ZIPS, *map(name_bom, ARCHITECTURES)])
    for name in built:
        again, first = (tmp_path / "again" / name), packages / name
        assert again.read_bytes() == first.read_bytes(), name


def test_functions_are_four_files_and_their_bytecode(packages):
    files = [PurePosixPath(f"{name}.py") for name in FUNCTIONS]
    assert names_in(packages / "functions.zip") == with_bytecode(files)


def test_the_service_is_its_source_and_data_whole(packages):
    source = ROOT / "layers/service"
    found = (source / "python/kycourier").rglob("*")
    files = [
        PurePosixPath(path.relative_to(source))
        for path in found
        if path.suffix in {".py", ".json"}
    ]
    modules = [path for path in files if path.suffix == ".py"]
    data = [str(path) for path in files if path.suffix == ".json"]
    names = names_in(packages / "service.zip")
    assert "python/kycourier/core/codes.json" in data
    assert names == sorted(with_bytecode(modules) + data)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_sdk_layer_holds_the_libraries_and_no_boto3(packages, architecture):
    names = names_in(packages / name_sdk_zip(architecture))
    assert {PurePosixPath(name).parts[0] for name in names} == {"python"}
    second = {PurePosixPath(name).parts[1] for name in names}
    assert {name.removesuffix(".py") for name in second if "-" not in name} == (
        LIBRARIES | {"__pycache__"}
    )


@pytest.mark.parametrize("name", ZIPS)
def test_nothing_is_shipped_that_does_not_run(packages, name):
    found = [each for each in names_in(packages / name) if UNWANTED.search(each)]
    assert found == ([ROOTS] if "sdk" in name else [])
    with zipfile.ZipFile(packages / name) as archive:
        for each in archive.namelist():
            assert not PRIVATE_KEY.search(archive.read(each)), each
        if "sdk" in name:
            assert b"-----BEGIN CERTIFICATE-----" in archive.read(ROOTS)


@pytest.mark.parametrize("name", ZIPS)
def test_times_and_modes_are_fixed_and_names_sorted(packages, name):
    with zipfile.ZipFile(packages / name) as archive:
        entries = archive.infolist()
    assert entries == sorted(entries, key=lambda entry: entry.filename)
    for entry in entries:
        assert entry.date_time == (1980, 1, 1, 0, 0, 0)
        mode = 0o755 if entry.filename.endswith(".so") else 0o644
        assert entry.external_attr >> 16 == stat.S_IFREG | mode


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_function_with_its_layers_stays_within_its_sizes(packages, architecture):
    parts = [inspect_zip(packages / name) for name in name_set(architecture)]
    assert sum(part.zipped for part in parts) <= MOST_ZIPPED
    assert sum(part.unzipped for part in parts) <= MOST_UNZIPPED
    page = " ".join((ROOT / "docs/packages.md").read_text().split())
    assert "at most 12 MB zipped and 35 MB unzipped" in page


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_binary_is_for_the_layers_own_architecture(packages, architecture):
    with zipfile.ZipFile(packages / name_sdk_zip(architecture)) as archive:
        binaries = {
            name: archive.read(name)[:20]
            for name in archive.namelist()
            if ".so" in PurePosixPath(name).suffixes
            or archive.read(name)[:4] == b"\x7fELF"
        }
    libraries = {PurePosixPath(name).parts[1] for name in binaries}
    assert libraries == {"charset_normalizer", "msgspec", "obstore", "pybase64"}
    machines = {struct.unpack_from("<H", head, 18)[0] for head in binaries.values()}
    assert machines == {ELF_MACHINES[architecture]}
    assert all("aarch64" not in name for name in binaries) == (architecture != "arm64")


def test_each_library_still_tells_its_version_and_its_licence(deployment):
    lock = (ROOT / "layers/sdk_aws/requirements.txt").read_text()
    locked = dict(re.findall(r"(?m)^([a-z0-9-]+)==([^ ]+)", lock))
    folder = deployment.opt / "python"
    found = {one.metadata["Name"]: one for one in distributions(path=[str(folder)])}
    versions = {name.replace("_", "-"): one.version for name, one in found.items()}
    assert versions == locked
    for name in locked:
        folders = list(folder.glob(f"{name.replace('-', '_')}-*.dist-info"))
        assert len(folders) == 1
        licences = [path for path in folders[0].rglob("*") if "LICEN" in path.name]
        assert licences or name == "obstore"  # its wheel brings none, METADATA says MIT


def test_boto3_is_in_the_layer_when_it_is_pinned(pinned):
    names = names_in(pinned / name_sdk_zip("arm64"))
    assert {"python/boto3/session.py", "python/botocore/session.py"} <= set(names)
    assert any(name.startswith("python/botocore/data/dynamodb/") for name in names)
    assert not any(UNWANTED.search(name) for name in names if name != ROOTS)
