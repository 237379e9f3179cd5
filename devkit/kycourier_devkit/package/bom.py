"""The bill of materials of a deployment: CycloneDX, the same bytes each time.

One for each architecture: our zips by their digests, and every library that lies in
them, as its metadata there tells, with the digest of the wheel that it came from and
what is linked into its binaries, where the wheel tells.
"""

import json
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import Distribution, PathDistribution
from pathlib import Path
from uuid import NAMESPACE_OID, uuid5

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from kycourier import __version__
from kycourier_devkit.package.archive import Package
from kycourier_devkit.package.wheel_files import Linked, Wheel

OURS, OUR_LICENCE = "kycourier", "Apache-2.0"
_APPROVED = "License :: OSI Approved :: "
_EXTRA = re.compile(r"\bextra\b")
_LICENCES = LicenseFactory()


def build_bom(
    folder: Path,
    packages: Sequence[Package],
    *,
    in_layer: str,
    wheels: Mapping[str, Wheel],
    direct: Iterable[str],
) -> str:
    """Write the bill of the zips in `folder` that one function is deployed with.

    Imports begin in a layer's folder `in_layer`; `wheels` are what was installed, and
    `direct` names what the service imports.
    """
    zips = [_describe_zip(package) for package in packages]
    installed = {
        canonicalize_name(found.name): found
        for package in packages
        for found in _installed(folder / package.name, in_layer)
    }
    libraries: dict[str, Component] = {
        name: _describe(found, wheels[name]) for name, found in installed.items()
    }
    ours = _describe_ours()
    bom = Bom(components=[*zips, *libraries.values()])
    bom.metadata.component = ours
    used = [libraries[name] for name in direct if name in libraries]
    bom.register_dependency(ours, [*zips, *used])
    for name, found in installed.items():
        needed = [libraries[each] for each in _needed(found) if each in libraries]
        bom.register_dependency(libraries[name], needed)
    digests = " ".join(package.digest for package in packages)
    bom.serial_number = uuid5(NAMESPACE_OID, digests)
    return _spell(bom)


def _spell(bom: Bom) -> str:
    """Write it as JSON, without the time, which would differ each time."""
    members = json.loads(JsonV1Dot6(bom).output_as_string())
    del members["metadata"]["timestamp"]
    return json.dumps(members, indent=1, sort_keys=True) + "\n"


def _installed(path: Path, in_layer: str) -> list[Distribution]:
    """Find the distributions that a layer's zip holds, by their own metadata."""
    root = zipfile.Path(path, f"{in_layer}/" if in_layer else "")
    folders = root.iterdir() if root.is_dir() else ()
    return [PathDistribution(each) for each in folders if _is_metadata(each.name)]


def _is_metadata(name: str) -> bool:
    return name.endswith(".dist-info")


def _describe_ours() -> Component:
    return Component(
        name=OURS,
        type=ComponentType.APPLICATION,
        version=__version__,
        bom_ref=OURS,
        licenses=[_LICENCES.make_from_string(OUR_LICENCE)],
    )


def _describe_zip(package: Package) -> Component:
    return Component(
        name=package.name,
        type=ComponentType.FILE,
        bom_ref=package.name,
        hashes=[_sha256(package.digest)],
    )


def _describe(found: Distribution, wheel: Wheel) -> Component:
    name = canonicalize_name(found.name)
    purl = PackageURL("pypi", name=name, version=found.version)
    licence = _name_licence(found)
    return Component(
        name=name,
        version=found.version,
        purl=purl,
        bom_ref=str(purl),
        hashes=[_sha256(wheel.sha256)],
        licenses=[_LICENCES.make_from_string(licence)] if licence else [],
        components=[_describe_linked(each, inside=purl) for each in wheel.linked],
    )


def _describe_linked(linked: Linked, *, inside: PackageURL) -> Component:
    return Component(
        name=linked.name,
        version=linked.version,
        purl=PackageURL.from_string(linked.purl),
        bom_ref=f"{inside}#{linked.purl}",
    )


def _name_licence(found: Distribution) -> str:
    """Give the licence's expression, or what older metadata has in its place."""
    told = found.metadata
    classes = told.get_all("Classifier", [])
    named = [name.removeprefix(_APPROVED) for name in classes if _APPROVED in name]
    return told["License-Expression"] or told["License"] or " and ".join(named)


def _needed(found: Distribution) -> list[str]:
    """Name what a distribution needs, its extras apart."""
    needed = map(Requirement, found.requires or ())
    return [
        canonicalize_name(each.name)
        for each in needed
        if not _EXTRA.search(str(each.marker))
    ]


def _sha256(digest: str) -> HashType:
    return HashType(alg=HashAlgorithm.SHA_256, content=digest)
