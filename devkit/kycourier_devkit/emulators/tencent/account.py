"""An account of Tencent Cloud on loopback, with what a person creates in it beforehand.

Its API and COS verify every signature, reject what a key does not permit, and accept
the role's current temporary credentials alone.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count

from kycourier.adapters.system import draw_key
from kycourier_devkit.cli.context import CliContext
from kycourier_devkit.deploy.tencent.api import ApiError, SdkApi
from kycourier_devkit.deploy.tencent.credentials import (
    DeployerCredentials,
    read_credentials,
)
from kycourier_devkit.emulators.scf_runtime.deployment import APP_ID, REGION
from kycourier_devkit.emulators.scf_runtime.events import TOPIC
from kycourier_devkit.emulators.tencent.api import TencentApi
from kycourier_devkit.emulators.tencent.cos import Cos
from kycourier_devkit.emulators.tencent.eventbridge import EventBridge
from kycourier_devkit.emulators.tencent.scf import ScfPrerequisites, ScfService
from kycourier_devkit.emulators.tencent.ssm import Ssm
from kycourier_devkit.emulators.tencent.tc3 import Key

NAME = ROLE = "kycourier-demo"
EVIDENCE, PACKAGES = f"kycourier-evidence-{APP_ID}", f"kycourier-packages-{APP_ID}"
VPC, SUBNET, INSTANCE = "vpc-a1b2c3d4", "subnet-a1b2c3d4", "ckafka-a1b2c3d4"

FUNCTION_PERMISSIONS = frozenset(  # docs/tencent.md
    {"ssm:GetSecretValue", "ssm:ListSecretVersionIds", "eb:GetEventBus", "eb:PutEvents"}
    | {"cos:GetObject", "cos:HeadObject", "cos:PutObject", "cos:GetBucket"}
)
DEPLOYER_PERMISSIONS = frozenset(
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


class TencentAccount:
    """The keys of operator and role, and the services that accept them."""

    def __init__(self, moto: str) -> None:
        """`moto` is the URL of the S3 that COS forwards to."""
        self._numbers, self._keys = count(1), list[Key]()
        self._operator = self._create_key(
            "operator", DEPLOYER_PERMISSIONS | FUNCTION_PERMISSIONS
        )
        self._role = self._create_temporary_key()
        self.cos = Cos(moto, [])
        self.ssm, self.eb = Ssm(), EventBridge()
        for name in (EVIDENCE, PACKAGES):
            self.cos.make_bucket(name)
        created = self.eb.call("CreateEventBus", {"EventBusName": NAME}, REGION)
        self.bus = str(created["EventBusId"])
        prerequisites = ScfPrerequisites(
            {ROLE}, {(VPC, SUBNET)}, {f"{INSTANCE}-{TOPIC}"}, self._fetch
        )
        self.scf = ScfService(prerequisites, polls=0)
        self.api = TencentApi([], [self.scf, self.ssm, self.eb])
        self._set_keys(self._role)

    def close(self) -> None:
        """Stops serving."""
        self.api.close()
        self.cos.close()

    def operator_environ(self) -> dict[str, str]:
        """Returns the operator's environment for commands."""
        return self._environ(self._operator)

    def role_environ(self) -> dict[str, str]:
        """Returns the variables of the role's current credentials, as SCF sets them."""
        return self._environ(self._role)

    def renew_role(self) -> None:
        """Replaces the role's credentials by new ones."""
        self._role = self._create_temporary_key()
        self._set_keys(self._role)

    @contextmanager
    def denied(self, *actions: str) -> Iterator[None]:
        """Denies actions (`cos:PutObject`) to the role within the block."""
        self._set_keys(self._role._replace(denied=frozenset(actions)))
        try:
            yield
        finally:
            self._set_keys(self._role)

    def rejects(self, environ: Mapping[str, str], session: CliContext) -> bool:
        """Returns whether the API rejects the keys of an environment."""
        api = SdkApi(read_credentials(environ), region=REGION, clock=session.clock)
        try:
            api.call("eb", "GetEventBus", {"EventBusId": self.bus})
        except ApiError as error:
            return error.is_one_of("AuthFailure")
        return False

    def secrets(self) -> list[str]:
        """Returns every key and token ever used, and all values in SSM."""
        keys = [text for key in self._keys for text in (key.secret_key, key.token)]
        stored = [
            version.text
            for secret in self.ssm.secrets.values()
            for version in secret.versions.values()
        ]
        return [text for text in [*keys, *stored] if text and text.strip()]

    def _environ(self, key: Key) -> dict[str, str]:
        return DeployerCredentials(
            secret_id=key.secret_id,
            secret_key=key.secret_key,
            token=key.token,
            endpoints={"": self.api.url, "cos": self.cos.url},
        ).environ()

    def _set_keys(self, role: Key) -> None:
        for server in (self.api, self.cos):
            server.renew(self._operator, role)

    def _create_temporary_key(self) -> Key:
        return self._create_key("role", FUNCTION_PERMISSIONS, token=draw_key().expose())

    def _create_key(
        self, owner: str, permissions: frozenset[str], *, token: str | None = None
    ) -> Key:
        name = f"AKID{owner}{next(self._numbers)}"
        self._keys.append(Key(name, draw_key().expose(), token, allowed=permissions))
        return self._keys[-1]

    def _fetch(self, bucket: str, key: str) -> bytes | None:
        """Reads a zip as SCF does, which takes the bucket's name without the APPID."""
        return self.cos.read(f"{bucket}-{APP_ID}", key)
