"""The bill of materials names what the zips hold: no more, no less, and by digests."""

import hashlib
import json
import re
import uuid
import zipfile

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from built import PACKAGED
from kycourier import __version__
from kycourier_devkit.package.bom import name_bom
from kycourier_devkit.package.build import ARCHITECTURES, name_sdk_zip, name_set
from kycourier_devkit.toolbox import ROOT

pytestmark = PACKAGED
LOCK = (ROOT / "layers/sdk_aws/requirements.txt").read_text()
HASHES = {
    name: set(re.findall(r"sha256:([0-9a-f]{64})", block))
    for name, block in re.findall(r"(?m)^([a-z0-9-]+)==((?:.*\\\n)+.*)", LOCK)
}
IN_ZIP = re.compile(r"python/([^/]+)-([^/-]+)\.dist-info/METADATA")


def installed(path):
    """Give names and versions of the distributions in a zip."""
    with zipfile.ZipFile(path) as archive:
        found = [IN_ZIP.fullmatch(name) for name in archive.namelist()]
    return {(m[1].replace("_", "-").lower(), m[2]) for m in found if m}


@pytest.fixture(params=ARCHITECTURES)
def architecture(request):
    return request.param


@pytest.fixture
def bom(packages, architecture):
    return json.loads((packages / name_bom(architecture)).read_text())


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


def test_it_names_exactly_the_libraries_that_lie_in_the_zip(
    bom, packages, architecture
):
    named = {(e["name"], e["version"]) for e in of_type(bom, "library").values()}
    assert named == installed(packages / name_sdk_zip(architecture))
    assert len(named) == len(of_type(bom, "library")) > 10
    for name, version in named:
        assert of_type(bom, "library")[name]["purl"] == f"pkg:pypi/{name}@{version}"


def test_each_library_has_the_digest_of_a_locked_wheel_and_a_licence(bom):
    for name, each in of_type(bom, "library").items():
        assert digest_of(each) in HASHES[name]
        [licence] = each["licenses"]
        assert licence.get("expression") or licence["license"]


def test_each_zip_of_a_function_is_named_by_its_digest(bom, packages, architecture):
    zips = of_type(bom, "file")
    assert set(zips) == set(name_set(architecture))
    for name, each in zips.items():
        content = (packages / name).read_bytes()
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


def test_architectures_have_bills_of_their_own(packages):
    bills = {(packages / name_bom(each)).read_text() for each in ARCHITECTURES}
    serials = {json.loads(bill)["serialNumber"] for bill in bills}
    assert len(bills) == len(serials) == 2


def test_a_pinned_boto3_is_named_too(pinned):
    bom = json.loads((pinned / name_bom("arm64")).read_text())
    named = {(e["name"], e["version"]) for e in of_type(bom, "library").values()}
    assert {"boto3", "botocore", "s3transfer"} <= {name for name, _ in named}
    assert named == installed(pinned / name_sdk_zip("arm64"))
