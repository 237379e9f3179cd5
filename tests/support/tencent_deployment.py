"""Runs `kycourier deploy tencent` against an account in this process."""

import io
import zipfile
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from kycourier_devkit.cli.context import CliContext
from kycourier_devkit.cli.terminal import Terminal
from kycourier_devkit.deploy import zips
from kycourier_devkit.deploy.config.environments import build_environments
from kycourier_devkit.deploy.config.tencent_yml import read_config
from kycourier_devkit.deploy.context import DeploymentContext
from kycourier_devkit.deploy.run import plan_and_apply
from kycourier_devkit.deploy.zips import CodeDelivery, read_zips
from support.fakes import FakeClock
from support.tencent_account import BUS, EVIDENCE, NAME, REGION, ROLE, VPC, FakeAccount

ZIPS = (zips.FUNCTIONS_ZIP, zips.SERVICE_ZIP, zips.SDK_ZIP)


def secret_url(name: str) -> str:
    """Return a reference to a secret of the deployment."""
    return f"tencent-ssm://{NAME}-{name}?region={REGION}"


SETTINGS = {
    "KYCOURIER_APP_ID": "PARTNER1",
    "KYCOURIER_APP_SECRET": secret_url("app-secret"),
    "KYCOURIER_STATE": f"redis://kycourier@10.0.0.5?password={secret_url('redis')}",
    "KYCOURIER_EVIDENCE": f"cos://{EVIDENCE}/evidence?region={REGION}",
    "KYCOURIER_EVENTS": f"tencent-eb://{BUS}?region={REGION}",
    "KYCOURIER_FINGERPRINT_KEY": secret_url("fingerprint-key"),
    "KYCOURIER_API_KEYS": secret_url("api-keys"),
}
CONFIG: dict[str, Any] = {
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


class Deployer:
    """Deploys `config` from a folder, any number of times."""

    def __init__(self, folder: Path, account: FakeAccount) -> None:
        self.folder, self.account = folder, account
        self.clock = FakeClock()
        self.config = deepcopy(CONFIG)
        self.dist = folder / "dist"
        self.dist.mkdir(exist_ok=True)
        self.build(zips.FUNCTIONS_ZIP, refresh_ticket="1", sweep_orders="1")
        self.build(zips.SERVICE_ZIP, kycourier="1")
        self.build(zips.SDK_ZIP, tencentcloud="1")

    def build(self, name: str, **files: str) -> None:
        """Replace one of the zips."""
        (self.dist / name).write_bytes(build_zip(**files))

    def set(self, name: str, value: object) -> None:
        """Set the KYCOURIER_ setting of this name."""
        self.config["settings"][f"KYCOURIER_{name}"] = value

    def write_config(self) -> Path:
        """Write tencent.yml and return its path."""
        path = self.folder / "tencent.yml"
        path.write_text(yaml.safe_dump(self.config), encoding="utf-8")
        return path

    def open_context(self) -> DeploymentContext:
        """Open the deployment as the command does, on the fake account."""
        config = read_config(self.write_config())

        def upload(key: str, content: bytes) -> None:
            self.account.buckets.put(str(config.packages), config.region, key, content)

        environments = build_environments(config)
        return DeploymentContext(
            api=self.account,
            clock=self.clock,
            config=config,
            environments=environments,
            zips=read_zips(self.dist, with_sealing=environments.is_sealing),
            delivery=CodeDelivery(
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
    ) -> "CommandResult":
        """Deploy and return the exit code and output."""
        out, err = out or io.StringIO(), io.StringIO()
        self.account.calls.clear()
        session = CliContext({}, self.folder, Terminal(out, err), self.clock)
        code = plan_and_apply(
            session,
            self.open_context(),
            buckets=self.account.buckets,
            is_sure=is_sure,
            only_plan=only_plan,
        )
        return CommandResult(code, out.getvalue(), err.getvalue())


class TtyStream(io.StringIO):
    """A stream that claims to be a terminal."""

    def isatty(self) -> bool:
        return True


@dataclass
class CommandResult:
    """A command's exit code and output."""

    code: int
    out: str
    err: str

    def planned(self, *marks: str) -> list[str]:
        """Return the plan's lines with one of these marks, blanks collapsed."""
        whole = self.out.replace("\n" + " " * 21, " ")
        lines = [" ".join(line.split()) for line in whole.splitlines()]
        return [line for line in lines if line.split(" ")[0] in marks]
