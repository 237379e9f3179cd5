"""Secrets Manager (SSM) as its pages describe it: secrets with versions, per region.

https://cloud.tencent.com/document/product/1140 (API 2019-09-23). Of what a secret is
made with, what only the console shows is taken and dropped.
"""

import re
from itertools import count
from typing import Any, NamedTuple

from kycourier_devkit.stand_ins.tencent.tc3 import Refusal

MOST_BYTES = 32 * 1024
FIRST_VERSION = "SSM_Current"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_FIRST_MOMENT = 1_700_000_000
Members = dict[str, Any]


class Version(NamedTuple):
    """One value of a secret: text or Base64, and when it was made, in Unix seconds."""

    text: str | None
    binary: str | None
    made_at: int


class Kept:
    """A secret: its state, and its versions by their names."""

    def __init__(self) -> None:
        self.status = "Enabled"
        self.versions: dict[str, Version] = {}


class Ssm:
    """The service; `secrets` are by region and name."""

    name, version = "ssm", "2019-09-23"

    def __init__(self) -> None:
        self.secrets: dict[tuple[str, str], Kept] = {}
        self._moments = count(_FIRST_MOMENT)

    def call(self, action: str, payload: Members, region: str) -> Members:
        """Do one action on one secret. Raises Refusal."""
        actions = {
            "CreateSecret": self._create,
            "DeleteSecret": self._delete,
            "DescribeSecret": self._describe,
            "DisableSecret": self._disable,
            "EnableSecret": self._enable,
            "GetSecretValue": self._give,
            "ListSecretVersionIds": self._list,
            "PutSecretValue": self._put,
            "UpdateSecret": self._update,
        }
        if action not in actions:
            raise Refusal("InvalidAction", "the action does not exist")
        if not region:
            raise Refusal("MissingParameter", "Region")
        name = payload.get("SecretName")
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise Refusal("InvalidParameterValue", "SecretName")
        return {"SecretName": name, **actions[action](payload, (region, name))}

    def _create(self, payload: Members, at: tuple[str, str]) -> Members:
        if at in self.secrets:
            raise Refusal("ResourceInUse.SecretExists", "the secret exists")
        version = payload.get("VersionId") or FIRST_VERSION
        kept = Kept()
        kept.versions[_check(version)] = self._read(payload)
        self.secrets[at] = kept
        return {"VersionId": version}

    def _put(self, payload: Members, at: tuple[str, str]) -> Members:
        kept, version = self._find(at), _check(payload.get("VersionId"))
        if version in kept.versions:
            raise Refusal("ResourceInUse.VersionIdExists", "the version exists")
        kept.versions[version] = self._read(payload)
        return {"VersionId": version}

    def _update(self, payload: Members, at: tuple[str, str]) -> Members:
        kept, version = self._find(at), _check(payload.get("VersionId"))
        made_at = _pick(kept, version).made_at
        kept.versions[version] = self._read(payload)._replace(made_at=made_at)
        return {"VersionId": version}

    def _give(self, payload: Members, at: tuple[str, str]) -> Members:
        kept, version = self._find(at), _check(payload.get("VersionId"))
        if kept.status == "Disabled":
            raise Refusal("ResourceUnavailable.ResourceDisabled", "disabled")
        if kept.status == "PendingDelete":
            raise Refusal("ResourceUnavailable.ResourcePendingDeleted", "to be deleted")
        found = _pick(kept, version)
        told = {"SecretString": found.text or "", "SecretBinary": found.binary or ""}
        return {"VersionId": version, **told}

    def _list(self, _: Members, at: tuple[str, str]) -> Members:
        versions = self._find(at).versions.items()
        told = [{"VersionId": id_, "CreateTime": v.made_at} for id_, v in versions]
        return {"Versions": told or None}

    def _describe(self, _: Members, at: tuple[str, str]) -> Members:
        return {"Status": self._find(at).status, "SecretType": 0}

    def _disable(self, _: Members, at: tuple[str, str]) -> Members:
        self._find(at).status = "Disabled"
        return {}

    def _enable(self, _: Members, at: tuple[str, str]) -> Members:
        self._find(at).status = "Enabled"
        return {}

    def _delete(self, payload: Members, at: tuple[str, str]) -> Members:
        kept = self._find(at)
        if payload.get("RecoveryWindowInDays"):
            kept.status = "PendingDelete"
        else:
            del self.secrets[at]
        return {}

    def _find(self, at: tuple[str, str]) -> Kept:
        if at not in self.secrets:
            raise Refusal("ResourceNotFound.SecretNotExist", "no such secret")
        return self.secrets[at]

    def _read(self, payload: Members) -> Version:
        """Take the one value that is given: text or Base64, and never none."""
        text, binary = payload.get("SecretString"), payload.get("SecretBinary")
        if bool(text) == bool(binary):
            raise Refusal("InvalidParameterValue", "SecretString or SecretBinary")
        if len((text or binary or "").encode()) > MOST_BYTES:
            raise Refusal("InvalidParameterValue", "the value is too large")
        return Version(text, binary, next(self._moments))


def _check(version: object) -> str:
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        raise Refusal("InvalidParameterValue", "VersionId")
    return version


def _pick(kept: Kept, version: str) -> Version:
    if version not in kept.versions:
        raise Refusal("ResourceNotFound", "no such version")
    return kept.versions[version]
