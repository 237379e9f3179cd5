"""AWS's adapters are silent about what passes through them, with every logger on."""

import base64
import json
import subprocess
import sys

import pytest

from aws.access import KEY, aws_environ, client, new_name
from aws.edges import new_bucket, new_bus, new_queue
from aws.proxy import AwsProxy, answering, cut
from leak_scan import find_leaks
from stand_ins import IN_CLOUD

pytestmark = [*IN_CLOUD]
SECRET = "canary-app-secret-5923"
PHOTO = "canary-photo-bytes-7741"
EVENT = "canary-event-text-3318"
FOREIGN = "canary-foreign-text-9902"
CANARIES = [SECRET, PHOTO, EVENT, FOREIGN, KEY]
LOUD = """
import hashlib, http.client, json, logging, sys
from datetime import timedelta
http.client.HTTPConnection.debuglevel = 1
logging.basicConfig(level=logging.DEBUG, stream=sys.stdout)
settings = json.loads(sys.stdin.read())

from kycourier.adapters import places
from kycourier.adapters.surroundings import Surroundings
from kycourier.adapters.system import SystemClock
from kycourier.core.errors import KycourierError
from kycourier.core.models import OrderKey
from kycourier.core.order_record import OutboxEvent
from kycourier.setting_forms import Place

around = Surroundings(clock=SystemClock(), environ=settings["environ"])
for name in settings["libraries"]:
    logging.getLogger(name).setLevel(logging.DEBUG)
    logging.getLogger(name).addHandler(logging.StreamHandler(sys.stdout))

def attempt(work):
    try:
        return work()
    except KycourierError as error:
        print(repr(error), error.__context__, error.__cause__)

def place(name):
    return Place(*settings[name])

photo, event = settings["photo"].encode(), settings["event"]
digest = hashlib.sha256(photo).hexdigest()
for _ in range(settings["rounds"]):
    evidence = attempt(lambda: places.open_evidence(
        place("evidence"), around, state=place("evidence")))
    if evidence:
        attempt(lambda: evidence.put(
            "a/b.jpg", photo, sha256=digest, media_type="image/jpeg"))
        attempt(lambda: evidence.open("a/b.jpg").read())
        attempt(lambda: evidence.digest("a/none.jpg"))
        link = attempt(lambda: evidence.link("a/b.jpg", seconds=60))
        print(evidence, place("evidence"))
    for sink in ("bus", "queue"):
        opened = attempt(lambda: places.open_events(place(sink), around))
        if opened:
            body = json.dumps({"text": event})
            attempt(lambda: opened.publish([OutboxEvent(id="1", type="t", body=body)]))
            attempt(lambda: opened.publish([OutboxEvent(id="1", type="t", body=event)]))
            print(opened)
    queue = attempt(lambda: places.open_queue(place("queue"), around))
    if queue:
        attempt(lambda: queue.enqueue(OrderKey("A", "o"), timedelta(0)))
    for kept in ("secret", "parameter"):
        source = attempt(lambda: places.open_secret("app_secret", place(kept), around))
        if source:
            print(source, attempt(source.load))
if settings["leak"] == "link":
    print(link)
if settings["leak"] == "logs":
    for name in list(logging.root.manager.loggerDict):
        logging.getLogger(name).filters = []
    attempt(source.load)
if settings["leak"] == "error":
    import obstore
    from obstore.exceptions import BaseError
    from obstore.store import S3Store
    try:
        obstore.head(S3Store("b", endpoint=around.environ["AWS_ENDPOINT_URL"],
            skip_signature=True, client_options={"allow_http": True}), "a/b.jpg")
    except (BaseError, FileNotFoundError) as error:
        print(error)
print("done")
"""
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
        "libraries": LIBRARIES,
        "photo": PHOTO,
        "event": EVENT,
        "evidence": ("s3", new_bucket(proxy.url)),
        "bus": ("eventbridge", new_bus(proxy.url)),
        "queue": ("sqs", new_queue(proxy.url)),
        "secret": ("aws-secretsmanager", secret),
        "parameter": ("aws-ssm", parameter),
    }


def run(settings: dict[str, object], *, rounds: int = 1, leak: str = "") -> str:
    """Use every adapter in a process of its own; give all that it wrote."""
    ended = subprocess.run(
        [sys.executable, "-c", LOUD],
        input=json.dumps({**settings, "rounds": rounds, "leak": leak}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        text=True,
        timeout=50,
    )
    assert ended.stdout.endswith("done\n"), ended.stdout[-500:]
    return ended.stdout


def signatures(proxy: AwsProxy) -> list[str]:
    """Give the signatures of all that was asked."""
    headers = [call.headers.get("authorization", "") for call in proxy.calls]
    return [text.partition("Signature=")[2] for text in headers if "Signature=" in text]


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
    [("link", "X-Amz-Signature="), ("logs", SECRET), ("error", "a/b.jpg")],
)
def test_the_scan_finds_what_the_libraries_write_on_their_own(proxy, leak, canary):
    written = run(prepare(proxy), leak=leak)

    assert canary in written
    assert find_leaks([canary], {"written": written})


def test_the_scan_knows_base64():
    encoded = base64.b64encode(f"x{PHOTO}x".encode()).decode()

    assert find_leaks([PHOTO], {"written": encoded})
