"""Cloud adapters log nothing of what passes through them, with all loggers at DEBUG."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from typing import NamedTuple

import pytest

from support.aws.aws_proxy import AwsProxy, Script, drop_call, respond
from support.aws.clients import KEY, aws_client, aws_environ, new_name
from support.aws.services import new_bucket, new_bus, new_queue
from support.leaks.leak_scan import find_leaks
from support.leaks.noisy_adapters import run_noisy_adapters, sent_signatures
from support.servers.emulators import EMULATOR_MARKS
from support.tencent_api_rig import REGION, ROLE, role_environ
from support.tencent_api_rig import new_bucket as new_cos_bucket

SECRET = "canary-app-secret-5923"
PHOTO = "canary-photo-bytes-7741"
EVENT = "canary-event-text-3318"
FOREIGN = "canary-foreign-text-9902"
CANARIES = [SECRET, PHOTO, EVENT, FOREIGN, KEY, ROLE.secret_key, ROLE.token or ""]
WORDS = ["X-Amz-", "X-TC-", "Signature", "http://", "a/b.jpg", "SecretString"]


class CloudRig(NamedTuple):
    """Proxies to a cloud's services, and the settings of the child process.

    `calls` are the names of the adapters' calls, `refused` a refusal of any of them.
    """

    proxies: list[AwsProxy]
    settings: dict[str, object]
    calls: list[str]
    refused: Script


def build_aws(request: pytest.FixtureRequest) -> Iterator[CloudRig]:
    moto, proxy = request.getfixturevalue("moto"), request.getfixturevalue("proxy")
    secret, parameter = new_name("secret"), new_name("secret")
    aws_client("secretsmanager", moto).create_secret(Name=secret, SecretString=SECRET)
    aws_client("ssm", moto).put_parameter(
        Name=parameter, Value=SECRET, Type="SecureString"
    )
    settings = {
        "environ": aws_environ(proxy.url),
        "libraries": ["boto3", "botocore", "botocore.endpoint", "urllib3"],
        "evidence": ("s3", new_bucket(moto)),
        "bus": ("eventbridge", new_bus(moto)),
        "queue": ("sqs", new_queue(moto)),
        "secret": ("aws-secretsmanager", secret),
        "parameter": ("aws-ssm", parameter),
        "sinks": ["bus", "queue"],
        "queues": ["queue"],
        "secrets": ["secret", "parameter"],
    }
    calls = ["GET", "HEAD", "PUT", "DescribeEventBus", "PutEvents", "GetQueueUrl"]
    calls += ["SendMessage", "SendMessageBatch", "GetSecretValue", "GetParameter"]
    error = json.dumps({"__type": "Odd", "message": FOREIGN}).encode()
    yield CloudRig([proxy], settings, calls, respond(400, error))


def build_tencent(request: pytest.FixtureRequest) -> Iterator[CloudRig]:
    account, cos = request.getfixturevalue("account"), request.getfixturevalue("cos")
    account.keep(SECRET)
    in_region = f"?region={REGION}"
    with closing(AwsProxy(account.url)) as api, closing(AwsProxy(cos.url)) as bucket:
        environ = {"TENCENTCLOUD_ENDPOINT_URL_COS": bucket.url}
        settings = {
            "environ": role_environ(api.url) | environ,
            "libraries": ["tencentcloud_sdk_common", "urllib3", "requests"],
            "evidence": ("cos", new_cos_bucket(cos) + in_region),
            "bus": ("tencent-eb", account.make_bus() + in_region),
            "secret": ("tencent-ssm", f"secret1{in_region}"),
            "sinks": ["bus"],
            "queues": [],
            "secrets": ["secret"],
        }
        calls = ["GET", "HEAD", "PUT", "GetEventBus", "PutEvents"]
        calls += ["ListSecretVersionIds", "GetSecretValue"]
        error = {"Error": {"Code": FOREIGN, "Message": FOREIGN}, "RequestId": FOREIGN}
        refused = respond(
            400,
            json.dumps({"Response": error}).encode(),
            ("Content-Type", "application/json"),
        )
        yield CloudRig([api, bucket], settings, calls, refused)


@pytest.fixture(
    params=[
        pytest.param(
            build, marks=EMULATOR_MARKS, id=build.__name__.removeprefix("build_")
        )
        for build in (build_aws, build_tencent)
    ]
)
def rig(request: pytest.FixtureRequest) -> Iterator[CloudRig]:
    yield from request.param(request)


def run_adapters(rig: CloudRig, *, rounds: int = 1) -> str:
    """Use every adapter; assert that the output holds nothing of the traffic."""
    settings = {**rig.settings, "photo": PHOTO, "event": EVENT}
    written = run_noisy_adapters(settings, rounds=rounds)
    signatures = [text for proxy in rig.proxies for text in sent_signatures(proxy)]
    assert signatures
    assert find_leaks([*CANARIES, *signatures], {"written": written}) == []
    assert [word for word in WORDS if word in written] == []
    return written


def test_successful_calls_log_nothing(rig):
    run_adapters(rig)

    traffic = b"".join(
        call.body + response.body
        for proxy in rig.proxies
        for call, response in proxy.responses
    )
    assert all(canary.encode() in traffic for canary in (PHOTO, EVENT, SECRET))


@pytest.mark.parametrize("kind", ["refused", "dropped", "garbage"])
def test_failed_calls_log_nothing_of_the_response(rig, kind):
    script = {
        "refused": rig.refused,
        "dropped": drop_call,
        "garbage": respond(200, f"<{FOREIGN}".encode()),
    }[kind]
    for proxy in rig.proxies:
        for name in rig.calls:
            proxy.plan(name, script, script)  # the start fails, and a later call

    written = run_adapters(rig, rounds=3)

    assert "Error" in written or "Unavailable" in written
    assert '"message"' not in written


IMPORTS_LATER = """
import importlib, logging
from contextlib import suppress
from kycourier.adapters.aws import credentials

credentials.mute_sdk()
credentials.mute_sdk()
for name in credentials.noisy_loggers():
    with suppress(ImportError):  # modules for other platforms
        importlib.import_module(name)
made = [name for name, one in logging.root.manager.loggerDict.items()
        if isinstance(one, logging.Logger)
        and name.partition(".")[0] in credentials.NOISY_PACKAGES]
unmuted = [one for one in made if len(logging.getLogger(one).filters) != 1]
print(len(made) > 100, unmuted)
"""
LISTS_LOGGERS = """
import sys
from kycourier.adapters.aws import credentials

loaded = {*credentials.NOISY_PACKAGES} & {*sys.modules}
print(len(credentials.noisy_loggers()) > 100, loaded)
"""


@pytest.mark.parametrize(
    ("program", "output"),
    [(IMPORTS_LATER, "True []"), (LISTS_LOGGERS, "True set()")],
    ids=["muting covers modules imported later", "listing loggers imports nothing"],
)
def test_botocore_is_muted_before_it_is_imported(program, output):
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        text=True,
        timeout=60,
    )

    assert ended.stdout.strip() == output
