"""Builds the demo's tencent.yml."""

from collections.abc import Mapping

from kycourier_devkit.demo.environments.environment import FIRST_SWEEP_SECONDS
from kycourier_devkit.emulators.scf_runtime.deployment import REGION
from kycourier_devkit.emulators.scf_runtime.events import TOPIC
from kycourier_devkit.emulators.tencent.account import (
    EVIDENCE,
    INSTANCE,
    NAME,
    PACKAGES,
    ROLE,
    SUBNET,
    VPC,
)
from kycourier_devkit.sandbox import APP_ID

EVIDENCE_URI = f"cos://{EVIDENCE}/evidence"


def build_config(*, bus: str, kyc_url: str, redis_url: str) -> Mapping[str, object]:
    """Builds the configuration; the arguments differ at each run."""

    def secret(name: str) -> str:
        return f"tencent-ssm://{NAME}-{name}?region={REGION}"

    return {
        "region": REGION,
        "name": NAME,
        "role": ROLE,
        "packages": PACKAGES,
        "vpc": {"id": VPC, "subnet": SUBNET},
        "queue": {"instance": INSTANCE, "topic": TOPIC},
        "settings": {
            "KYCOURIER_APP_ID": APP_ID,
            "KYCOURIER_APP_SECRET": secret("app-secret"),
            "KYCOURIER_KYC_URL": kyc_url,
            "KYCOURIER_STATE": redis_url,
            "KYCOURIER_EVIDENCE": f"{EVIDENCE_URI}?region={REGION}",
            "KYCOURIER_EVENTS": f"tencent-eb://{bus}?region={REGION}",
            "KYCOURIER_FINGERPRINT_KEY": secret("fingerprint-key"),
            "KYCOURIER_API_KEYS": secret("api-keys"),
            "KYCOURIER_FIRST_SWEEP_SECONDS": FIRST_SWEEP_SECONDS,
        },
    }
