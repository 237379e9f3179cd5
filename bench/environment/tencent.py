"""Tencent Cloud for a cold start: a Redis, the cloud API and a bucket on loopback."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager

from bench.environment.bench_environment import BenchEnvironment
from bench.environment.function_settings import FINGERPRINT_KEY, SECRET
from kycourier_devkit.emulators.servers import HOST, find_free_port, start_redis_node
from kycourier_devkit.emulators.tencent.api import TencentApi
from kycourier_devkit.emulators.tencent.eventbridge import EventBridge
from kycourier_devkit.emulators.tencent.ssm import Ssm
from kycourier_devkit.emulators.tencent.tc3 import Key

REGION = "ap-guangzhou"
_KEY = Key("AKIDbench", "s" * 32, "t" * 32)
_SECRETS = {"app-secret": SECRET, "fingerprint-key": FINGERPRINT_KEY}


@contextmanager
def start_tencent(environment: BenchEnvironment) -> Iterator[Mapping[str, str]]:
    """Starts the services that a function needs; yields its settings.

    Raises ToolUnavailableError.
    """
    port, (ssm, event_bridge) = find_free_port(), (Ssm(), EventBridge())
    for name, value in _SECRETS.items():
        secret = {"SecretName": name, "VersionId": "v1", "SecretString": value}
        ssm.call("CreateSecret", secret, REGION)
    created = event_bridge.call("CreateEventBus", {"EventBusName": "bench"}, REGION)
    bus = created["EventBusId"]
    with ExitStack() as stack:
        api = stack.enter_context(closing(TencentApi([_KEY], [ssm, event_bridge])))
        stack.enter_context(start_redis_node(environment.folder, port=port))
        yield {
            "TENCENTCLOUD_SECRETID": _KEY.secret_id,
            "TENCENTCLOUD_SECRETKEY": _KEY.secret_key,
            "TENCENTCLOUD_SESSIONTOKEN": _KEY.token or "",
            "TENCENTCLOUD_ENDPOINT_URL": api.url,
            "TENCENTCLOUD_ENDPOINT_URL_COS": environment.s3.url,
            "KYCOURIER_STATE": f"redis://{HOST}:{port}",
            "KYCOURIER_EVIDENCE": f"cos://evidence-1250000000/kept?region={REGION}",
            "KYCOURIER_EVENTS": f"tencent-eb://{bus}?region={REGION}",
            "KYCOURIER_QUEUE": "none",
            "KYCOURIER_APP_SECRET": f"tencent-ssm://app-secret?region={REGION}",
            "KYCOURIER_FINGERPRINT_KEY": (
                f"tencent-ssm://fingerprint-key?region={REGION}"
            ),
        }
