"""Emulates SCF's layers: immutable versions whose publication takes a while."""

import hashlib
from dataclasses import dataclass

from kycourier_devkit.emulators.tencent.scf_parameters import (
    Fetch,
    Members,
    check_layer,
    read_code,
    require,
)
from kycourier_devkit.emulators.tencent.tc3 import CallRefusedError


@dataclass
class Layer:
    """One version of a layer."""

    members: Members
    content: bytes
    polls_left: int

    @property
    def is_active(self) -> bool:
        """Whether it is published."""
        return self.polls_left <= 0

    def describe(self) -> Members:
        """Returns the API's description."""
        return self.members | {"Status": "Active" if self.is_active else "Publishing"}


class Layers:
    """All layers. A new version is published after `polls` descriptions."""

    def __init__(self, polls: int) -> None:
        self.polls = polls
        self.versions: dict[str, list[Layer]] = {}

    def publish(self, payload: Members, fetch: Fetch) -> Members:
        """Publishes a version; returns its number. Raises CallRefusedError."""
        check_layer(payload)
        content = read_code(payload.get("Content") or {}, fetch)
        versions = self.versions.setdefault(payload["LayerName"], [])
        members = {
            "LayerName": payload["LayerName"],
            "LayerVersion": len(versions) + 1,
            "CompatibleRuntimes": payload["CompatibleRuntimes"],
            "Description": payload.get("Description") or "",
            "CodeSha256": hashlib.sha256(content).hexdigest(),
        }
        versions.append(Layer(members, content, self.polls))
        return {"LayerVersion": members["LayerVersion"]}

    def find(self, name: str, number: int) -> Layer:
        """Finds a version. Raises CallRefusedError."""
        for layer in self.versions.get(name, []):
            if layer.members["LayerVersion"] == number:
                return layer
        raise CallRefusedError("ResourceNotFound.LayerVersion")

    def describe(self, name: str, number: int) -> Members:
        """Describes one version, which counts as a poll. Raises CallRefusedError."""
        layer = self.find(name, number)
        layer.polls_left -= 1
        return layer.describe()

    def describe_all(self, name: str) -> Members:
        """Describes all versions, the newest first. Raises CallRefusedError."""
        require(self.versions.get(name), "ResourceNotFound.Layer")
        versions = [each.describe() for each in self.versions[name]]
        return {"LayerVersions": versions[::-1]}
