"""A process that uses every adapter of a cloud with all loggers at DEBUG."""

import json
import subprocess
import sys

from support.aws.aws_proxy import AwsProxy

PROGRAM = """
import hashlib, http.client, json, logging, sys
from datetime import timedelta
http.client.HTTPConnection.debuglevel = 1
logging.basicConfig(level=logging.DEBUG, stream=sys.stdout)
settings = json.loads(sys.stdin.read())

from kycourier.adapters import registry
from kycourier.adapters.context import AdapterContext
from kycourier.adapters.system import SystemClock
from kycourier.core.errors import KycourierError
from kycourier.core.orders.record import OrderKey, OutboxEvent
from kycourier.settings.resource_url import ResourceUrl

context = AdapterContext(clock=SystemClock(), environ=settings["environ"])
for name in settings["libraries"]:
    logging.getLogger(name).setLevel(logging.DEBUG)
    logging.getLogger(name).addHandler(logging.StreamHandler(sys.stdout))

def attempt(work):
    try:
        return work()
    except KycourierError as error:
        print(repr(error), error.__context__, error.__cause__)

def url(name):
    return ResourceUrl(*settings[name])

photo, event = settings["photo"].encode(), settings["event"]
digest = hashlib.sha256(photo).hexdigest()
for _ in range(settings["rounds"]):
    evidence = attempt(lambda: registry.open_evidence(
        url("evidence"), context, state=url("evidence")))
    if evidence:
        attempt(lambda: evidence.put(
            "a/b.jpg", photo, sha256=digest, media_type="image/jpeg"))
        attempt(lambda: evidence.open("a/b.jpg").read())
        attempt(lambda: evidence.digest("a/none.jpg"))
        attempt(lambda: evidence.link("a/b.jpg", seconds=60))
        print(evidence, url("evidence"))
    for sink in settings["sinks"]:
        opened = attempt(lambda: registry.open_events(url(sink), context))
        if opened:
            body = json.dumps({"text": event})
            attempt(lambda: opened.publish([OutboxEvent(id="1", type="t", body=body)]))
            attempt(lambda: opened.publish([OutboxEvent(id="1", type="t", body=event)]))
            print(opened)
    for queue in settings["queues"]:
        opened = attempt(lambda: registry.open_queue(url(queue), context))
        if opened:
            attempt(lambda: opened.enqueue(OrderKey("A", "o"), timedelta(0)))
    for kept in settings["secrets"]:
        source = attempt(lambda: registry.open_secret("app_secret", url(kept), context))
        if source:
            print(source, attempt(source.get))
print("done")
"""


def run_noisy_adapters(settings: dict[str, object], *, rounds: int = 1) -> str:
    """Use every adapter in a child process; returns all that it printed."""
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        input=json.dumps({**settings, "rounds": rounds}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        text=True,
        timeout=50,
    )
    assert ended.stdout.endswith("done\n"), ended.stdout[-500:]
    return ended.stdout


def sent_signatures(proxy: AwsProxy) -> list[str]:
    """Return the signatures of all recorded requests."""
    headers = [call.headers.get("authorization", "") for call in proxy.calls]
    return [text.partition("Signature=")[2] for text in headers if "Signature=" in text]
