"""What is in which zip, and how all of them come to lie in one folder together."""

import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from msgspec import Struct

from kycourier_devkit.errors import UsageProblem
from kycourier_devkit.functions.process import FUNCTIONS
from kycourier_devkit.package import wheels
from kycourier_devkit.package.archive import Package, write_zip
from kycourier_devkit.package.bytecode import compile_all
from kycourier_devkit.package.selection import copy_ours, place, prune

FUNCTIONS_ZIP, SERVICE_ZIP = "functions.zip", "service.zip"
ARCHITECTURES = tuple(wheels.PLATFORMS)
_TASK, _LAYERS = "/var/task", "/opt"
_IN_LAYER = "python"

Tell = Callable[[str], None]


class Recipe(Struct, frozen=True):
    """How one zip is filled, and where Lambda unpacks it."""

    name: str
    lies_at: str
    fill: Callable[[Path], None]


class Order(Struct, frozen=True, kw_only=True):
    """What to build. `root` is the checkout; without `python` there is no bytecode.

    `architectures` names those whose SDK layer is built.
    """

    root: Path
    python: str | None
    pins_boto3: bool = False
    architectures: Sequence[str] = ARCHITECTURES


def name_sdk_zip(architecture: str) -> str:
    """Name the SDK layer's zip."""
    return f"sdk-aws-{architecture}.zip"


def name_set(architecture: str) -> tuple[str, ...]:
    """Name the zips that one function of an architecture is deployed with."""
    return FUNCTIONS_ZIP, SERVICE_ZIP, name_sdk_zip(architecture)


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
        for package in packages:
            (Path(folder) / package.name).replace(dist / package.name)
    return packages


def _bake(recipe: Recipe, folder: Path, python: str | None) -> Package:
    with tempfile.TemporaryDirectory() as stage:
        staged = Path(stage)
        recipe.fill(staged)
        if python is not None:
            compile_all(staged, python=python, shown_as=recipe.lies_at)
        return write_zip(staged, folder / recipe.name)


def _recipes(order: Order) -> Iterable[Recipe]:
    root = order.root
    yield Recipe(FUNCTIONS_ZIP, _TASK, lambda stage: _fill_functions(root, stage))
    yield Recipe(SERVICE_ZIP, _LAYERS, lambda stage: _fill_service(root, stage))
    locks = [root / "layers/sdk_aws/requirements.txt"]
    if order.pins_boto3:
        locks.append(root / "layers/sdk_aws/boto3.txt")
    for architecture in order.architectures:
        yield Recipe(name_sdk_zip(architecture), _LAYERS, _filler(locks, architecture))


def _fill_functions(root: Path, stage: Path) -> None:
    for name in FUNCTIONS:
        place(root / "functions" / f"{name}.py", stage / f"{name}.py")


def _fill_service(root: Path, stage: Path) -> None:
    source = root / "layers/service/python/kycourier"
    copy_ours(source, stage / _IN_LAYER / source.name)


def _filler(locks: Sequence[Path], architecture: str) -> Callable[[Path], None]:
    def fill(stage: Path) -> None:
        layer = stage / _IN_LAYER
        wheels.install(locks, layer, architecture=architecture)
        prune(layer)

    return fill
