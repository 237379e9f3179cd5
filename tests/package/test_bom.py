"""The bill of materials names what the zips hold: no more, no less, and by digests."""

import hashlib
import json
import re
import uuid
import zipfile

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from built import PACKAGED, SETS
from kycourier import __version__
from kycourier_devkit.package.clouds import AWS
from kycourier_devkit.toolbox import ROOT

pytestmark = PACKAGED
IN_ZIP = re.compile(r"(?:python/)?([^/]+)-([^/-]+)\.dist-info/METADATA")


def installed(path):
    """Give names and versions of the distributions in a zip."""
    with zipfile.ZipFile(path) as archive:
        found = [IN_ZIP.fullmatch(name) for name in archive.namelist()]
    return {(m[1].replace("_", "-").lower(), m[2]) for m in found if m}


@pytest.fixture(params=[each.values for each in SETS], ids=[x.id for x in SETS])
def built_for(request):
    """Give a cloud and one of its architectures."""
    return request.param


@pytest.fixture
def folder(packages_of, built_for):
    return packages_of(built_for[0])


@pytest.fixture
def bom(folder, built_for):
    cloud, architecture = built_for
    return json.loads((folder / cloud.name_bom(architecture)).read_text())


def hashes_of(cloud):
    """Give the hashes of each library's locked wheels."""
    lock = (ROOT / cloud.sdk / "requirements.txt").read_text()
    blocks = re.findall(r"(?m)^([a-z0-9-]+)==((?:.*\\\n)+.*)", lock)
    return {
        name: set(re.findall(r"sha256:([0-9a-f]{64})", block)) for name, block in blocks
    }


def of_type(bom, kind):
    return {each["name"]: each for each in bom["components"] if each["type"] == kind}


def digest_of(component):
    [only] = component["hashes"]
    assert only["alg"] == "SHA-256"
    return only["content"]


def validate(bom):
    return JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bom))


def test_it_is_valid_cyclonedx(bom):
    assert validate(bom) is None
    assert validate(bom | {"bomFormat": "other"}) is not None
    assert validate(bom | {"serialNumber": "urn:uuid:1"}) is not None


def test_it_names_exactly_the_libraries_that_lie_in_the_zip(bom, folder, built_for):
    cloud, architecture = built_for
    named = {(e["name"], e["version"]) for e in of_type(bom, "library").values()}
    assert named == installed(folder / cloud.name_sdk_zip(architecture))
    assert len(named) == len(of_type(bom, "library")) > 10
    for name, version in named:
        assert of_type(bom, "library")[name]["purl"] == f"pkg:pypi/{name}@{version}"


def test_each_library_has_the_digest_of_a_locked_wheel_and_a_licence(bom, built_for):
    hashes = hashes_of(built_for[0])
    for name, each in of_type(bom, "library").items():
        assert digest_of(each) in hashes[name]
        [licence] = each["licenses"]
        assert licence.get("expression") or licence["license"]


def test_each_zip_of_a_function_is_named_by_its_digest(bom, folder, built_for):
    cloud, architecture = built_for
    zips = of_type(bom, "file")
    assert set(zips) == set(cloud.name_set(architecture))
    for name, each in zips.items():
        content = (folder / name).read_bytes()
        assert digest_of(each) == hashlib.sha256(content).hexdigest()


def test_what_is_linked_into_a_binary_is_named_where_its_wheel_tells(bom):
    libraries = of_type(bom, "library")
    linked = {
        name: {part["name"] for part in each.get("components", ())}
        for name, each in libraries.items()
    }
    assert {"object_store", "rustls", "ring"} <= linked["obstore"]
    assert linked["pybase64"] == {"base64"}


def test_everything_depends_on_what_is_named(bom):
    needs = {each["ref"]: each.get("dependsOn", []) for each in bom["dependencies"]}
    named = {each["bom-ref"] for each in bom["components"]}
    assert {ref for refs in needs.values() for ref in refs} <= named
    found, left = set(), ["kycourier"]
    while left:
        found.add(ref := left.pop())
        left += set(needs[ref]) - found
    assert found == named | {"kycourier"}  # nothing is in it that nothing needs


def test_it_is_of_this_release_and_of_no_moment(bom):
    ours = bom["metadata"].pop("component")
    assert (ours["name"], ours["version"]) == ("kycourier", __version__)
    assert bom["metadata"] == {}
    assert uuid.UUID(bom["serialNumber"]).version == 5  # of the zips' digests


def test_each_has_a_bill_of_its_own(packages_of):
    bills = [
        (packages_of(cloud) / cloud.name_bom(architecture)).read_text()
        for cloud, architecture in (each.values for each in SETS)
    ]
    serials = {json.loads(bill)["serialNumber"] for bill in bills}
    assert len(serials) == len(bills) == 3


def test_a_pinned_boto3_is_named_too(pinned):
    bom = json.loads((pinned / AWS.name_bom("arm64")).read_text())
    named = {(e["name"], e["version"]) for e in of_type(bom, "library").values()}
    assert {"boto3", "botocore", "s3transfer"} <= {name for name, _ in named}
    assert named == installed(pinned / AWS.name_sdk_zip("arm64"))
