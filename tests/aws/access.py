"""How the tests reach AWS's stand-ins: environments, clients and new names."""

from functools import cache
from itertools import count
from typing import Any
from uuid import uuid4

import boto3
from botocore.config import Config

from fakes import FakeClock
from kycourier.adapters.aws.silence import silence_libraries
from kycourier.adapters.surroundings import Surroundings
from kycourier.ports import Clock

REGION = "eu-west-1"
KEY_ID, KEY = "testing", "synthetic"
_numbers = count()


def aws_environ(url: str) -> dict[str, str]:
    """Give the environment that leads AWS's SDKs to a stand-in."""
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": KEY_ID,
        "AWS_SECRET_ACCESS_KEY": KEY,
    }


def surroundings(
    url: str, *, clock: Clock | None = None, left: float | None = None, **more: str
) -> Surroundings:
    """Lead an adapter to a stand-in; `left` are the invocation's seconds."""
    environ = {**aws_environ(url), **more}
    around = {} if left is None else {"seconds_left": lambda: left}
    return Surroundings(clock=clock or FakeClock(), environ=environ, **around)


@cache
def client(service: str, url: str) -> Any:
    """Give a client of our own, to set the stage and to look at it."""
    silence_libraries()  # at DEBUG, as the suite listens, it tells what the stage holds
    session = boto3.Session(
        aws_access_key_id=KEY_ID, aws_secret_access_key=KEY, region_name=REGION
    )
    config = Config(retries={"total_max_attempts": 1})
    return session.client(service, endpoint_url=url, config=config)


def new_name(kind: str) -> str:
    """Name a place that no other test has, on this stand-in or another."""
    return f"{kind}-{next(_numbers)}-{uuid4().hex[:8]}"
