"""Builds the events that Lambda's triggers deliver: SQS, HTTP API and EventBridge."""

import base64
import uuid
from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from kycourier_devkit.emulators.http_call import HttpCall, join_headers

ACCOUNT = "000000000000"
REGION = "local"
_DATE = "%d/%b/%Y:%H:%M:%S +0000"

Event = dict[str, object]


class Message(Struct, frozen=True, kw_only=True):
    """One queue message; `receives` counts its deliveries, including this one."""

    id: str
    body: str
    receives: int = 1


def build_queue_event(messages: Sequence[Message], *, at: datetime) -> Event:
    """Builds the batch that an SQS trigger delivers."""
    return {"Records": [_build_record(message, at) for message in messages]}


def _build_record(message: Message, at: datetime) -> Event:
    sent = str(int(at.timestamp() * 1000))
    return {
        "messageId": message.id,
        "receiptHandle": f"{message.id}-{message.receives}",
        "body": message.body,
        "attributes": {
            "ApproximateReceiveCount": str(message.receives),
            "SentTimestamp": sent,
            "SenderId": ACCOUNT,
            "ApproximateFirstReceiveTimestamp": sent,
        },
        "messageAttributes": {},
        "md5OfBody": "",
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{REGION}:{ACCOUNT}:kycourier-orders",
        "awsRegion": REGION,
    }


def build_http_event(call: HttpCall, *, at: datetime) -> Event:
    """Builds the request that an API Gateway HTTP API delivers (format 2.0)."""
    headers = join_headers(call.headers)
    body, encoded = _encode(call.body)
    event: Event = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": call.path,
        "rawQueryString": call.query,
        "headers": headers,
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": "local",
            "domainName": headers.get("host", "localhost"),
            "domainPrefix": "localhost",
            "http": {
                "method": call.method,
                "path": call.path,
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": str(uuid.uuid4()),
            "routeKey": "$default",
            "stage": "$default",
            "time": at.strftime(_DATE),
            "timeEpoch": int(at.timestamp() * 1000),
        },
        "isBase64Encoded": encoded,
    }
    if body:
        event["body"] = body
    return event


def build_timer_event(rule: str, *, at: datetime) -> Event:
    """Builds the scheduled event that an EventBridge rule delivers."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": ACCOUNT,
        "time": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": REGION,
        "resources": [f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{rule}"],
        "detail": {},
    }


def _encode(body: bytes) -> tuple[str, bool]:
    """Returns text unchanged and anything else in Base64, and whether it is Base64."""
    try:
        return body.decode("utf-8"), False
    except UnicodeDecodeError:
        return base64.b64encode(body).decode(), True
