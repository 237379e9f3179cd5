"""Whole events as the clouds hand them to a function: queue, HTTP and timer."""

import base64
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec import Struct

ACCOUNT = "000000000000"
REGION = "local"
_DATE = "%d/%b/%Y:%H:%M:%S +0000"

Event = dict[str, object]


class Message(Struct, frozen=True, kw_only=True):
    """One queue message; `receives` counts its deliveries, this one too."""

    id: str
    body: str
    receives: int = 1


class HttpCall(Struct, frozen=True, kw_only=True):
    """One HTTP request as a gateway receives it; header names in any case."""

    method: str
    path: str
    query: str = ""
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = b""


def build_queue_event(messages: Sequence[Message], *, at: datetime) -> Event:
    """Build a batch as SQS hands it to Lambda."""
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
    """Build a request as API Gateway's HTTP API hands it over (format 2.0)."""
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
    """Build a scheduled event as EventBridge sends it."""
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


def join_headers(headers: Sequence[tuple[str, str]]) -> Mapping[str, str]:
    """Join what was sent several times with commas, under lower-case names."""
    joined: dict[str, str] = {}
    for name, value in headers:
        key = name.lower()
        joined[key] = f"{joined[key]},{value}" if key in joined else value
    return joined


def _encode(body: bytes) -> tuple[str, bool]:
    """Give text as it is and anything else in Base64."""
    try:
        return body.decode("utf-8"), False
    except UnicodeDecodeError:
        return base64.b64encode(body).decode(), True
