"""Builds all zips of a cloud and its bills of materials in one folder."""

import re
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from msgspec import Struct

from kycourier_devkit.emulators.running_function import FUNCTIONS
from kycourier_devkit.errors import UsageError
from kycourier_devkit.package import wheels
from kycourier_devkit.package.archive import BuiltZip, write_zip
from kycourier_devkit.package.bom import build_bom
from kycourier_devkit.package.bytecode import compile_all
from kycourier_devkit.package.clouds import AWS, SEALING_LOCK, Cloud
from kycourier_devkit.package.selection import copy_file, copy_service, prune
from kycourier_devkit.package.wheel_metadata import read_wheels

_REQUIREMENT_NAME = re.compile(r"(?m)^[a-z0-9-]+")

Report = Callable[[str], None]
Fill = Callable[[Path], None]


class ZipSpec(Struct, frozen=True):
    """A zip to build: its name, its path in the cloud, and how to fill its folder."""

    name: str
    unpacked_at: str
    fill: Fill


class BomSpec(Struct, frozen=True):
    """A bill of materials: its name, the zips and locks it covers, the architecture."""

    name: str
    zip_names: Sequence[str]
    locks: Sequence[Path]
    architecture: str


class BuildOptions(Struct, frozen=True, kw_only=True):
    """What to build.

    Attributes:
        root: The checkout.
        python: Compiles the bytecode; None leaves it out.
        cloud: The cloud to build for.
        pins_boto3: Whether the SDK layer holds boto3.
        architectures: Those whose SDK layer is built; empty for all.
    """

    root: Path
    python: str | None
    cloud: Cloud = AWS
    pins_boto3: bool = False
    architectures: Sequence[str] = ()

    @property
    def built_for(self) -> Sequence[str]:
        """The architectures whose SDK layer is built."""
        return self.architectures or self.cloud.architectures

    @property
    def locks(self) -> list[Path]:
        """The SDK layer's lock files; each has its `.in` file beside it."""
        names = ["requirements.txt", *(["boto3.txt"] if self.pins_boto3 else [])]
        return [self.root / self.cloud.lock_folder / name for name in names]

    @property
    def sealing_locks(self) -> list[Path]:
        """The lock file of the layer for sealed results."""
        return [self.root / SEALING_LOCK]


def build(options: BuildOptions, dist: Path, *, report: Report) -> list[BuiltZip]:
    """Builds all zips; replaces those in `dist` only when all are complete.

    Raises:
        DevkitError: A tool is missing, a download failed or `dist` is not writable.
    """
    try:
        dist.mkdir(parents=True, exist_ok=True)
        return _build(options, dist, report)
    except OSError as error:
        reason = error.strerror
    raise UsageError(f"{dist} cannot be written to: {reason}")


def _build(options: BuildOptions, dist: Path, report: Report) -> list[BuiltZip]:
    packages = []
    with tempfile.TemporaryDirectory(prefix=".building-", dir=dist) as folder:
        for spec in _zip_specs(options):
            report(f"Building {spec.name} ...")
            packages.append(_build_zip(spec, Path(folder), options.python))
        for bom in _bom_specs(options):
            report(f"Writing {bom.name} ...")
            _write_bom(bom, Path(folder), packages, options.cloud)
        for path in sorted(Path(folder).iterdir()):
            path.replace(dist / path.name)
    return packages


def _build_zip(spec: ZipSpec, folder: Path, python: str | None) -> BuiltZip:
    with tempfile.TemporaryDirectory() as name:
        content = Path(name)
        spec.fill(content)
        if python is not None:
            compile_all(content, python=python, unpacked_at=spec.unpacked_at)
        return write_zip(content, folder / spec.name)


def _bom_specs(options: BuildOptions) -> Iterable[BomSpec]:
    cloud = options.cloud
    for each in options.built_for:
        yield BomSpec(cloud.bom_name(each), cloud.zip_names(each), options.locks, each)
        sealing = (cloud.sealing_zip_name(each),)
        name = cloud.sealing_bom_name(each)
        yield BomSpec(name, sealing, options.sealing_locks, each)


def _write_bom(
    spec: BomSpec, folder: Path, packages: Sequence[BuiltZip], cloud: Cloud
) -> None:
    """Writes the bill of materials of a function, or of a layer of its own."""
    locks = spec.locks
    folders = [wheels.download(lock, cloud, spec.architecture) for lock in locks]
    text = build_bom(
        folder,
        [package for package in packages if package.name in spec.zip_names],
        import_root=cloud.import_root,
        wheels=read_wheels(folders),
        direct=[name for lock in locks for name in _direct_requirements(lock)],
    )
    (folder / spec.name).write_text(text, "utf-8")


def _direct_requirements(lock: Path) -> list[str]:
    return _REQUIREMENT_NAME.findall(lock.with_suffix(".in").read_text("utf-8"))


def _zip_specs(options: BuildOptions) -> Iterable[ZipSpec]:
    cloud, root = options.cloud, options.root
    yield ZipSpec(
        cloud.functions_zip,
        cloud.code_path,
        lambda folder: _fill_functions(root, folder),
    )
    yield ZipSpec(
        cloud.service_zip,
        cloud.layers_path,
        lambda folder: _fill_service(root, folder / cloud.import_root),
    )
    for architecture in options.built_for:
        for name, locks in (
            (cloud.sdk_zip_name(architecture), options.locks),
            (cloud.sealing_zip_name(architecture), options.sealing_locks),
        ):
            fill = _layer_filler(cloud, locks, architecture)
            yield ZipSpec(name, cloud.layers_path, fill)


def _fill_functions(root: Path, folder: Path) -> None:
    for name in FUNCTIONS:
        copy_file(root / "functions" / f"{name}.py", folder / f"{name}.py")


def _fill_service(root: Path, layer: Path) -> None:
    source = root / "layers/service/python/kycourier"
    copy_service(source, layer / source.name)


def _layer_filler(cloud: Cloud, locks: Sequence[Path], architecture: str) -> Fill:
    def fill(folder: Path) -> None:
        layer = folder / cloud.import_root
        wheels.install(locks, layer, cloud=cloud, architecture=architecture)
        prune(layer)

    return fill
