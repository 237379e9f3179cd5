"""What the demo's tencent.yml says: names of what is made beforehand, and settings."""

from collections.abc import Mapping

from kycourier_devkit.demo_tencent.account import (
    EVIDENCE,
    INSTANCE,
    NAME,
    PACKAGES,
    ROLE,
    SUBNET,
    VPC,
)
from kycourier_devkit.sandbox import APP_ID
from kycourier_devkit.scf_runtime.deployment import REGION
from kycourier_devkit.scf_runtime.events import TOPIC

FIRST_SWEEP_SECONDS = 1
EVIDENCE_URI = f"cos://{EVIDENCE}/evidence"


def build_wanted(*, bus: str, kyc_url: str, redis_url: str) -> Mapping[str, object]:
    """Build it, with what lies elsewhere each time."""

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
