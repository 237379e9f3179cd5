"""Stand-ins of the clouds, one for each worker of the suite, started when used."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import boto3
import pytest
import requests
from botocore.config import Config

from kycourier_devkit.errors import ToolMissing

REGION = "eu-west-1"
KEY_ID, KEY = "testing", "synthetic"
IN_CLOUD = (pytest.mark.enable_socket, pytest.mark.slow)
STAND_INS = {"dynamodb": "moto", "dynalite": "dynalite", "redis": "redis_url"}
STATE_KINDS = [
    "memory",
    "sqlite",
    *(pytest.param(kind, marks=IN_CLOUD) for kind in STAND_INS),
]


@contextmanager
def or_skip(stand_in: AbstractContextManager[str]) -> Iterator[str]:
    """Start a stand-in; where it cannot be had, skip in plain words."""
    try:
        url = stand_in.__enter__()
    except ToolMissing as missing:
        pytest.skip(str(missing))
    try:
        yield url
    finally:
        stand_in.__exit__(None, None, None)


def aws_environ(url: str) -> dict[str, str]:
    """Give the environment that leads AWS's SDKs to a stand-in."""
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": KEY_ID,
        "AWS_SECRET_ACCESS_KEY": KEY,
    }


def client(service: str, url: str):
    """Make a client of our own, to set the stage and to look at it."""
    session = boto3.Session(
        aws_access_key_id=KEY_ID, aws_secret_access_key=KEY, region_name=REGION
    )
    config = Config(retries={"total_max_attempts": 1})
    return session.client(service, endpoint_url=url, config=config)


def reset_moto(url: str) -> None:
    """Empty moto."""
    requests.post(f"{url}/moto-api/reset", timeout=10).raise_for_status()
