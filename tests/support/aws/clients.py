"""Environments, boto3 clients and unique names for AWS emulators."""

from functools import cache
from itertools import count
from typing import Any
from uuid import uuid4

import boto3
from botocore.config import Config

from kycourier.adapters.aws.credentials import mute_sdk
from kycourier.adapters.context import AdapterContext
from kycourier.ports import Clock
from support.fakes import FakeClock

REGION = "eu-west-1"
KEY_ID, KEY = "testing", "synthetic"
_numbers = count()


def aws_environ(url: str) -> dict[str, str]:
    """Return environment variables that point AWS SDKs at an emulator."""
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": KEY_ID,
        "AWS_SECRET_ACCESS_KEY": KEY,
    }


def aws_context(
    url: str, *, clock: Clock | None = None, left: float | None = None, **more: str
) -> AdapterContext:
    """Build an adapter context for an emulator; `left` is the remaining time in s."""
    environ = {**aws_environ(url), **more}
    context = {} if left is None else {"seconds_left": lambda: left}
    return AdapterContext(clock=clock or FakeClock(), environ=environ, **context)


@cache
def aws_client(service: str, url: str) -> Any:
    """Return a boto3 client with which a test prepares and reads resources."""
    mute_sdk()  # at DEBUG botocore logs request bodies
    session = boto3.Session(
        aws_access_key_id=KEY_ID, aws_secret_access_key=KEY, region_name=REGION
    )
    config = Config(retries={"total_max_attempts": 1})
    return session.client(service, endpoint_url=url, config=config)


def new_name(kind: str) -> str:
    """Return a resource name that no other test uses."""
    return f"{kind}-{next(_numbers)}-{uuid4().hex[:8]}"
