"""Reads the stores of a service rig without the service's code."""

import hashlib
import json
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, NamedTuple

from support.aws.clients import aws_client, aws_environ
from support.aws.dynamo_table import items_of, make_table
from support.aws.services import new_bucket
from support.processes.service_rig import ServiceRig
from support.rigs.redis_rig import flush, raw_client

FINAL_STATES = {"collected", "rejected", "expired", "parked"}


class RawOrder(NamedTuple):
    """An order's row; `events` are the outbox entries as JSON objects."""

    state: str
    version: int
    attempts: int
    folder: str | None
    reason: str | None
    due_at: str | None
    events: tuple[Mapping[str, Any], ...]

    @property
    def event_ids(self) -> tuple[str, ...]:
        return tuple(event["id"] for event in self.events)


class RawObject(NamedTuple):
    """A stored object; `mark` changes when the object is replaced."""

    sha256: str
    mark: object


class RawStores(NamedTuple):
    """Readers of a rig's state and evidence; `marks` returns every object's mark."""

    kind: str
    rows: Callable[[], Mapping[str, RawOrder]]
    find: Callable[[str], RawObject | None]
    marks: Callable[[], Mapping[str, object]]


def configure_stores(
    service_rig: ServiceRig, kind: str, urls: Callable[[str], str]
) -> RawStores:
    """Configure a rig for a kind of state store and return its readers.

    With DynamoDB the evidence goes to moto's S3.

    Args:
        service_rig: the rig, whose environment is changed.
        kind: sqlite, redis or dynamodb.
        urls: returns an emulator's URL by the name of its fixture.
    """
    match kind:
        case "sqlite":
            path = service_rig.folder / "state.db"
            return RawStores(kind, lambda: sqlite_rows(path), *in_files(service_rig))
        case "redis":
            url = flush(urls("redis_url"))
            service_rig.environ["KYCOURIER_STATE"] = url
            return RawStores(kind, lambda: redis_rows(url), *in_files(service_rig))
    moto = urls("moto")
    name, bucket = make_table(moto), new_bucket(moto)
    aws_client("s3", moto).put_bucket_versioning(
        Bucket=bucket, VersioningConfiguration={"Status": "Enabled"}
    )
    service_rig.environ |= {
        **aws_environ(moto),
        "KYCOURIER_STATE": f"dynamodb://{name}",
        "KYCOURIER_EVIDENCE": f"s3://{bucket}/kyc",
    }
    return RawStores(kind, lambda: dynamo_rows(moto, name), *in_bucket(moto, bucket))


def sqlite_rows(path: Path) -> dict[str, RawOrder]:
    if not path.exists():
        return {}
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as state:
        try:
            found = state.execute("SELECT record FROM orders").fetchall()
        except sqlite3.OperationalError:  # the tables are not made yet
            return {}
    return dict(read_row(record) for (record,) in found)


def redis_rows(url: str) -> dict[str, RawOrder]:
    keys = raw_client(url).keys("*:order:*")
    return dict(read_row(raw_client(url).hget(key, "record")) for key in keys)


def dynamo_rows(url: str, name: str) -> dict[str, RawOrder]:
    return dict(
        read_row(item["record"]["B"])
        for key, item in items_of(url, name).items()
        if key.startswith("order/")
    )


def read_row(record: bytes) -> tuple[str, RawOrder]:
    members = json.loads(record)  # without members that have their default
    return members["order_no"], RawOrder(
        members.get("state", "registered"),
        members.get("version", 1),
        members.get("attempts", 0),
        members.get("folder"),
        members.get("reason"),
        members.get("due_at"),
        tuple({"sent": False, **event} for event in members.get("events", ())),
    )


def in_files(service_rig: ServiceRig) -> tuple[Any, Any]:
    """Read evidence files; a replaced or rewritten file has another mark."""
    root = service_rig.folder / "evidence"

    def mark(key: str) -> object:
        status = (root / key).stat()
        return status.st_ino, status.st_mtime_ns

    def find(key: str) -> RawObject | None:
        try:
            content = (root / key).read_bytes()
        except FileNotFoundError:
            return None
        return RawObject(hashlib.sha256(content).hexdigest(), mark(key))

    def marks() -> dict[str, object]:
        kept: dict[str, object] = {}
        for key in service_rig.objects():
            with suppress(FileNotFoundError):  # a writer's temporary file
                kept[key] = mark(key)
        return kept

    return find, marks


def in_bucket(url: str, bucket: str) -> tuple[Any, Any]:
    """Read evidence in a versioned bucket."""
    s3, prefix = aws_client("s3", url), "kyc/"

    def find(key: str) -> RawObject | None:
        try:
            found = s3.get_object(Bucket=bucket, Key=f"{prefix}{key}")
        except s3.exceptions.NoSuchKey:
            return None
        digest = hashlib.sha256(found["Body"].read()).hexdigest()
        return RawObject(digest, found["VersionId"])

    def marks() -> dict[str, object]:
        pages = s3.get_paginator("list_object_versions").paginate(Bucket=bucket)
        kept: dict[str, object] = {}
        for each in [version for page in pages for version in page.get("Versions", ())]:
            key = each["Key"].removeprefix(prefix)
            kept[key] = "several" if key in kept else each["VersionId"]
        return kept

    return find, marks
