"""A Tencent Cloud account in this process: emulated SCF, SSM, EventBridge and COS."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kycourier_devkit.deploy.tencent.api import ApiError
from kycourier_devkit.emulators.tencent.eventbridge import EventBridge
from kycourier_devkit.emulators.tencent.scf import (
    Function,
    ScfPrerequisites,
    ScfService,
)
from kycourier_devkit.emulators.tencent.ssm import Ssm
from kycourier_devkit.emulators.tencent.tc3 import CallRefusedError

REGION, NAME, ROLE = "ap-guangzhou", "kyc-prod", "kycourier-prod"
TOPIC, VPC = "ckafka-a1b2c3d4-orders", ("vpc-a1b2c3d4", "subnet-a1b2c3d4")
BUS, EVIDENCE, PACKAGES = "eb-a1b2c3d4", "evidence-1250000000", "packages-1250000000"

OnCall = Callable[..., None]


class FakeBuckets:
    """COS buckets in memory, in place of `Buckets`."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, bytes]] = {EVIDENCE: {}, PACKAGES: {}}

    def find_problem(self, name: str, region: str) -> str | None:
        exists = name in self.objects and region == REGION
        return None if exists else "no such bucket"

    def put(self, name: str, region: str, key: str, content: bytes) -> None:
        assert region == REGION
        self.objects[name][key] = content

    def fetch(self, bucket: str, key: str) -> bytes | None:
        return self.objects.get(f"{bucket}-1250000000", {}).get(key)


@dataclass
class FakeAccount:
    """An account that holds only the prerequisites; implements `Api`.

    `on_call` is called before and after each call, with `is_done`.
    """

    polls: int = 1
    on_call: OnCall = lambda _call, *, is_done: None  # noqa: ARG005 - the signature
    calls: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.buckets, self.ssm, self.eb = FakeBuckets(), Ssm(), EventBridge()
        self.eb.buses[REGION, BUS] = "kycourier"
        prerequisites = ScfPrerequisites({ROLE}, {VPC}, {TOPIC}, self.buckets.fetch)
        self.scf = ScfService(prerequisites, polls=self.polls)

    def call(
        self,
        service: str,
        action: str,
        payload: dict[str, Any],
        *,
        region: str | None = None,
    ) -> dict[str, Any]:
        """Call an emulator as the SDK would, without a connection."""
        named = f"{service}:{action}"
        self.calls.append(named)
        self.on_call(named, is_done=False)
        services = {"scf": self.scf, "ssm": self.ssm, "eb": self.eb}
        try:
            response = services[service].call(action, payload, region or REGION)
        except CallRefusedError as refusal:
            code = refusal.code
        else:
            self.on_call(named, is_done=True)
            return response
        raise ApiError(named, code)

    def secrets(self) -> dict[str, dict[str, Any]]:
        """Return each secret's versions."""
        return {name: kept.versions for (_, name), kept in self.ssm.secrets.items()}

    def secret(self, short: str) -> str:
        """Return the value of a secret of the deployment."""
        return self.secrets()[f"{NAME}-{short}"]["SSM_Current"].text

    def set_secret(self, action: str, name: str, text: str) -> None:
        """Call an action on a secret's current version, as a person would."""
        payload = {"SecretName": name, "VersionId": "SSM_Current", "SecretString": text}
        self.ssm.call(action, payload, REGION)

    def function(self, short: str) -> Function:
        """Return a function of the deployment."""
        return self.scf.functions["default", f"{NAME}-{short}"]

    def triggers(self, short: str) -> dict[str, int]:
        """Return whether each trigger of a function is enabled (1 or 0), by name."""
        triggers = self.function(short).triggers
        return {each["TriggerName"]: each["Enable"] for each in triggers}

    def writes(self) -> list[str]:
        """Return the calls that change something."""
        reads = ("Get", "List", "Describe")
        return [
            call for call in self.calls if not call.partition(":")[2].startswith(reads)
        ]

    def snapshot(self) -> Mapping[str, Any]:
        """Return all resources in a form that compares; secrets by length."""
        return {
            "functions": {
                name: {
                    "members": function.members,
                    "code": _digest(function.content),
                    "triggers": function.triggers,
                    "retries": function.retries,
                    "reserved": function.reserved,
                }
                for (_, name), function in self.scf.functions.items()
            },
            "layers": {
                name: [(each.members, _digest(each.content)) for each in versions]
                for name, versions in self.scf.layers.versions.items()
            },
            "secrets": {
                name: {
                    version: len(value or "")
                    for version, (value, *_) in versions.items()
                }
                for name, versions in self.secrets().items()
            },
            "objects": {
                name: sorted(objects) for name, objects in self.buckets.objects.items()
            },
        }


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
