"""Evaluates IAM statements, and finds the permission that a recorded call needs.

Covers only what the templates use: Allow and Deny, wildcards and string conditions.
Anything else raises LookupError.
"""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple
from urllib.parse import parse_qs, unquote

ACCOUNT, REGION = "123456789012", "eu-west-1"  # moto's account
_ACTIONS = {"SendMessageBatch": "SendMessage", "DeleteMessageBatch": "DeleteMessage"}
_IF_EXISTS = "IfExists"
_OPERATORS = {"StringEquals", "StringLike", f"StringLike{_IF_EXISTS}"}


class Permission(NamedTuple):
    """An action on a resource; `context` holds the keys that conditions may test."""

    action: str
    resource: str
    context: tuple[tuple[str, str], ...] = ()


def permission_of(call: Mapping[str, str]) -> Permission:
    """Return the permission that a recorded call needs."""
    service, action = call["service"], call["action"]
    if service == "s3":
        return _need_of_s3(call)
    action = _ACTIONS.get(action, action)
    arn = f"arn:aws:{service}:{REGION}:{ACCOUNT}:"
    match service:
        case "dynamodb":
            index = f"/index/{call['IndexName']}" if "IndexName" in call else ""
            resource = f"{arn}table/{call['TableName']}{index}"
        case "sqs":
            name = call.get("QueueName") or call["QueueUrl"].rpartition("/")[2]
            resource = f"{arn}{name}"
        case "events":
            bus = call.get("EventBusName") or call["Name"]
            resource = bus if bus.startswith("arn:") else f"{arn}event-bus/{bus}"
        case "secretsmanager":
            resource = call["SecretId"]
        case _:
            raise LookupError(service)
    return Permission(f"{service}:{action}", resource)


def _need_of_s3(call: Mapping[str, str]) -> Permission:
    bucket, _, key = unquote(call["path"]).strip("/").partition("/")
    if key:
        action = {"PUT": "PutObject", "GET": "GetObject", "HEAD": "GetObject"}
        resource = f"arn:aws:s3:::{bucket}/{key}"
        return Permission(f"s3:{action[call['action']]}", resource)
    query = parse_qs(call["query"], keep_blank_values=True)
    if call["action"] != "GET" or "list-type" not in query:
        raise LookupError(call["action"])
    prefix = query.get("prefix", [""])[0]
    return Permission(
        "s3:ListBucket", f"arn:aws:s3:::{bucket}", (("s3:prefix", prefix),)
    )


def allows(statements: Iterable[Mapping[str, object]], need: Permission) -> bool:
    """Return whether a statement allows the permission and none denies it."""
    effects = {each["Effect"] for each in statements if covers(each, need)}
    return effects == {"Allow"}


def covers(statement: Mapping[str, object], need: Permission) -> bool:
    """Return whether a statement applies to this permission."""
    if statement.keys() - {"Sid", "Effect", "Action", "Resource", "Condition"}:
        raise LookupError(str(statement.keys()))
    return (
        _matches(statement["Action"], need.action)
        and _matches(statement["Resource"], need.resource)
        and _holds(statement.get("Condition", {}), dict(need.context))
    )


def _holds(condition: object, context: Mapping[str, str]) -> bool:
    for operator, keys in condition.items():
        if operator not in _OPERATORS:
            raise LookupError(operator)
        for key, patterns in keys.items():
            if key in context:
                holds = _matches(patterns, context[key])
            else:
                holds = operator.endswith(_IF_EXISTS)
            if not holds:
                return False
    return True


def _matches(patterns: object, text: str) -> bool:
    listed = [patterns] if isinstance(patterns, str) else patterns
    return any(
        re.fullmatch(
            re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), text, re.DOTALL
        )
        for pattern in listed
    )
