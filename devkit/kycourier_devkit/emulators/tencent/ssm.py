"""Emulates Secrets Manager (SSM): secrets with versions, per region.

https://cloud.tencent.com/document/product/1140 (API 2019-09-23). Parameters that only
the console shows are accepted and ignored.
"""

import re
from itertools import count
from typing import NamedTuple

from kycourier_devkit.emulators.tencent.api import Members, pick
from kycourier_devkit.emulators.tencent.tc3 import CallRefusedError

MAX_BYTES = 32 * 1024
FIRST_VERSION = "SSM_Current"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_FIRST_TIMESTAMP = 1_700_000_000


class Version(NamedTuple):
    """One value of a secret: text or Base64, and its creation as Unix time."""

    text: str | None
    binary: str | None
    created_at: int


class StoredSecret:
    """A secret: its status, and its versions by name."""

    def __init__(self) -> None:
        self.status = "Enabled"
        self.versions: dict[str, Version] = {}


class Ssm:
    """The service; `secrets` has region and name as key."""

    name, version = "ssm", "2019-09-23"

    def __init__(self) -> None:
        self.secrets: dict[tuple[str, str], StoredSecret] = {}
        self._timestamps = count(_FIRST_TIMESTAMP)

    def call(self, action: str, payload: Members, region: str) -> Members:
        """Performs one action on one secret. Raises CallRefusedError."""
        actions = {
            "CreateSecret": self._create,
            "DeleteSecret": self._delete,
            "DescribeSecret": self._describe,
            "DisableSecret": self._disable,
            "EnableSecret": self._enable,
            "GetSecretValue": self._get,
            "ListSecretVersionIds": self._list,
            "PutSecretValue": self._put,
            "UpdateSecret": self._update,
        }
        perform = pick(actions, action)
        name = payload.get("SecretName")
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise CallRefusedError("InvalidParameterValue", "SecretName")
        return {"SecretName": name, **perform(payload, (region, name))}

    def _create(self, payload: Members, at: tuple[str, str]) -> Members:
        if at in self.secrets:
            raise CallRefusedError("ResourceInUse.SecretExists", "the secret exists")
        version = payload.get("VersionId") or FIRST_VERSION
        secret = StoredSecret()
        secret.versions[_check(version)] = self._read(payload)
        self.secrets[at] = secret
        return {"VersionId": version}

    def _put(self, payload: Members, at: tuple[str, str]) -> Members:
        secret, version = self._find(at), _check(payload.get("VersionId"))
        if version in secret.versions:
            raise CallRefusedError(
                "ResourceInUse.VersionIdExists", "the version exists"
            )
        secret.versions[version] = self._read(payload)
        return {"VersionId": version}

    def _update(self, payload: Members, at: tuple[str, str]) -> Members:
        secret, version = self._find(at), _check(payload.get("VersionId"))
        created_at = _pick(secret, version).created_at
        secret.versions[version] = self._read(payload)._replace(created_at=created_at)
        return {"VersionId": version}

    def _get(self, payload: Members, at: tuple[str, str]) -> Members:
        secret, version = self._find(at), _check(payload.get("VersionId"))
        if secret.status == "Disabled":
            raise CallRefusedError("ResourceUnavailable.ResourceDisabled", "disabled")
        if secret.status == "PendingDelete":
            raise CallRefusedError(
                "ResourceUnavailable.ResourcePendingDeleted", "to be deleted"
            )
        found = _pick(secret, version)
        value = {"SecretString": found.text or "", "SecretBinary": found.binary or ""}
        return {"VersionId": version, **value}

    def _list(self, _: Members, at: tuple[str, str]) -> Members:
        versions = self._find(at).versions.items()
        listed = [{"VersionId": id_, "CreateTime": v.created_at} for id_, v in versions]
        return {"Versions": listed or None}

    def _describe(self, _: Members, at: tuple[str, str]) -> Members:
        return {"Status": self._find(at).status, "SecretType": 0}

    def _disable(self, _: Members, at: tuple[str, str]) -> Members:
        self._find(at).status = "Disabled"
        return {}

    def _enable(self, _: Members, at: tuple[str, str]) -> Members:
        self._find(at).status = "Enabled"
        return {}

    def _delete(self, payload: Members, at: tuple[str, str]) -> Members:
        secret = self._find(at)
        if payload.get("RecoveryWindowInDays"):
            secret.status = "PendingDelete"
        else:
            del self.secrets[at]
        return {}

    def _find(self, at: tuple[str, str]) -> StoredSecret:
        if at not in self.secrets:
            raise CallRefusedError("ResourceNotFound.SecretNotExist", "no such secret")
        return self.secrets[at]

    def _read(self, payload: Members) -> Version:
        """Reads the one value of a request: either text or Base64."""
        text, binary = payload.get("SecretString"), payload.get("SecretBinary")
        if bool(text) == bool(binary):
            raise CallRefusedError(
                "InvalidParameterValue", "SecretString or SecretBinary"
            )
        if len((text or binary or "").encode()) > MAX_BYTES:
            raise CallRefusedError("InvalidParameterValue", "the value is too large")
        return Version(text, binary, next(self._timestamps))


def _check(version: object) -> str:
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        raise CallRefusedError("InvalidParameterValue", "VersionId")
    return version


def _pick(secret: StoredSecret, version: str) -> Version:
    if version not in secret.versions:
        raise CallRefusedError("ResourceNotFound", "no such version")
    return secret.versions[version]
