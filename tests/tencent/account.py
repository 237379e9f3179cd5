"""An account of Tencent Cloud on loopback, and how the tests' adapters reach it."""

from contextlib import ExitStack, closing
from itertools import count

from canaries import MARK
from fakes import FakeClock
from kycourier.adapters.object_store import ObjectEvidenceStore
from kycourier.adapters.surroundings import Surroundings
from kycourier.adapters.tencent import places
from kycourier.ports import EventSink, SecretSource
from kycourier.setting_forms import Place
from kycourier_devkit.stand_ins.tencent.api import TencentApi
from kycourier_devkit.stand_ins.tencent.cos import Cos
from kycourier_devkit.stand_ins.tencent.eb import EventBridge
from kycourier_devkit.stand_ins.tencent.ssm import Ssm
from kycourier_devkit.stand_ins.tencent.tc3 import Key

REGION = "ap-guangzhou"
STATE = Place("redis", "localhost")
ROLE = Key("AKIDsynthetic1", f"{MARK}secret-key", f"{MARK}session/token+=")
RENEWED = Key("AKIDsynthetic2", f"{MARK}renewed-key", f"{MARK}renewed/token+=")
_numbers = count(1_250_000_000)


def role_environ(url: str, key: Key = ROLE) -> dict[str, str]:
    """Give the environment of a function whose role is bound, led to a stand-in."""
    return {
        "TENCENTCLOUD_ENDPOINT_URL": url,
        "TENCENTCLOUD_SECRETID": key.secret_id,
        "TENCENTCLOUD_SECRETKEY": key.secret_key,
        "TENCENTCLOUD_SESSIONTOKEN": key.token or "",
    }


def around(
    url: str, *, left: float | None = None, clock: FakeClock | None = None, **more: str
) -> Surroundings:
    """Lead an adapter to a stand-in; `left` are the invocation's seconds."""
    timed = {} if left is None else {"seconds_left": lambda: left}
    environ = {**role_environ(url), **more}
    return Surroundings(clock=clock or FakeClock(), environ=environ, **timed)


class Account:
    """Secrets and buses, behind one API that knows the role's key."""

    def __init__(self, *keys: Key) -> None:
        self.ssm, self.eb = Ssm(), EventBridge()
        self._stack = ExitStack()
        api = TencentApi(keys or [ROLE], [self.ssm, self.eb])
        self.api = self._stack.enter_context(closing(api))
        self.url = api.url

    def keep(self, value: str | bytes, name: str = "secret1", **more: str) -> None:
        """Make a secret, or another version of it, as a person does."""
        is_new = (REGION, name) not in self.ssm.secrets
        kind = "SecretBinary" if isinstance(value, bytes) else "SecretString"
        text = value.decode() if isinstance(value, bytes) else value
        asked = {"SecretName": name, "VersionId": "v1", kind: text, **more}
        self.ssm.call("CreateSecret" if is_new else "PutSecretValue", asked, REGION)

    def set(self, action: str, name: str = "secret1", **more: object) -> None:
        """Do another thing to a secret."""
        self.ssm.call(action, {"SecretName": name, **more}, REGION)

    def make_bus(self) -> str:
        """Make a bus, and give its id."""
        made = self.eb.call("CreateEventBus", {"EventBusName": "kycourier"}, REGION)
        return made["EventBusId"]

    def bodies(self) -> list[str]:
        """Give the bodies of all events that were taken."""
        return [taken.event["Data"] for taken in self.eb.taken]

    def close(self) -> None:
        self._stack.close()


def new_bucket(cos: Cos) -> str:
    """Make a bucket that no other test has, and give its name."""
    name = f"evidence-{next(_numbers)}"
    cos.make_bucket(name)
    return name


def open_evidence(
    url: str, where: str, *, left: float | None = None
) -> ObjectEvidenceStore:
    """Open `cos://where` in the region."""
    place = Place("cos", f"{where}?region={REGION}")
    opened = places.open_evidence(place, around(url, left=left), state=STATE)
    assert isinstance(opened, ObjectEvidenceStore)
    return opened


def open_secret(url: str, name: str = "secret1", query: str = "") -> SecretSource:
    place = Place("tencent-ssm", f"{name}?region={REGION}{query}")
    return places.open_secret(place, around(url))


def open_sink(url: str, bus: str) -> EventSink:
    place = Place("tencent-eb", f"{bus}?region={REGION}")
    return places.open_events(place, around(url))
