"""DynamoDB, EventBridge, SQS and Secrets Manager, as much of them as is used."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from bench.stand_ins.serving import Answer, Request, Server
from bench.stand_ins.table import Refused, Tables

JSON = ("Content-Type: application/x-amz-json-1.0",)
SECRETS = {
    "app-secret": "s" * 64,
    "fingerprint-key": "synthetic-fingerprint-key-of-the-bench",
}
Members = Mapping[str, Any]


def put_events(asked: Members) -> Members:
    """Take every entry."""
    taken = [{"EventId": "e" * 32} for _ in asked["Entries"]]
    return {"FailedEntryCount": 0, "Entries": taken}


_tables = Tables()
CALLS: dict[str, Callable[[Members], Members]] = {
    "PutEvents": put_events,
    "DescribeEventBus": lambda asked: {"Name": asked["Name"]},
    "GetQueueUrl": lambda asked: {
        "QueueUrl": f"http://127.0.0.1/123456789012/{asked['QueueName']}"
    },
    "GetSecretValue": lambda asked: {
        "Name": asked["SecretId"],
        "SecretString": SECRETS[asked["SecretId"]],
    },
    **_tables.calls,
}


def answer(request: Request) -> tuple[str, Answer]:
    """Answer one call, named by its operation."""
    name = request.headers.get("x-amz-target", "?").rpartition(".")[2]
    try:
        told = CALLS[name](json.loads(request.body))
    except Refused as refused:
        told = {"__type": f"com.amazonaws.dynamodb.v20120810#{refused}"}
        return f"{name} refused", _spell(told, status="400 Bad Request")
    return name, _spell(told, status="200 OK")


def _spell(members: Members, *, status: str) -> Answer:
    return Answer(status, (json.dumps(members).encode(),), JSON)


if __name__ == "__main__":
    Server(answer, also=_tables.units).run(lambda _: None)
