"""Tencent Cloud for a cold start: a Redis, its API, and a bucket, all on loopback."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager

from bench.environments import FINGERPRINT_KEY, SECRET
from bench.stage import Stage
from kycourier_devkit.stand_ins.servers import HOST, find_free_port, start_redis_node
from kycourier_devkit.stand_ins.tencent.api import TencentApi
from kycourier_devkit.stand_ins.tencent.eb import EventBridge
from kycourier_devkit.stand_ins.tencent.ssm import Ssm
from kycourier_devkit.stand_ins.tencent.tc3 import Key

REGION = "ap-guangzhou"
_KEY = Key("AKIDbench", "s" * 32, "t" * 32)
_SECRETS = {"app-secret": SECRET, "fingerprint-key": FINGERPRINT_KEY}


@contextmanager
def start_tencent(stage: Stage) -> Iterator[Mapping[str, str]]:
    """Start what a function finds there; give its settings. Raises ToolMissing."""
    port, (ssm, buses) = find_free_port(), (Ssm(), EventBridge())
    for name, value in _SECRETS.items():
        asked = {"SecretName": name, "VersionId": "v1", "SecretString": value}
        ssm.call("CreateSecret", asked, REGION)
    bus = buses.call("CreateEventBus", {"EventBusName": "bench"}, REGION)["EventBusId"]
    with ExitStack() as stack:
        api = stack.enter_context(closing(TencentApi([_KEY], [ssm, buses])))
        stack.enter_context(start_redis_node(stage.folder, port=port))
        yield {
            "TENCENTCLOUD_SECRETID": _KEY.secret_id,
            "TENCENTCLOUD_SECRETKEY": _KEY.secret_key,
            "TENCENTCLOUD_SESSIONTOKEN": _KEY.token or "",
            "TENCENTCLOUD_ENDPOINT_URL": api.url,
            "TENCENTCLOUD_ENDPOINT_URL_COS": stage.bucket.url,
            "KYCOURIER_STATE": f"redis://{HOST}:{port}",
            "KYCOURIER_EVIDENCE": f"cos://evidence-1250000000/kept?region={REGION}",
            "KYCOURIER_EVENTS": f"tencent-eb://{bus}?region={REGION}",
            "KYCOURIER_QUEUE": "none",
            "KYCOURIER_APP_SECRET": f"tencent-ssm://app-secret?region={REGION}",
            "KYCOURIER_FINGERPRINT_KEY": (
                f"tencent-ssm://fingerprint-key?region={REGION}"
            ),
        }
