"""Writes a function's bill of materials in CycloneDX, reproducible to the byte.

It names the zips with their digests, and each library in them with its version and
licence, its wheel's digest and, if the wheel lists them, the libraries linked into its
binaries.
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
from kycourier_devkit.package.archive import BuiltZip
from kycourier_devkit.package.wheel_metadata import LinkedLibrary, Wheel

SERVICE, SERVICE_LICENCE = "kycourier", "Apache-2.0"
_APPROVED = "License :: OSI Approved :: "
_EXTRA = re.compile(r"\bextra\b")
_LICENCES = LicenseFactory()


def build_bom(
    folder: Path,
    packages: Sequence[BuiltZip],
    *,
    import_root: str,
    wheels: Mapping[str, Wheel],
    direct: Iterable[str],
) -> str:
    """Returns the bill of materials of a function as JSON.

    Args:
        folder: Holds the zips.
        packages: The zips that the function is deployed with.
        import_root: The folder of a layer that is on `sys.path`.
        wheels: The installed wheels by normalized name.
        direct: The names of the libraries that the service imports.
    """
    zips = [_zip_component(package) for package in packages]
    installed = {
        canonicalize_name(found.name): found
        for package in packages
        for found in _installed(folder / package.name, import_root)
    }
    libraries: dict[str, Component] = {
        name: _library_component(found, wheels[name])
        for name, found in installed.items()
    }
    service = _service_component()
    bom = Bom(components=[*zips, *libraries.values()])
    bom.metadata.component = service
    used = [libraries[name] for name in direct if name in libraries]
    bom.register_dependency(service, [*zips, *used])
    for name, found in installed.items():
        required = [
            libraries[each] for each in _dependencies_of(found) if each in libraries
        ]
        bom.register_dependency(libraries[name], required)
    digests = " ".join(package.digest for package in packages)
    bom.serial_number = uuid5(NAMESPACE_OID, digests)
    return _to_json(bom)


def _to_json(bom: Bom) -> str:
    """Returns JSON without the timestamp, which would differ each time."""
    members = json.loads(JsonV1Dot6(bom).output_as_string())
    del members["metadata"]["timestamp"]
    return json.dumps(members, indent=1, sort_keys=True) + "\n"


def _installed(path: Path, import_root: str) -> list[Distribution]:
    """Returns the distributions in a layer's zip."""
    root = zipfile.Path(path, f"{import_root}/" if import_root else "")
    folders = root.iterdir() if root.is_dir() else ()
    return [PathDistribution(each) for each in folders if _is_metadata(each.name)]


def _is_metadata(name: str) -> bool:
    return name.endswith(".dist-info")


def _service_component() -> Component:
    return Component(
        name=SERVICE,
        type=ComponentType.APPLICATION,
        version=__version__,
        bom_ref=SERVICE,
        licenses=[_LICENCES.make_from_string(SERVICE_LICENCE)],
    )


def _zip_component(package: BuiltZip) -> Component:
    return Component(
        name=package.name,
        type=ComponentType.FILE,
        bom_ref=package.name,
        hashes=[_sha256(package.digest)],
    )


def _library_component(found: Distribution, wheel: Wheel) -> Component:
    name = canonicalize_name(found.name)
    purl = PackageURL("pypi", name=name, version=found.version)
    licence = _licence_of(found)
    return Component(
        name=name,
        version=found.version,
        purl=purl,
        bom_ref=str(purl),
        hashes=[_sha256(wheel.sha256)],
        licenses=[_LICENCES.make_from_string(licence)] if licence else [],
        components=[_linked_component(each, inside=purl) for each in wheel.linked],
    )


def _linked_component(linked: LinkedLibrary, *, inside: PackageURL) -> Component:
    return Component(
        name=linked.name,
        version=linked.version,
        purl=PackageURL.from_string(linked.purl),
        bom_ref=f"{inside}#{linked.purl}",
    )


def _licence_of(found: Distribution) -> str:
    """Returns the licence expression, or what older metadata has instead."""
    metadata = found.metadata
    classes = metadata.get_all("Classifier", [])
    named = [name.removeprefix(_APPROVED) for name in classes if _APPROVED in name]
    return metadata["License-Expression"] or metadata["License"] or " and ".join(named)


def _dependencies_of(found: Distribution) -> list[str]:
    """Returns the names of what a distribution requires without extras."""
    required = map(Requirement, found.requires or ())
    return [
        canonicalize_name(each.name)
        for each in required
        if not _EXTRA.search(str(each.marker))
    ]


def _sha256(digest: str) -> HashType:
    return HashType(alg=HashAlgorithm.SHA_256, content=digest)
