"""Emulates the calls used of DynamoDB, EventBridge, SQS and Secrets Manager."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from bench.emulators.dynamodb import AwsError, Tables
from bench.emulators.http_server import Request, Response, Server

JSON = ("Content-Type: application/x-amz-json-1.0",)
SECRETS = {
    "app-secret": "s" * 64,
    "fingerprint-key": "synthetic-fingerprint-key-of-the-bench",
}
Members = Mapping[str, Any]


def put_events(request: Members) -> Members:
    """Accepts every entry."""
    accepted = [{"EventId": "e" * 32} for _ in request["Entries"]]
    return {"FailedEntryCount": 0, "Entries": accepted}


_tables = Tables()
OPERATIONS: dict[str, Callable[[Members], Members]] = {
    "PutEvents": put_events,
    "DescribeEventBus": lambda request: {"Name": request["Name"]},
    "GetQueueUrl": lambda request: {
        "QueueUrl": f"http://127.0.0.1/123456789012/{request['QueueName']}"
    },
    "GetSecretValue": lambda request: {
        "Name": request["SecretId"],
        "SecretString": SECRETS[request["SecretId"]],
    },
    **_tables.operations,
}


def handle(request: Request) -> tuple[str, Response]:
    """Runs one operation; returns its name and the response."""
    name = request.headers.get("x-amz-target", "?").rpartition(".")[2]
    try:
        members = OPERATIONS[name](json.loads(request.body))
    except AwsError as error:
        members = {"__type": f"com.amazonaws.dynamodb.v20120810#{error}"}
        return f"{name} refused", _encode(members, status="400 Bad Request")
    return name, _encode(members, status="200 OK")


def _encode(members: Members, *, status: str) -> Response:
    return Response(status, (json.dumps(members).encode(),), JSON)


if __name__ == "__main__":
    Server(handle, more_counters=_tables.units).run(lambda _: None)
