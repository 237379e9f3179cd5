"""AWS's adapters are silent about what passes through them, with every logger on."""

import base64

import pytest

from aws.access import KEY, aws_environ, client, new_name
from aws.edges import new_bucket, new_bus, new_queue
from aws.proxy import AwsProxy, answering, cut
from leak_scan import find_leaks
from loud_edges import run, signatures
from stand_ins import IN_CLOUD

pytestmark = [*IN_CLOUD]
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
    """Make a place for every adapter, and say where."""
    client("secretsmanager", proxy.url).create_secret(
        Name=(secret := new_name("secret")), SecretString=SECRET
    )
    client("ssm", proxy.url).put_parameter(
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


def test_nothing_is_written_that_passes_through(proxy):
    written = run(prepare(proxy))

    bodies = b"".join(call.body for call in proxy.calls)
    assert all(canary.encode() in bodies for canary in (PHOTO, EVENT, SECRET))
    assert find_leaks([*CANARIES, *signatures(proxy)], {"written": written}) == []
    for word in ("X-Amz-", "Signature", "http://", "a/b.jpg", "SecretString"):
        assert word not in written


@pytest.mark.parametrize("play", ["refused", "cut", "garbage"])
def test_nothing_is_written_of_what_fails(proxy, play):
    told = f'{{"__type": "Odd", "message": "{FOREIGN}"}}'.encode()
    plays = {
        "refused": answering(400, told),
        "cut": cut,
        "garbage": answering(200, f"<{FOREIGN}".encode()),
    }
    settings = prepare(proxy)
    names = ["GET", "HEAD", "PUT", "DescribeEventBus", "PutEvents", "GetQueueUrl"]
    names += ["SendMessage", "SendMessageBatch", "GetSecretValue", "GetParameter"]
    for name in names:
        for _ in range(2):  # the first start fails, and a call of the second
            proxy.plan(name, plays[play])

    written = run(settings, rounds=3)

    assert "Error" in written or "Unavailable" in written
    assert find_leaks([*CANARIES, *signatures(proxy)], {"written": written}) == []
    for word in ("X-Amz-", "Signature", "http://", "a/b.jpg", "message"):
        assert word not in written


@pytest.mark.tells_secrets
@pytest.mark.parametrize(
    ("leak", "canary"),
    [("link", "X-Amz-Signature="), ("error", "a/b.jpg")],
)
def test_the_scan_finds_what_the_libraries_write_on_their_own(proxy, leak, canary):
    written = run(prepare(proxy), leak=leak)

    assert canary in written
    assert find_leaks([canary], {"written": written})


def test_the_scan_knows_base64():
    encoded = base64.b64encode(f"x{PHOTO}x".encode()).decode()

    assert find_leaks([PHOTO], {"written": encoded})
