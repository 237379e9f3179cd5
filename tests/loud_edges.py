"""A process that uses every adapter of a cloud with all loggers turned up."""

import json
import subprocess
import sys

from aws.proxy import AwsProxy

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
    for sink in settings["sinks"]:
        opened = attempt(lambda: places.open_events(place(sink), around))
        if opened:
            body = json.dumps({"text": event})
            attempt(lambda: opened.publish([OutboxEvent(id="1", type="t", body=body)]))
            attempt(lambda: opened.publish([OutboxEvent(id="1", type="t", body=event)]))
            print(opened)
    for queue in settings["queues"]:
        opened = attempt(lambda: places.open_queue(place(queue), around))
        if opened:
            attempt(lambda: opened.enqueue(OrderKey("A", "o"), timedelta(0)))
    for kept in settings["secrets"]:
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
        obstore.head(S3Store("b", endpoint=settings["url"],
            skip_signature=True, client_options={"allow_http": True}), "a/b.jpg")
    except (BaseError, FileNotFoundError) as error:
        print(error)
print("done")
"""


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
