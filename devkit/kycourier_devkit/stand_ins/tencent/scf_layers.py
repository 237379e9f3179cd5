"""SCF's layers: versions that take a while to be published, and are never changed."""

import hashlib
from dataclasses import dataclass

from kycourier_devkit.stand_ins.tencent.scf_forms import (
    Fetch,
    Members,
    check_layer,
    demand,
    read_code,
)
from kycourier_devkit.stand_ins.tencent.tc3 import Refusal


@dataclass
class Layer:
    """One version of a layer."""

    members: Members
    content: bytes
    polls_left: int

    @property
    def is_active(self) -> bool:
        """Tell whether it is published."""
        return self.polls_left <= 0

    def tell(self) -> Members:
        """Give what the API tells of it."""
        return self.members | {"Status": "Active" if self.is_active else "Publishing"}


class Layers:
    """All layers. A new version is asked for `polls` times until it is published."""

    def __init__(self, polls: int) -> None:
        self.polls = polls
        self.versions: dict[str, list[Layer]] = {}

    def publish(self, payload: Members, fetch: Fetch) -> Members:
        """Publish a version; give its number. Raises Refusal."""
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
        """Find a version. Raises Refusal."""
        for layer in self.versions.get(name, []):
            if layer.members["LayerVersion"] == number:
                return layer
        raise Refusal("ResourceNotFound.LayerVersion")

    def tell(self, name: str, number: int) -> Members:
        """Tell of one version: each time, it is nearer to being published."""
        layer = self.find(name, number)
        layer.polls_left -= 1
        return layer.tell()

    def tell_all(self, name: str) -> Members:
        """Tell of all versions, the newest first. Raises Refusal."""
        demand(self.versions.get(name), "ResourceNotFound.Layer")
        return {"LayerVersions": [each.tell() for each in self.versions[name]][::-1]}
