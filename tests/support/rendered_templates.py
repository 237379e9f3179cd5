"""Renders template.yaml with SAM and serverless.yml with osls, in comparable forms."""

import hashlib
import re
import shutil
import zipfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from kycourier_devkit.emulators.aws import osls, sam
from kycourier_devkit.emulators.aws.cloudformation import evaluate
from kycourier_devkit.emulators.aws.stack_calls import StackCalls
from kycourier_devkit.repository import ROOT
from support.servers.emulators import EMULATOR_MARKS

# The first test may have to install a tool.
NEEDS_TOOLS = [*EMULATOR_MARKS, pytest.mark.timeout(900)]
APP_ID = {"AppId": "SANDBOX1"}
STACK = "kycourier-prod"  # the name that osls gives it
ZIPS = (
    *("functions", "service", "sdk-aws-arm64", "sdk-aws-x86_64"),
    *("sdk-sealing-arm64", "sdk-sealing-x86_64"),
)
_ADDED_BY_OSLS = ("ServerlessDeploymentBucket", "LambdaLayer")  # outputs and resources
_FRAMEWORK_KEYS = {"Metadata", "DependsOn", "Condition"}
_LAYER = re.compile(r"(Service|Sdk|Sealing)\w*LambdaLayer\w*")


def copy_project(folder: Path) -> Path:
    """Copy what is deployed, with small zips."""
    for name in ("serverless.yml", "template.yaml", ".checkov.yaml"):
        shutil.copy(ROOT / name, folder)
    (folder / "dist").mkdir()
    for name in ZIPS:
        with zipfile.ZipFile(folder / f"dist/{name}.zip", "w") as archive:
            archive.writestr(zipfile.ZipInfo("placeholder.txt"), name)
    return folder


class Renderer:
    """Renders the project in `folder` once for each set of parameters."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self.folder, self.environ = folder, environ
        self.bucket = f"code-{hashlib.sha1(str(folder).encode()).hexdigest()}"  # noqa: S324 - a name
        self._packaged = cache(self._package)
        self.sam, self._osls = cache(self._translate), cache(self._render)

    def osls(self, **parameters: str) -> dict[str, Any]:
        """Return serverless.yml as osls renders it to CloudFormation."""
        return self._osls(**parameters)[0]

    def passed_parameters(self, **parameters: str) -> dict[str, str]:
        """Return the parameters that osls passes to CloudFormation."""
        service = self._osls(**parameters)[1]
        return {
            each["ParameterKey"]: each["ParameterValue"]
            for each in service["provider"]["stackParameters"]
        }

    def resolve(self, tool: str, **parameters: str) -> dict[str, Any]:
        """Return a template with resolved parameters, in comparable form."""
        values, known = APP_ID | parameters, {"AWS::StackName": STACK}
        if tool == "sam":
            return comparable(evaluate(self.sam(), values, known=known), self._hashes())
        early = {"Architecture", "UpstreamCap"} & parameters.keys()  # osls needs them
        template = self.osls(**{name: parameters[name] for name in sorted(early)})
        return comparable(evaluate(template, values, known=known), {})

    def _package(self) -> str:
        StackCalls(STACK, self.environ).create_bucket(self.bucket)
        return sam.package(self.environ, project=self.folder, bucket=self.bucket)

    def _translate(self, **parameters: str) -> dict[str, Any]:
        """Return template.yaml as AWS transforms it to CloudFormation."""
        return sam.translate(self._packaged(), APP_ID | parameters)

    def _render(self, **parameters: str) -> tuple[dict[str, Any], dict[str, Any]]:
        values = APP_ID | parameters
        osls.run("package", values, project=self.folder, environ=self.environ)
        return osls.read_package(self.folder)

    def _hashes(self) -> dict[str, str]:
        """Return the zips' names by the names that `sam package` gives them."""
        zips = [self.folder / f"dist/{name}.zip" for name in ZIPS]
        return {
            hashlib.md5(path.read_bytes()).hexdigest(): path.name  # noqa: S324 - SAM's
            for path in zips
        }


def comparable(template: Mapping[str, Any], zips: Mapping[str, str]) -> dict[str, Any]:
    """Remove the framework's own parts; unify the names of layers and zips."""
    resources = {
        _layer_name(logical): _resource(resource, zips)
        for logical, resource in template["Resources"].items()
        if not logical.startswith(_ADDED_BY_OSLS[0])
    }
    functions = of_type("AWS::Lambda::Function", resources).values()
    if not any("${SealingLayer}" in each["Layers"] for each in functions):
        resources.pop("SealingLayer", None)  # osls cannot make a layer on a condition
    outputs = {
        name: _texts(each["Value"])
        for name, each in template["Outputs"].items()
        if not any(own in name for own in _ADDED_BY_OSLS)
    }
    return {"Resources": resources, "Outputs": outputs}


def differences(one: object, other: object, path: str = "") -> list[str]:
    """Return the path of every difference between two rendered templates."""
    if isinstance(one, dict) and isinstance(other, dict):
        names = sorted(one.keys() | other.keys())
        return [
            found
            for name in names
            for found in differences(one.get(name), other.get(name), f"{path}/{name}")
        ]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [
            found
            for at, (left, right) in enumerate(zip(one, other, strict=True))
            for found in differences(left, right, f"{path}/{at}")
        ]
    return [] if one == other else [path]


def of_type(kind: str, resources: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the properties of the resources of one type, by logical id."""
    return {
        logical: resource["Properties"]
        for logical, resource in resources.items()
        if resource["Type"] == kind
    }


def permissions(role: Mapping[str, Any]) -> set[tuple[str, str, str]]:
    """Return what a role allows, as action, resource and condition."""
    return {
        (action, resource, str(statement.get("Condition", "")))
        for policy in role["Properties"]["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
        for action in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    }


def as_list(value: Any) -> list[Any]:
    """Return a policy's value, which may be a list or one item, as a list."""
    return value if isinstance(value, list) else [value]


def _resource(resource: Mapping[str, Any], zips: Mapping[str, str]) -> dict[str, Any]:
    kept = {
        name: each for name, each in resource.items() if name not in _FRAMEWORK_KEYS
    }
    if kept.get("DeletionPolicy") == "Delete":
        del kept["DeletionPolicy"]  # the default
    properties = dict(kept.get("Properties", {}))
    if resource["Type"].startswith("AWS::Lambda::"):
        properties.pop("Tags", None)  # added by SAM
    for name in ("Code", "Content"):
        if name in properties:
            file = properties[name]["S3Key"].rpartition("/")[2]
            properties[name] = zips.get(file, file)
    if resource["Type"] == "AWS::IAM::Role":
        properties["Policies"] = sorted(permissions(resource))
    return {**kept, "Properties": _texts(properties)}


def _texts(value: Any) -> Any:
    """Return scalars as CloudFormation's text, and layers by unified names."""
    if isinstance(value, dict):
        return {name: _texts(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_texts(each) for each in value]
    if isinstance(value, bool):
        return str(value).lower()
    return _LAYER.sub(lambda found: _layer_name(found[0]), str(value))


def _layer_name(logical: str) -> str:
    found = _LAYER.fullmatch(logical)
    return f"{found[1]}Layer" if found else logical
