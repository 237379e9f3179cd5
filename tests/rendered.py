"""Both templates rendered by their tools, in forms that compare."""

import hashlib
import re
import shutil
import zipfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from kycourier_devkit.stand_ins import osls, sam
from kycourier_devkit.stand_ins.cloudformation import settle
from kycourier_devkit.stand_ins.stack_calls import StackCalls
from kycourier_devkit.toolbox import ROOT
from stand_ins import IN_CLOUD

# The first to come may have to install a tool.
BY_TOOLS = [*IN_CLOUD, pytest.mark.timeout(900)]
APP_ID = {"AppId": "SANDBOX1"}
STACK = "kycourier-prod"  # osls's name for it
ZIPS = ("functions", "service", "sdk-aws-arm64", "sdk-aws-x86_64")
OSLS_OWN = ("ServerlessDeploymentBucket", "LambdaLayer")  # outputs and resources
_FRAMEWORK = {"Metadata", "DependsOn", "Condition"}
_LAYER = re.compile(r"(Service|Sdk)\w*LambdaLayer\w*")


def copy_project(folder: Path) -> Path:
    """Copy what is deployed, with zips that hold a word each."""
    for name in ("serverless.yml", "template.yaml", ".checkov.yaml"):
        shutil.copy(ROOT / name, folder)
    (folder / "dist").mkdir()
    for name in ZIPS:
        with zipfile.ZipFile(folder / f"dist/{name}.zip", "w") as archive:
            archive.writestr(zipfile.ZipInfo("placeholder.txt"), name)
    return folder


class Renderer:
    """Renders the project in `folder`; what was rendered once is kept."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self.folder, self.environ = folder, environ
        self.bucket = f"code-{hashlib.sha1(str(folder).encode()).hexdigest()}"  # noqa: S324 - a name
        self._packaged = cache(self._package)
        self._translated, self._osls = cache(self._translate), cache(self._render)

    def sam(self, **parameters: str) -> dict[str, Any]:
        """Give the CloudFormation that AWS makes of template.yaml."""
        return self._translated(tuple((APP_ID | parameters).items()))

    def osls(self, **parameters: str) -> dict[str, Any]:
        """Give the CloudFormation that osls makes of serverless.yml."""
        return self._osls(tuple((APP_ID | parameters).items()))[0]

    def handed_on(self, **parameters: str) -> dict[str, str]:
        """Give the parameters that osls hands on to CloudFormation."""
        service = self._osls(tuple((APP_ID | parameters).items()))[1]
        return {
            each["ParameterKey"]: each["ParameterValue"]
            for each in service["provider"]["stackParameters"]
        }

    def settled(self, tool: str, **parameters: str) -> dict[str, Any]:
        """Give what a template comes to, in the form that compares."""
        given, known = APP_ID | parameters, {"AWS::StackName": STACK}
        if tool == "sam":
            return comparable(settle(self.sam(), given, known=known), self._hashes())
        early = {"Architecture", "UpstreamCap"} & parameters.keys()  # osls needs them
        template = self.osls(**{name: parameters[name] for name in sorted(early)})
        return comparable(settle(template, given, known=known), {})

    def _package(self) -> str:
        StackCalls(STACK, self.environ).make_bucket(self.bucket)
        return sam.package(self.environ, project=self.folder, bucket=self.bucket)

    def _translate(self, given: tuple[tuple[str, str], ...]) -> dict[str, Any]:
        return sam.translate(self._packaged(), dict(given))

    def _render(
        self, given: tuple[tuple[str, str], ...]
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        osls.run("package", dict(given), project=self.folder, environ=self.environ)
        return osls.read_package(self.folder)

    def _hashes(self) -> dict[str, str]:
        """Give the names that `sam package` gave to the zips' content."""
        zips = [self.folder / f"dist/{name}.zip" for name in ZIPS]
        return {
            hashlib.md5(path.read_bytes()).hexdigest(): path.name  # noqa: S324 - SAM's
            for path in zips
        }


def comparable(settled: Mapping[str, Any], zips: Mapping[str, str]) -> dict[str, Any]:
    """Leave out what is the framework's own; name layers and zips alike."""
    resources = {
        _layer_name(logical): _resource(made, zips)
        for logical, made in settled["Resources"].items()
        if not logical.startswith(OSLS_OWN[0])
    }
    outputs = {
        name: _texts(each["Value"])
        for name, each in settled["Outputs"].items()
        if not any(own in name for own in OSLS_OWN)
    }
    return {"Resources": resources, "Outputs": outputs}


def differences(one: object, other: object, path: str = "") -> list[str]:
    """Name every place where two rendered templates differ."""
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


def permissions(role: Mapping[str, Any]) -> set[tuple[str, str, str]]:
    """Give what a role allows: each action on each resource under each condition."""
    return {
        (action, resource, str(statement.get("Condition", "")))
        for policy in role["Properties"]["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
        for action in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    }


def as_list(value: Any) -> list[Any]:
    """Give a policy's value as the list that it may be."""
    return value if isinstance(value, list) else [value]


def _resource(made: Mapping[str, Any], zips: Mapping[str, str]) -> dict[str, Any]:
    kept = {name: each for name, each in made.items() if name not in _FRAMEWORK}
    if kept.get("DeletionPolicy") == "Delete":
        del kept["DeletionPolicy"]  # as without one
    properties = dict(kept.get("Properties", {}))
    if made["Type"].startswith("AWS::Lambda::"):
        properties.pop("Tags", None)  # SAM's own
    for name in ("Code", "Content"):
        if name in properties:
            file = properties[name]["S3Key"].rpartition("/")[2]
            properties[name] = zips.get(file, file)
    if made["Type"] == "AWS::IAM::Role":
        properties["Policies"] = sorted(permissions(made))
    return {**kept, "Properties": _texts(properties)}


def _texts(value: Any) -> Any:
    """Write scalars as CloudFormation reads them, and layers by their kind."""
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
