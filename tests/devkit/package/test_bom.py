"""The bill of materials names exactly what the zips hold, with digests."""

import hashlib
import json
import re
import uuid
import zipfile

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from kycourier import __version__
from kycourier_devkit.package.clouds import AWS
from kycourier_devkit.repository import ROOT
from support.built_packages import PACKAGED, SETS

pytestmark = PACKAGED
IN_ZIP = re.compile(r"(?:python/)?([^/]+)-([^/-]+)\.dist-info/METADATA")


def installed(path):
    """Return names and versions of the distributions in a zip."""
    with zipfile.ZipFile(path) as archive:
        found = [IN_ZIP.fullmatch(name) for name in archive.namelist()]
    return {(m[1].replace("_", "-").lower(), m[2]) for m in found if m}


@pytest.fixture(params=[each.values for each in SETS], ids=[x.id for x in SETS])
def built_for(request):
    """Return a cloud and one of its architectures."""
    return request.param


@pytest.fixture
def folder(packages_of, built_for):
    return packages_of(built_for[0])


@pytest.fixture
def bom(folder, built_for):
    cloud, architecture = built_for
    return json.loads((folder / cloud.bom_name(architecture)).read_text())


def hashes_of(cloud):
    """Return the hashes of each library's locked wheels."""
    lock = (ROOT / cloud.lock_folder / "requirements.txt").read_text()
    blocks = re.findall(r"(?m)^([a-z0-9-]+)==((?:.*\\\n)+.*)", lock)
    return {
        name: set(re.findall(r"sha256:([0-9a-f]{64})", block)) for name, block in blocks
    }


def of_type(bom, kind):
    return {each["name"]: each for each in bom["components"] if each["type"] == kind}


def names_of(bom):
    """Return names and versions of the libraries."""
    return {(e["name"], e["version"]) for e in of_type(bom, "library").values()}


def digest_of(component):
    [only] = component["hashes"]
    assert only["alg"] == "SHA-256"
    return only["content"]


def test_bom_is_valid_cyclonedx(bom):
    validator = JsonStrictValidator(SchemaVersion.V1_6)
    assert validator.validate_str(json.dumps(bom)) is None
    assert validator.validate_str(json.dumps(bom | {"bomFormat": "other"})) is not None


def test_bom_names_exactly_the_libraries_in_the_zip(bom, folder, built_for):
    cloud, architecture = built_for
    named = names_of(bom)
    assert named == installed(folder / cloud.sdk_zip_name(architecture))
    assert len(named) == len(of_type(bom, "library")) > 10
    for name, version in named:
        assert of_type(bom, "library")[name]["purl"] == f"pkg:pypi/{name}@{version}"


def test_each_library_has_a_licence_and_the_digest_of_a_locked_wheel(bom, built_for):
    hashes = hashes_of(built_for[0])
    for name, each in of_type(bom, "library").items():
        assert digest_of(each) in hashes[name]
        [licence] = each["licenses"]
        assert licence.get("expression") or licence["license"]


def test_bom_names_each_zip_with_its_digest(bom, folder, built_for):
    cloud, architecture = built_for
    zips = of_type(bom, "file")
    assert set(zips) == set(cloud.zip_names(architecture))
    for name, each in zips.items():
        content = (folder / name).read_bytes()
        assert digest_of(each) == hashlib.sha256(content).hexdigest()


def test_bom_names_libraries_linked_into_binaries(bom):
    libraries = of_type(bom, "library")
    linked = {
        name: {part["name"] for part in each.get("components", ())}
        for name, each in libraries.items()
    }
    assert {"object_store", "rustls", "ring"} <= linked["obstore"]
    assert linked["pybase64"] == {"base64"}


def test_every_component_is_reachable_from_the_service(bom):
    requires = {each["ref"]: each.get("dependsOn", []) for each in bom["dependencies"]}
    named = {each["bom-ref"] for each in bom["components"]}
    assert {ref for refs in requires.values() for ref in refs} <= named
    found, left = set(), ["kycourier"]
    while left:
        found.add(ref := left.pop())
        left += set(requires[ref]) - found
    assert found == named | {"kycourier"}  # no component is unneeded


def test_bom_has_the_version_and_no_timestamp(bom):
    ours = bom["metadata"].pop("component")
    assert (ours["name"], ours["version"]) == ("kycourier", __version__)
    assert bom["metadata"] == {}
    assert uuid.UUID(bom["serialNumber"]).version == 5  # of the zips' digests


def test_sealing_layer_has_a_bom_of_its_own(folder, built_for):
    cloud, architecture = built_for
    name = cloud.sealing_zip_name(architecture)
    bom = json.loads((folder / cloud.sealing_bom_name(architecture)).read_text())
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bom)) is None
    assert names_of(bom) == installed(folder / name)
    assert {"joserfc", "cryptography"} <= of_type(bom, "library").keys()
    [file] = of_type(bom, "file").values()
    assert digest_of(file) == hashlib.sha256((folder / name).read_bytes()).hexdigest()


def test_bom_names_a_pinned_boto3(pinned):
    bom = json.loads((pinned / AWS.bom_name("arm64")).read_text())
    assert names_of(bom) == installed(pinned / AWS.sdk_zip_name("arm64"))
    assert {"boto3", "botocore", "s3transfer"} <= of_type(bom, "library").keys()
