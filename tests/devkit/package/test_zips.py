"""The zips hold what runs in their cloud, and nothing else."""

import re
import shutil
import stat
import struct
import zipfile
from importlib.metadata import distributions
from pathlib import PurePosixPath

import pytest

from kycourier_devkit.emulators.running_function import FUNCTIONS
from kycourier_devkit.package.archive import inspect_zip
from kycourier_devkit.package.clouds import AWS, CLOUDS, TENCENT
from kycourier_devkit.package.wheels import select_requirements
from kycourier_devkit.repository import ROOT
from support.built_packages import EACH_CLOUD, EACH_SET, PACKAGED, build_into

pytestmark = PACKAGED
EACH_ZIP = pytest.mark.parametrize(
    ("cloud", "name"),
    [(cloud, name) for cloud in CLOUDS.values() for name in cloud.all_zip_names],
    ids=lambda value: getattr(value, "name", value),
)
MAX_ZIPPED, MAX_UNZIPPED = 12_000_000, 35_000_000
CODES = "kycourier/core/documents/codes/bank_card.json"
ELF_MACHINES = {"x86_64": 62, "arm64": 183}  # EM_X86_64, EM_AARCH64
LIBRARIES = {
    "aws_lambda_powertools", "certifi", "charset_normalizer", "hiredis", "idna",
    "jmespath", "msgspec", "obstore", "pybase64", "requests", "typing_extensions",
    "urllib3",
}  # fmt: skip
IN_LAYER = {
    "aws": LIBRARIES,
    "tencent": LIBRARIES | {"tencentcloud"},
}
UNWANTED = re.compile(
    r"(^|/)(tests?|bin|devkit|kycourier_devkit|sandbox|\.[^/]*)(/|$)"
    r"|\.(pyi|whl|exe|key|p12|pem)$|(^|/)(RECORD|INSTALLER|direct_url\.json)$"
)
ROOTS = PurePosixPath("certifi/cacert.pem")  # relative to the import root
# Their wheels hold no licence file; METADATA names it.
WITHOUT_LICENCE = {"obstore", "tencentcloud-sdk-python-common"}
PRIVATE_KEY = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/=]{16}")


def binaries_in(path):
    """Return the content of the shared libraries in a zip, by name."""
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    return {
        name: content
        for name, content in contents.items()
        if ".so" in PurePosixPath(name).suffixes or content[:4] == b"\x7fELF"
    }


def names_in(path):
    with zipfile.ZipFile(path) as archive:
        return archive.namelist()


def with_bytecode(modules, cloud):
    """Return the modules' names and those of their bytecode."""
    tag = f"cpython-{cloud.python.replace('.', '')}"
    cached = (
        path.parent / "__pycache__" / f"{path.stem}.{tag}.pyc" for path in modules
    )
    return sorted(map(str, (*modules, *cached)))


@EACH_CLOUD
def test_build_from_another_folder_with_extra_files_gives_the_same_bytes(
    packages_of, cloud, tmp_path
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
    build_into(tmp_path / "again", cloud, root=root)
    built = sorted(path.name for path in (tmp_path / "again").iterdir())
    boms = [*map(cloud.bom_name, cloud.architectures)]
    boms += map(cloud.sealing_bom_name, cloud.architectures)
    assert built == sorted([*cloud.all_zip_names, *boms])
    for name in built:
        again, first = (tmp_path / "again" / name), packages_of(cloud) / name
        assert again.read_bytes() == first.read_bytes(), name


@EACH_CLOUD
def test_zips_hold_the_functions_and_all_source_and_data(packages_of, cloud):
    source = ROOT / "layers/service/python"
    found = (source / "kycourier").rglob("*")
    files = [
        PurePosixPath(cloud.import_root, path.relative_to(source))
        for path in found
        if path.suffix in {".py", ".json"}
    ]
    modules = [path for path in files if path.suffix == ".py"]
    data = [str(path) for path in files if path.suffix == ".json"]
    functions = names_in(packages_of(cloud) / cloud.functions_zip)
    four = [PurePosixPath(f"{name}.py") for name in FUNCTIONS]
    assert functions == with_bytecode(four, cloud)
    names = names_in(packages_of(cloud) / cloud.service_zip)
    assert str(PurePosixPath(cloud.import_root, CODES)) in data
    assert names == sorted(with_bytecode(modules, cloud) + data)


@EACH_SET
def test_sdk_layer_holds_the_libraries_and_no_boto3(packages_of, cloud, architecture):
    names = names_in(packages_of(cloud) / cloud.sdk_zip_name(architecture))
    inside = [PurePosixPath(name).relative_to(cloud.import_root) for name in names]
    first = {path.parts[0] for path in inside}
    assert {name.removesuffix(".py") for name in first if "-" not in name} == (
        IN_LAYER[cloud.name] | {"__pycache__"}
    )


@EACH_SET
def test_sealing_layer_holds_its_library_and_nothing_of_the_sdk(
    packages_of, cloud, architecture
):
    names = names_in(packages_of(cloud) / cloud.sealing_zip_name(architecture))
    inside = [PurePosixPath(name).relative_to(cloud.import_root) for name in names]
    first = {path.parts[0].partition(".")[0] for path in inside}
    packages = {name for name in first if "-" not in name}
    assert packages >= {"joserfc", "cryptography", "cffi"}
    assert not packages & IN_LAYER[cloud.name] - {"typing_extensions"}


@EACH_ZIP
def test_zips_hold_no_unneeded_files_and_no_private_key(packages_of, cloud, name):
    roots = str(cloud.import_root / ROOTS)
    path = packages_of(cloud) / name
    found = [each for each in names_in(path) if UNWANTED.search(each)]
    has_roots = "sdk" in name and "sealing" not in name
    assert found == ([roots] if has_roots else [])
    with zipfile.ZipFile(path) as archive:
        for each in archive.namelist():
            assert not PRIVATE_KEY.search(archive.read(each)), each
        if has_roots:
            assert b"-----BEGIN CERTIFICATE-----" in archive.read(roots)


@EACH_ZIP
def test_times_and_modes_are_fixed_and_names_sorted(packages_of, cloud, name):
    with zipfile.ZipFile(packages_of(cloud) / name) as archive:
        entries = archive.infolist()
    assert entries == sorted(entries, key=lambda entry: entry.filename)
    for entry in entries:
        assert entry.date_time == (1980, 1, 1, 0, 0, 0)
        mode = 0o755 if entry.filename.endswith(".so") else 0o644
        assert entry.external_attr >> 16 == stat.S_IFREG | mode


@EACH_SET
def test_function_with_its_layers_stays_below_the_size_limits(
    packages_of, cloud, architecture
):
    folder = packages_of(cloud)
    parts = [inspect_zip(folder / name) for name in cloud.zip_names(architecture)]
    assert sum(part.zipped for part in parts) <= MAX_ZIPPED
    assert sum(part.unzipped for part in parts) <= MAX_UNZIPPED


@EACH_SET
def test_every_binary_runs_on_its_architecture_and_glibc(
    packages_of, cloud, architecture
):
    """A symbol of a newer glibc than the platform's would fail at import."""
    binaries = binaries_in(packages_of(cloud) / cloud.sdk_zip_name(architecture))
    inside = [PurePosixPath(name).relative_to(cloud.import_root) for name in binaries]
    assert {path.parts[0] for path in inside} == {
        "charset_normalizer", "hiredis", "msgspec", "obstore", "pybase64",
    }  # fmt: skip
    machines = {struct.unpack_from("<H", each, 18)[0] for each in binaries.values()}
    assert machines == {ELF_MACHINES[architecture]}
    assert all("aarch64" not in name for name in binaries) == (architecture != "arm64")
    required = {
        tuple(map(int, version.split(b".")))
        for content in binaries.values()
        for version in re.findall(rb"GLIBC_(2\.\d+)\x00", content)
    }
    newest = (2, 17) if cloud is TENCENT else (2, 34)
    assert (2, 2) < max(required) <= newest


@EACH_SET
def test_each_library_keeps_its_version_and_licence(
    packages_of, cloud, architecture, tmp_path
):
    lock = (ROOT / cloud.lock_folder / "requirements.txt").read_text()
    locked = dict(re.findall(r"(?m)^([a-z0-9-]+)==([^ ]+)", lock))
    with zipfile.ZipFile(packages_of(cloud) / cloud.sdk_zip_name(architecture)) as sdk:
        sdk.extractall(tmp_path)
    folder = tmp_path / cloud.import_root
    found = {one.metadata["Name"]: one for one in distributions(path=[str(folder)])}
    versions = {name.replace("_", "-"): one.version for name, one in found.items()}
    assert versions == locked
    for name in locked:
        folders = list(folder.glob(f"{name.replace('-', '_')}-*.dist-info"))
        assert len(folders) == 1
        licences = [path for path in folders[0].rglob("*") if "LICEN" in path.name]
        assert licences or name in WITHOUT_LICENCE


def test_requirements_for_another_python_or_machine_are_left_out():
    """Markers are evaluated for the cloud's Python, whichever Python builds."""
    hashes = "    --hash=sha256:aa \\\n    --hash=sha256:bb\n"
    markers = [
        "",
        " ; python_full_version < '3.11.3'",
        " ; python_version >= '3.13'",
        " ; sys_platform == 'win32'",
        " ; platform_machine == 'aarch64'",
    ]
    lock = "# made by\n" + "".join(
        f"lib-{number}[extra]==1.{number}{marker} \\\n{hashes}    # via something\n"
        for number, marker in enumerate(markers)
    )

    def kept(cloud, architecture):
        text = select_requirements(lock, cloud, architecture)
        assert text.count(hashes) == text.count("==")
        assert ";" not in text
        return [int(number) for number in re.findall(r"(?m)^lib-(\d)", text)]

    assert kept(TENCENT, "x86_64") == [0, 1]
    assert kept(AWS, "x86_64") == [0, 2]
    assert kept(AWS, "arm64") == [0, 2, 4]


def test_pinned_boto3_is_in_the_layer(pinned):
    names = names_in(pinned / AWS.sdk_zip_name("arm64"))
    assert {"python/boto3/session.py", "python/botocore/session.py"} <= set(names)
    assert any(name.startswith("python/botocore/data/dynamodb/") for name in names)
    assert not any(UNWANTED.search(name) for name in names if name != f"python/{ROOTS}")
