"""A deployment to a Tencent Cloud of the test's own, in this process."""

import hashlib
import io
import zipfile
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from fakes import FakeClock
from kycourier_devkit.deploy import zips
from kycourier_devkit.deploy.api import CallRefused
from kycourier_devkit.deploy.config import read_config
from kycourier_devkit.deploy.environments import build_environments
from kycourier_devkit.deploy.run import carry_out
from kycourier_devkit.deploy.site import Site
from kycourier_devkit.deploy.zips import Delivery, read_zips
from kycourier_devkit.screen import Screen
from kycourier_devkit.session import Session
from kycourier_devkit.stand_ins.tencent.eb import EventBridge
from kycourier_devkit.stand_ins.tencent.scf import Account, ScfService
from kycourier_devkit.stand_ins.tencent.ssm import Ssm
from kycourier_devkit.stand_ins.tencent.tc3 import Refusal

REGION, NAME, ROLE = "ap-guangzhou", "kyc-prod", "kycourier-prod"
TOPIC, VPC = "ckafka-a1b2c3d4-orders", ("vpc-a1b2c3d4", "subnet-a1b2c3d4")
BUS, EVIDENCE, PACKAGES = "eb-a1b2c3d4", "evidence-1250000000", "packages-1250000000"


def secret(name: str) -> str:
    """Refer to a secret of the deployment."""
    return f"tencent-ssm://{NAME}-{name}?region={REGION}"


SETTINGS = {
    "KYCOURIER_APP_ID": "PARTNER1",
    "KYCOURIER_APP_SECRET": secret("app-secret"),
    "KYCOURIER_STATE": f"redis://kycourier@10.0.0.5?password={secret('redis')}",
    "KYCOURIER_EVIDENCE": f"cos://{EVIDENCE}/evidence?region={REGION}",
    "KYCOURIER_EVENTS": f"tencent-eb://{BUS}?region={REGION}",
    "KYCOURIER_FINGERPRINT_KEY": secret("fingerprint-key"),
    "KYCOURIER_API_KEYS": secret("api-keys"),
}
WANTED: dict[str, Any] = {
    "region": REGION,
    "name": NAME,
    "role": ROLE,
    "vpc": {"id": VPC[0], "subnet": VPC[1]},
    "queue": {"instance": "ckafka-a1b2c3d4", "topic": "orders"},
    "settings": SETTINGS,
}


def build_zip(**files: str) -> bytes:
    """Build a small zip."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(f"{name}.py"), text)
    return packed.getvalue()


class Objects:
    """COS's buckets and what lies in them."""

    def __init__(self) -> None:
        self.kept: dict[str, dict[str, bytes]] = {EVIDENCE: {}, PACKAGES: {}}

    def problem(self, name: str, region: str) -> str | None:
        return None if name in self.kept and region == REGION else "no such bucket"

    def put(self, name: str, region: str, key: str, content: bytes) -> None:
        assert region == REGION
        self.kept[name][key] = content

    def fetch(self, bucket: str, key: str) -> bytes | None:
        return self.kept.get(f"{bucket}-1250000000", {}).get(key)


Meddle = Callable[..., None]


@dataclass
class Cloud:
    """All of it. `meddle` is told each call before and after it is done."""

    polls: int = 1
    meddle: Meddle = lambda _call, *, is_done: None  # noqa: ARG005 - as it is told
    calls: list[str] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.objects, self.ssm, self.eb = Objects(), Ssm(), EventBridge()
        self.eb.buses[REGION, BUS] = "kycourier"
        account = Account({ROLE}, {VPC}, {TOPIC}, self.objects.fetch)
        self.scf = ScfService(account, polls=self.polls)

    def call(
        self,
        service: str,
        action: str,
        payload: dict[str, Any],
        *,
        region: str | None = None,
    ) -> dict[str, Any]:
        """Call it as the SDK would, without the wire."""
        named = f"{service}:{action}"
        self.calls.append(named)
        self.requests.append(payload)
        self.meddle(named, is_done=False)
        known = {"scf": self.scf, "ssm": self.ssm, "eb": self.eb}
        try:
            told = known[service].call(action, payload, region or REGION)
        except Refusal as refusal:
            code = refusal.code
        else:
            self.meddle(named, is_done=True)
            return told
        raise CallRefused(named, code)

    def secrets(self) -> dict[str, dict[str, Any]]:
        """Give each secret's versions."""
        return {name: kept.versions for (_, name), kept in self.ssm.secrets.items()}

    def secret(self, short: str) -> str:
        """Give the text of a secret of the deployment."""
        return self.secrets()[f"{NAME}-{short}"]["SSM_Current"].text

    def writes(self) -> list[str]:
        """Give the calls that change something."""
        reads = ("Get", "List", "Describe")
        return [
            call for call in self.calls if not call.partition(":")[2].startswith(reads)
        ]

    def tell(self) -> Mapping[str, Any]:
        """Tell everything that is there, keys that were drawn apart."""
        return {
            "functions": dict(self._functions()),
            "layers": {
                name: [(each.members, _digest(each.content)) for each in versions]
                for name, versions in self.scf.layers.versions.items()
            },
            "secrets": {
                name: {
                    version: len(kept or "") for version, (kept, *_) in there.items()
                }
                for name, there in self.secrets().items()
            },
            "objects": {name: sorted(kept) for name, kept in self.objects.kept.items()},
        }

    def _functions(self) -> Iterator[tuple[str, Any]]:
        for (_, name), made in self.scf.functions.items():
            yield (
                name,
                {
                    "members": made.members,
                    "code": _digest(made.content),
                    "triggers": made.triggers,
                    "retries": made.retries,
                    "reserved": made.reserved,
                },
            )


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class Deployer:
    """Who deploys from a folder, again and again."""

    def __init__(self, folder: Path, cloud: Cloud) -> None:
        self.folder, self.cloud = folder, cloud
        self.clock = FakeClock()
        self.wanted = deepcopy(WANTED)
        self.dist = folder / "dist"
        self.dist.mkdir(exist_ok=True)
        self.build(zips.FUNCTIONS_ZIP, refresh_ticket="1", sweep_orders="1")
        self.build(zips.SERVICE_ZIP, kycourier="1")
        self.build(zips.SDK_ZIP, tencentcloud="1")

    def build(self, name: str, **files: str) -> None:
        """Build one of the zips anew."""
        (self.dist / name).write_bytes(build_zip(**files))

    def write(self) -> Path:
        """Write the file; give its path."""
        path = self.folder / "tencent.yml"
        path.write_text(yaml.safe_dump(self.wanted), encoding="utf-8")
        return path

    def site(self) -> Site:
        """Open the deployment as the command does, but for the wire."""
        config = read_config(self.write())

        def upload(key: str, content: bytes) -> None:
            self.cloud.objects.put(str(config.packages), config.region, key, content)

        return Site(
            api=self.cloud,
            clock=self.clock,
            config=config,
            environments=build_environments(config),
            zips=read_zips(self.dist),
            delivery=Delivery(
                bucket=config.packages, region=config.region, upload=upload
            ),
            layers={},
        )

    def run(
        self,
        *,
        is_sure: bool = True,
        only_plan: bool = False,
        out: io.StringIO | None = None,
    ) -> "Ran":
        """Deploy; give what it said."""
        out, err = out or io.StringIO(), io.StringIO()
        self.cloud.calls.clear()
        self.cloud.requests.clear()
        session = Session({}, self.folder, Screen(out, err), self.clock)
        code = carry_out(
            session,
            self.site(),
            buckets=self.cloud.objects,
            is_sure=is_sure,
            only_plan=only_plan,
        )
        return Ran(code, out.getvalue(), err.getvalue())


class Terminal(io.StringIO):
    """A stream that a person watches, or types into."""

    def isatty(self) -> bool:
        return True


@dataclass
class Ran:
    """What a run left: its exit code and both streams."""

    code: int
    out: str
    err: str

    def planned(self, *marks: str) -> list[str]:
        """Give the plan's lines that begin with one of the marks, blanks made one."""
        whole = self.out.replace("\n" + " " * 21, " ")
        lines = [" ".join(line.split()) for line in whole.splitlines()]
        return [line for line in lines if line.split(" ")[0] in marks]
