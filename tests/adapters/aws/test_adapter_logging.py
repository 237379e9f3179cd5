"""AWS adapters log nothing of what passes through them, with every logger at DEBUG."""

import pytest

from support.aws.aws_proxy import AwsProxy, drop_call, respond
from support.aws.clients import KEY, aws_client, aws_environ, new_name
from support.aws.services import new_bucket, new_bus, new_queue
from support.leaks.leak_scan import find_leaks
from support.leaks.noisy_adapters import run_noisy_adapters, sent_signatures
from support.servers.emulators import EMULATOR_MARKS

pytestmark = [*EMULATOR_MARKS]
SECRET = "canary-app-secret-5923"
PHOTO = "canary-photo-bytes-7741"
EVENT = "canary-event-text-3318"
FOREIGN = "canary-foreign-text-9902"
CANARIES = [SECRET, PHOTO, EVENT, FOREIGN, KEY]
LIBRARIES = [
    "boto3",
    "botocore",
    "botocore.endpoint",
    "urllib3",
    "urllib3.connectionpool",
]


def prepare(proxy: AwsProxy) -> dict[str, object]:
    """Create a resource for every adapter; return the settings of the child."""
    aws_client("secretsmanager", proxy.url).create_secret(
        Name=(secret := new_name("secret")), SecretString=SECRET
    )
    aws_client("ssm", proxy.url).put_parameter(
        Name=(parameter := new_name("secret")), Value=SECRET, Type="SecureString"
    )
    return {
        "environ": aws_environ(proxy.url),
        "url": proxy.url,
        "sinks": ["bus", "queue"],
        "queues": ["queue"],
        "secrets": ["secret", "parameter"],
        "libraries": LIBRARIES,
        "photo": PHOTO,
        "event": EVENT,
        "evidence": ("s3", new_bucket(proxy.url)),
        "bus": ("eventbridge", new_bus(proxy.url)),
        "queue": ("sqs", new_queue(proxy.url)),
        "secret": ("aws-secretsmanager", secret),
        "parameter": ("aws-ssm", parameter),
    }


def test_successful_calls_log_nothing(proxy):
    written = run_noisy_adapters(prepare(proxy))

    bodies = b"".join(call.body for call in proxy.calls)
    assert all(canary.encode() in bodies for canary in (PHOTO, EVENT, SECRET))
    assert find_leaks([*CANARIES, *sent_signatures(proxy)], {"written": written}) == []
    for word in ("X-Amz-", "Signature", "http://", "a/b.jpg", "SecretString"):
        assert word not in written


@pytest.mark.parametrize("kind", ["refused", "dropped", "garbage"])
def test_failed_calls_log_nothing_of_the_response(proxy, kind):
    error = f'{{"__type": "Odd", "message": "{FOREIGN}"}}'.encode()
    scripts = {
        "refused": respond(400, error),
        "dropped": drop_call,
        "garbage": respond(200, f"<{FOREIGN}".encode()),
    }
    settings = prepare(proxy)
    names = ["GET", "HEAD", "PUT", "DescribeEventBus", "PutEvents", "GetQueueUrl"]
    names += ["SendMessage", "SendMessageBatch", "GetSecretValue", "GetParameter"]
    for name in names:
        for _ in range(2):  # the first start fails, and a call of the second
            proxy.plan(name, scripts[kind])

    written = run_noisy_adapters(settings, rounds=3)

    assert "Error" in written or "Unavailable" in written
    assert find_leaks([*CANARIES, *sent_signatures(proxy)], {"written": written}) == []
    for word in ("X-Amz-", "Signature", "http://", "a/b.jpg", "message"):
        assert word not in written
