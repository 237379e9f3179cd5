"""Tencent Cloud's API on loopback, and adapters that are opened on it."""

import json
from contextlib import ExitStack, closing
from itertools import count

from kycourier.adapters.context import AdapterContext
from kycourier.adapters.tencent import factory
from kycourier.ports import EventSink, EvidenceStore, SecretSource
from kycourier.settings.resource_url import ResourceUrl
from kycourier_devkit.emulators.tencent.api import TencentApi
from kycourier_devkit.emulators.tencent.cos import Cos
from kycourier_devkit.emulators.tencent.eventbridge import EventBridge
from kycourier_devkit.emulators.tencent.ssm import Ssm
from kycourier_devkit.emulators.tencent.tc3 import Key
from support.aws.aws_proxy import AWS_MESSAGE, Script, respond
from support.fakes import FakeClock
from support.leaks.canaries import MARK

REGION = "ap-guangzhou"
STATE = ResourceUrl("redis", "localhost")
ROLE = Key("AKIDsynthetic1", f"{MARK}secret-key", f"{MARK}session/token+=")
RENEWED = Key("AKIDsynthetic2", f"{MARK}renewed-key", f"{MARK}renewed/token+=")
_numbers = count(1_250_000_000)


def role_environ(url: str, key: Key = ROLE) -> dict[str, str]:
    """Return the environment of a function with a role, directed to an emulator."""
    return {
        "TENCENTCLOUD_ENDPOINT_URL": url,
        "TENCENTCLOUD_SECRETID": key.secret_id,
        "TENCENTCLOUD_SECRETKEY": key.secret_key,
        "TENCENTCLOUD_SESSIONTOKEN": key.token or "",
    }


def tencent_context(
    url: str, *, left: float | None = None, clock: FakeClock | None = None, **more: str
) -> AdapterContext:
    """Return an adapter's context for an emulator; `left` is in seconds."""
    timed = {} if left is None else {"seconds_left": lambda: left}
    environ = {**role_environ(url), **more}
    return AdapterContext(clock=clock or FakeClock(), environ=environ, **timed)


class TencentApiAccount:
    """Secrets and buses behind one API that accepts the role's key."""

    def __init__(self, *keys: Key) -> None:
        self.ssm, self.eb = Ssm(), EventBridge()
        self._stack = ExitStack()
        api = TencentApi(keys or [ROLE], [self.ssm, self.eb])
        self.api = self._stack.enter_context(closing(api))
        self.url = api.url

    def keep(self, value: str | bytes, name: str = "secret1", **more: str) -> None:
        """Create a secret, or another version of it."""
        is_new = (REGION, name) not in self.ssm.secrets
        kind = "SecretBinary" if isinstance(value, bytes) else "SecretString"
        text = value.decode() if isinstance(value, bytes) else value
        members = {"SecretName": name, "VersionId": "v1", kind: text, **more}
        self.ssm.call("CreateSecret" if is_new else "PutSecretValue", members, REGION)

    def set(self, action: str, name: str = "secret1", **more: object) -> None:
        """Perform another action on a secret."""
        self.ssm.call(action, {"SecretName": name, **more}, REGION)

    def make_bus(self) -> str:
        """Create a bus; returns its id."""
        created = self.eb.call("CreateEventBus", {"EventBusName": "kycourier"}, REGION)
        return created["EventBusId"]

    def bodies(self) -> list[str]:
        """Return the bodies of all accepted events."""
        return [taken.event["Data"] for taken in self.eb.taken]

    def close(self) -> None:
        self._stack.close()


def new_bucket(cos: Cos) -> str:
    """Create a bucket that no other test has; returns its name."""
    name = f"evidence-{next(_numbers)}"
    cos.make_bucket(name)
    return name


def open_evidence(url: str, where: str) -> EvidenceStore:
    resource = ResourceUrl("cos", f"{where}?region={REGION}")
    return factory.open_evidence(resource, tencent_context(url), state=STATE)


def open_secret(url: str, name: str = "secret1", query: str = "") -> SecretSource:
    resource = ResourceUrl("tencent-ssm", f"{name}?region={REGION}{query}")
    return factory.open_secret(resource, tencent_context(url))


def open_sink(url: str, bus: str) -> EventSink:
    resource = ResourceUrl("tencent-eb", f"{bus}?region={REGION}")
    return factory.open_events(resource, tencent_context(url))


def refuse_call(code: str, status: int = 200, kind: str = "application/json") -> Script:
    """Respond with an API error of a content type without forwarding the call."""
    error = {"Error": {"Code": code, "Message": AWS_MESSAGE}, "RequestId": "1"}
    body = json.dumps({"Response": error}).encode()
    return respond(status, body, ("Content-Type", kind))
