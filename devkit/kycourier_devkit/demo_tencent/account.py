"""An account of Tencent Cloud on loopback: what a person makes in it beforehand.

Its API and COS verify every signature, refuse what a key may not do, and know the role
by the temporary credentials of this moment alone.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count

from kycourier.adapters.system import draw_key
from kycourier_devkit.deploy.access import Access, read_access
from kycourier_devkit.deploy.api import CallRefused, SdkApi
from kycourier_devkit.scf_runtime.deployment import APP_ID, REGION
from kycourier_devkit.scf_runtime.events import TOPIC
from kycourier_devkit.session import Session
from kycourier_devkit.stand_ins.tencent import scf
from kycourier_devkit.stand_ins.tencent.api import TencentApi
from kycourier_devkit.stand_ins.tencent.cos import Cos
from kycourier_devkit.stand_ins.tencent.eb import EventBridge
from kycourier_devkit.stand_ins.tencent.ssm import Ssm
from kycourier_devkit.stand_ins.tencent.tc3 import Key

NAME = ROLE = "kycourier-demo"
EVIDENCE, PACKAGES = f"kycourier-evidence-{APP_ID}", f"kycourier-packages-{APP_ID}"
VPC, SUBNET, INSTANCE = "vpc-a1b2c3d4", "subnet-a1b2c3d4", "ckafka-a1b2c3d4"

FUNCTIONS_MAY = frozenset(  # docs/tencent.md, Rights
    {"ssm:GetSecretValue", "ssm:ListSecretVersionIds", "eb:GetEventBus", "eb:PutEvents"}
    | {"cos:GetObject", "cos:HeadObject", "cos:PutObject", "cos:GetBucket"}
)
DEPLOYER_MAY = frozenset(
    {f"scf:{verb}Function" for verb in ("Get", "Create")}
    | {f"scf:UpdateFunction{what}" for what in ("Code", "Configuration")}
    | {f"scf:{verb}FunctionEventInvokeConfig" for verb in ("Get", "Update")}
    | {f"scf:{verb}ReservedConcurrencyConfig" for verb in ("Get", "Put")}
    | {"scf:ListTriggers", "scf:CreateTrigger", "scf:UpdateTrigger"}
    | {"scf:ListLayerVersions", "scf:GetLayerVersion", "scf:PublishLayerVersion"}
    | {"scf:ListNamespaces", "scf:CreateNamespace", "cam:PassRole"}
    | {f"ssm:{verb}Secret" for verb in ("Describe", "Create", "Update")}
    | {"ssm:ListSecretVersionIds", "eb:GetEventBus"}
    | {"cos:GetBucket", "cos:HeadObject", "cos:PutObject"}
)


class Account:
    """The operator's keys, the role's, and the services that know them."""

    def __init__(self, moto: str) -> None:
        """`moto` is the URL of the S3 that COS is made of."""
        self._numbers, self._keys = count(1), list[Key]()
        self._operator = self._draw("operator", DEPLOYER_MAY | FUNCTIONS_MAY)
        self._role = self._draw_temporary()
        self.cos = Cos(moto, [])
        self.ssm, self.eb = Ssm(), EventBridge()
        for name in (EVIDENCE, PACKAGES):
            self.cos.make_bucket(name)
        made = self.eb.call("CreateEventBus", {"EventBusName": NAME}, REGION)
        self.bus = str(made["EventBusId"])
        beforehand = scf.Account(
            {ROLE}, {(VPC, SUBNET)}, {f"{INSTANCE}-{TOPIC}"}, self._fetch
        )
        self.scf = scf.ScfService(beforehand, polls=0)
        self.api = TencentApi([], [self.scf, self.ssm, self.eb])
        self._know(self._role)

    def close(self) -> None:
        """Serve no more."""
        self.api.close()
        self.cos.close()

    def operator_environ(self) -> dict[str, str]:
        """Give the environment that leads a command here, as the operator."""
        return self._environ(self._operator)

    def role_environ(self) -> dict[str, str]:
        """Give what SCF adds to a function's variables now: the role's credentials."""
        return self._environ(self._role)

    def renew_role(self) -> None:
        """Put new credentials of the role in place of those before."""
        self._role = self._draw_temporary()
        self._know(self._role)

    @contextmanager
    def denied(self, *actions: str) -> Iterator[None]:
        """Take permissions of the role's away for a while (`cos:PutObject`)."""
        self._know(self._role._replace(denied=frozenset(actions)))
        try:
            yield
        finally:
            self._know(self._role)

    def refuses(self, environ: Mapping[str, str], session: Session) -> bool:
        """Tell whether the keys of an environment are refused."""
        api = SdkApi(read_access(environ), region=REGION, clock=session.clock)
        try:
            api.call("eb", "GetEventBus", {"EventBusId": self.bus})
        except CallRefused as refused:
            return refused.is_one_of("AuthFailure")
        return False

    def secrets(self) -> list[str]:
        """Give every key and token that there ever was, and what SSM keeps."""
        drawn = [text for key in self._keys for text in (key.secret_key, key.token)]
        kept = [
            version.text
            for secret in self.ssm.secrets.values()
            for version in secret.versions.values()
        ]
        return [text for text in [*drawn, *kept] if text and text.strip()]

    def _environ(self, key: Key) -> dict[str, str]:
        return Access(
            secret_id=key.secret_id,
            secret_key=key.secret_key,
            token=key.token,
            endpoints={"": self.api.url, "cos": self.cos.url},
        ).environ()

    def _know(self, role: Key) -> None:
        for front in (self.api, self.cos):
            front.renew(self._operator, role)

    def _draw_temporary(self) -> Key:
        return self._draw("role", FUNCTIONS_MAY, token=draw_key().reveal())

    def _draw(
        self, whose: str, may: frozenset[str], *, token: str | None = None
    ) -> Key:
        name = f"AKID{whose}{next(self._numbers)}"
        self._keys.append(Key(name, draw_key().reveal(), token, allowed=may))
        return self._keys[-1]

    def _fetch(self, bucket: str, key: str) -> bytes | None:
        """Read a zip as SCF does, which is told the bucket without the APPID."""
        return self.cos.read(f"{bucket}-{APP_ID}", key)
