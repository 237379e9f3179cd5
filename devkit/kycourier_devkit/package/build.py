"""What is in which zip, and how all of them come to lie in one folder together."""

import re
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from msgspec import Struct

from kycourier_devkit.errors import UsageProblem
from kycourier_devkit.functions.process import FUNCTIONS
from kycourier_devkit.package import wheels
from kycourier_devkit.package.archive import Package, write_zip
from kycourier_devkit.package.bom import build_bom
from kycourier_devkit.package.bytecode import compile_all
from kycourier_devkit.package.clouds import AWS, Cloud
from kycourier_devkit.package.selection import copy_ours, place, prune
from kycourier_devkit.package.wheel_files import read_wheels

_NAMED = re.compile(r"(?m)^[a-z0-9-]+")

Tell = Callable[[str], None]


class Recipe(Struct, frozen=True):
    """How one zip is filled, and where its cloud unpacks it."""

    name: str
    lies_at: str
    fill: Callable[[Path], None]


class Order(Struct, frozen=True, kw_only=True):
    """What to build. `root` is the checkout; without `python` there is no bytecode.

    `architectures` names those whose SDK layer is built, if not all of the cloud's.
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


def build(order: Order, dist: Path, *, tell: Tell) -> list[Package]:
    """Build all zips into `dist`, replacing what is there only when all are whole.

    Raises DevkitError.
    """
    try:
        dist.mkdir(parents=True, exist_ok=True)
        return _build(order, dist, tell)
    except OSError as error:
        reason = error.strerror
    raise UsageProblem(f"{dist} cannot be written to: {reason}")


def _build(order: Order, dist: Path, tell: Tell) -> list[Package]:
    packages = []
    with tempfile.TemporaryDirectory(prefix=".building-", dir=dist) as folder:
        for recipe in _recipes(order):
            tell(f"Building {recipe.name} ...")
            packages.append(_bake(recipe, Path(folder), order.python))
        for architecture in order.built_for:
            tell(f"Writing {order.cloud.name_bom(architecture)} ...")
            _write_bom(order, Path(folder), packages, architecture)
        for path in sorted(Path(folder).iterdir()):
            path.replace(dist / path.name)
    return packages


def _write_bom(
    order: Order, folder: Path, packages: Sequence[Package], architecture: str
) -> None:
    """Write what one function of an architecture is deployed with."""
    cloud, locks = order.cloud, _locks(order)
    names = cloud.name_set(architecture)
    folders = [wheels.download(lock, cloud, architecture) for lock in locks]
    text = build_bom(
        folder,
        [package for package in packages if package.name in names],
        in_layer=cloud.in_layer,
        wheels=read_wheels(folders),
        direct=[name for lock in locks for name in _direct(lock)],
    )
    (folder / cloud.name_bom(architecture)).write_text(text, "utf-8")


def _locks(order: Order) -> list[Path]:
    """Name the locks of the SDK layer; beside each lies what it was made of."""
    names = ["requirements.txt", *(["boto3.txt"] if order.pins_boto3 else [])]
    return [order.root / order.cloud.sdk / name for name in names]


def _direct(lock: Path) -> list[str]:
    return _NAMED.findall(lock.with_suffix(".in").read_text("utf-8"))


def _bake(recipe: Recipe, folder: Path, python: str | None) -> Package:
    with tempfile.TemporaryDirectory() as stage:
        staged = Path(stage)
        recipe.fill(staged)
        if python is not None:
            compile_all(staged, python=python, shown_as=recipe.lies_at)
        return write_zip(staged, folder / recipe.name)


def _recipes(order: Order) -> Iterable[Recipe]:
    cloud = order.cloud
    yield Recipe(
        cloud.functions_zip,
        cloud.code_at,
        lambda stage: _fill_functions(order.root, stage),
    )
    yield Recipe(
        cloud.service_zip,
        cloud.layers_at,
        lambda stage: _fill_service(order.root, stage / cloud.in_layer),
    )
    for architecture in order.built_for:
        filler = _filler(_locks(order), cloud, architecture)
        yield Recipe(cloud.name_sdk_zip(architecture), cloud.layers_at, filler)


def _fill_functions(root: Path, stage: Path) -> None:
    for name in FUNCTIONS:
        place(root / "functions" / f"{name}.py", stage / f"{name}.py")


def _fill_service(root: Path, layer: Path) -> None:
    source = root / "layers/service/python/kycourier"
    copy_ours(source, layer / source.name)


def _filler(
    locks: Sequence[Path], cloud: Cloud, architecture: str
) -> Callable[[Path], None]:
    def fill(stage: Path) -> None:
        layer = stage / cloud.in_layer
        wheels.install(locks, layer, cloud=cloud, architecture=architecture)
        prune(layer)

    return fill
