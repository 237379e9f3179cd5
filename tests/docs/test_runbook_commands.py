"""AWS commands in the runbook exist and have their required options."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore import xform_name

ROOT = Path(__file__).parents[2]
FENCED = re.compile(r"(?ms)^ *```\w*$(.*?)^ *```$")
INLINE = re.compile(r"`([^`]+)`")
CALL = re.compile(r"\baws ([a-z0-9]+) ((?:wait )?[a-z-]+)([^\n]*?)(?=\baws [a-z]|$)")
OPTION = re.compile(r"(?<!\S)--([a-z][a-z-]*)")
GLOBAL = {"query", "output", "region", "no-paginate"}


def calls_in(text: str) -> Iterator[tuple[str, str, str]]:
    """Yield each call as service, operation and the rest of its line."""
    blocks = [found.replace("\\\n", " ") for found in FENCED.findall(text)]
    spans = [" ".join(each.split()) for each in INLINE.findall(FENCED.sub("", text))]
    for line in "\n".join([*blocks, *spans]).splitlines():
        yield from CALL.findall(line)


def faults(service: str, operation: str, rest: str) -> list[str]:
    """Return the errors with which the AWS CLI would reject a call."""
    client = client_of({"s3api": "s3"}.get(service, service))
    name = operation_of(client, operation.replace("-", "_"))
    if name is None:
        return [f"no operation {operation}"]
    shape = client.meta.service_model.operation_model(name).input_shape
    required = {xform_name(member, "-") for member in shape.required_members}
    known = {xform_name(member, "-") for member in shape.members}
    flags = {
        f"no-{xform_name(member, '-')}"
        for member, kind in shape.members.items()
        if kind.type_name == "boolean"
    }
    given = set(OPTION.findall(rest))
    unknown = given - known - flags - GLOBAL
    return [
        *(f"no option {each}" for each in sorted(unknown)),
        *sorted(required - given),
    ]


def operation_of(client: Any, method: str) -> str | None:
    """Return the API name of an operation, or of the one that a waiter calls."""
    _, waits, waiter = method.rpartition("wait ")
    if waits and waiter in client.waiter_names:
        return client.get_waiter(waiter).config.operation
    return client.meta.method_to_api_mapping.get(method)


@cache
def client_of(service: str) -> Any:
    """Return a client of which only the service model is used."""
    return boto3.client(
        service,
        region_name="eu-west-1",
        aws_access_key_id="testing",
        aws_secret_access_key="synthetic",
    )


CALLS = sorted({*calls_in((ROOT / "docs/operations.md").read_text())})


@pytest.mark.parametrize("call", CALLS, ids=lambda call: " ".join(call[:2]))
def test_command_is_valid_for_aws(call):
    assert faults(*call) == []
