"""What a house's stores hold, read from the outside: by none of the service's code."""

import hashlib
import json
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, NamedTuple

from aws.access import aws_environ, client
from aws.edges import new_bucket
from aws.table import items_of, make_table
from houses import House
from redis_bench import empty, look_into

FINAL = {"collected", "rejected", "expired", "parked"}


class Row(NamedTuple):
    """An order's row; `events` are the outbox's, each as its members."""

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


class Stored(NamedTuple):
    """An object as it lies there; `mark` is another once it has been replaced."""

    sha256: str
    mark: object


class Stores(NamedTuple):
    """A house's state and evidence, whatever they lie in; `marks` are all objects'."""

    kind: str
    rows: Callable[[], Mapping[str, Row]]
    find: Callable[[str], Stored | None]
    marks: Callable[[], Mapping[str, object]]


def furnish(house: House, kind: str, urls: Callable[[str], str]) -> Stores:
    """Put a house's state into a store of that kind; give the outside's view.

    `urls` gives a stand-in's URL by its fixture's name. With a DynamoDB the evidence
    lies in moto's S3.
    """
    match kind:
        case "sqlite":
            path = house.folder / "state.db"
            return Stores(kind, lambda: sqlite_rows(path), *in_files(house))
        case "redis":
            url = empty(urls("redis_url"))
            house.environ["KYCOURIER_STATE"] = url
            return Stores(kind, lambda: redis_rows(url), *in_files(house))
    moto = urls("moto")
    dynamo = urls("dynalite") if kind == "dynalite" else moto
    name, bucket = make_table(dynamo), new_bucket(moto)
    client("s3", moto).put_bucket_versioning(
        Bucket=bucket, VersioningConfiguration={"Status": "Enabled"}
    )
    house.environ |= {
        **aws_environ(moto),
        "AWS_ENDPOINT_URL_DYNAMODB": dynamo,
        "KYCOURIER_STATE": f"dynamodb://{name}",
        "KYCOURIER_EVIDENCE": f"s3://{bucket}/kyc",
    }
    return Stores(kind, lambda: dynamo_rows(dynamo, name), *in_bucket(moto, bucket))


def sqlite_rows(path: Path) -> dict[str, Row]:
    if not path.exists():
        return {}
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as state:
        try:
            found = state.execute("SELECT record FROM orders").fetchall()
        except sqlite3.OperationalError:  # the tables are not made yet
            return {}
    return dict(read_row(record) for (record,) in found)


def redis_rows(url: str) -> dict[str, Row]:
    keys = look_into(url).keys("*:order:*")
    return dict(read_row(look_into(url).hget(key, "record")) for key in keys)


def dynamo_rows(url: str, name: str) -> dict[str, Row]:
    return dict(
        read_row(item["record"]["B"])
        for key, item in items_of(url, name).items()
        if key.startswith("order/")
    )


def read_row(record: bytes) -> tuple[str, Row]:
    members = json.loads(record)
    return members["order_no"], Row(
        members["state"],
        members["version"],
        members["attempts"],
        members["folder"],
        members["reason"],
        members["due_at"],
        tuple(members["events"]),
    )


def in_files(house: House) -> tuple[Any, Any]:
    """Look at evidence in files: one that was replaced or written to is told apart."""
    root = house.folder / "evidence"

    def mark(key: str) -> object:
        status = (root / key).stat()
        return status.st_ino, status.st_mtime_ns

    def find(key: str) -> Stored | None:
        try:
            content = (root / key).read_bytes()
        except FileNotFoundError:
            return None
        return Stored(hashlib.sha256(content).hexdigest(), mark(key))

    def marks() -> dict[str, object]:
        kept: dict[str, object] = {}
        for key in house.objects():
            with suppress(FileNotFoundError):  # a writer's own, before it is in place
                kept[key] = mark(key)
        return kept

    return find, marks


def in_bucket(url: str, bucket: str) -> tuple[Any, Any]:
    """Look at evidence in a bucket that keeps versions."""
    s3, prefix = client("s3", url), "kyc/"

    def find(key: str) -> Stored | None:
        try:
            found = s3.get_object(Bucket=bucket, Key=f"{prefix}{key}")
        except s3.exceptions.NoSuchKey:
            return None
        digest = hashlib.sha256(found["Body"].read()).hexdigest()
        return Stored(digest, found["VersionId"])

    def marks() -> dict[str, object]:
        pages = s3.get_paginator("list_object_versions").paginate(Bucket=bucket)
        kept: dict[str, object] = {}
        for each in [version for page in pages for version in page.get("Versions", ())]:
            key = each["Key"].removeprefix(prefix)
            kept[key] = "several" if key in kept else each["VersionId"]
        return kept

    return find, marks
