"""The naive peer: the function that most people would write for the same job.

It handles the orders of an SQS batch one after another: a ticket kept in a module
variable, one signed query, three photos put into a bucket, one event put on the bus.
"""

import base64
import hashlib
import json
import logging
import os
import time
import uuid

import boto3
import requests

logger = logging.getLogger()
logger.setLevel(logging.INFO)

APP_ID = os.environ["APP_ID"]
APP_SECRET = os.environ["APP_SECRET"]
KYC_URL = os.environ["KYC_URL"]
BUCKET = os.environ["BUCKET"]
BUS = os.environ["BUS"]
VERSION = "1.0.0"
TICKET_SECONDS = 20 * 60
TIMEOUT = 10
PHOTOS = {
    "original": "originBankcardPhoto",
    "cropped": "bankcardCropPhoto",
    "number": "bankcardNoPhoto",
}

s3 = boto3.client("s3")
events = boto3.client("events")

ticket = None
ticket_obtained_at = 0.0


def call(path, **query):
    """Calls the platform and returns its reply."""
    response = requests.get(f"{KYC_URL}{path}", params=query, timeout=TIMEOUT)
    response.raise_for_status()
    reply = response.json()
    if str(reply["code"]) != "0":
        raise RuntimeError(f"platform code {reply['code']}")
    return reply


def current_ticket():
    """Returns the SIGN ticket, renewed every twenty minutes."""
    global ticket, ticket_obtained_at
    if ticket is None or time.time() - ticket_obtained_at > TICKET_SECONDS:
        token = call(
            "/api/oauth2/access_token",
            app_id=APP_ID,
            secret=APP_SECRET,
            grant_type="client_credential",
            version=VERSION,
        )["access_token"]
        ticket = call(
            "/api/oauth2/api_ticket",
            app_id=APP_ID,
            access_token=token,
            type="SIGN",
            version=VERSION,
        )["tickets"][0]["value"]
        ticket_obtained_at = time.time()
    return ticket


def query(order_no):
    """Queries one order's result with its photos."""
    nonce = uuid.uuid4().hex
    values = sorted([APP_ID, order_no, VERSION, current_ticket(), nonce])
    sign = hashlib.sha1("".join(values).encode()).hexdigest().upper()
    return call(
        "/api/server/getBankCardOcrResult",
        app_id=APP_ID,
        order_no=order_no,
        get_file="1",
        nonce=nonce,
        version=VERSION,
        sign=sign,
    )["result"]


def collect(order_no):
    """Fetches the result, stores the photos, publishes the event."""
    result = query(order_no)
    photos = {}
    for kind, field in PHOTOS.items():
        content = base64.b64decode(result[field])
        key = f"evidence/{APP_ID}/{order_no}/{kind}.jpg"
        s3.put_object(Bucket=BUCKET, Key=key, Body=content, ContentType="image/jpeg")
        photos[kind] = f"s3://{BUCKET}/{key}"
    number = result["bankCardNo"]
    detail = {
        "order_no": order_no,
        "card": f"{number[:6]}******{number[-4:]}",
        "valid_until": result["bankCardValidDate"],
        "clarity": result["clarity"],
        "photos": photos,
    }
    events.put_events(
        Entries=[
            {
                "EventBusName": BUS,
                "Source": "kyc",
                "DetailType": "ocr.collected",
                "Detail": json.dumps(detail),
            }
        ]
    )
    logger.info("collected %s", order_no)


def handler(event, context):
    """Collects the orders of an SQS batch."""
    failures = []
    for record in event["Records"]:
        try:
            collect(json.loads(record["body"])["order_no"])
        except Exception:  # any failure returns the record to the queue
            logger.exception("failed %s", record["messageId"])
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}
