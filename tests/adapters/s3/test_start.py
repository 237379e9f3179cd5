"""Opening evidence in S3: endpoint, region, credentials and start checks."""

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from kycourier.adapters import registry
from kycourier.adapters.aws.evidence import _s3_config, open_bucket
from kycourier.adapters.context import AdapterContext
from kycourier.core.errors import EvidenceUnavailableError, SettingError
from kycourier.settings.resource_url import ResourceUrl
from support.aws.aws_proxy import respond
from support.aws.clients import aws_context, new_name
from support.aws.s3_objects import KEY, assert_failure, put_object
from support.fakes import FakeClock
from support.servers.emulators import EMULATOR_MARKS
from support.servers.hostile_server import (
    HostileServer,
    Peer,
    closed_port,
    http_response,
)

pytestmark = [*EMULATOR_MARKS]


def start(url: str, where: str, **environ: str) -> str:
    """Return why a store cannot be opened, as the setting error states it."""
    context = aws_context(url, **environ)
    with pytest.raises(SettingError) as failure:
        registry.open_evidence(
            ResourceUrl("s3", where), context, state=ResourceUrl("dynamodb", "t")
        )
    assert failure.value.variable == "KYCOURIER_EVIDENCE"
    assert failure.value.__context__ is None
    assert where not in str(failure.value)
    return failure.value.why.removeprefix("cannot be used: ")


def test_missing_bucket_stops_the_start(moto):
    assert start(moto, new_name("bucket")) == "no such bucket in this region"


def test_denied_listing_stops_the_start(proxy, bucket):
    proxy.plan("GET", respond(403), respond(403))
    proxy.plan("HEAD", respond(403))

    assert start(proxy.url, bucket) == "denied s3:ListBucket on a bucket"


@pytest.mark.parametrize("status", [301, 400, 503])
def test_bucket_of_another_region_stops_the_start(proxy, bucket, status):
    proxy.plan("GET", respond(status), respond(status))
    proxy.plan("HEAD", respond(status), respond(status))

    assert start(proxy.url, bucket) == "unreachable, or in another region"


def test_unreachable_endpoint_stops_the_start(bucket):
    reason = start(f"http://127.0.0.1:{closed_port()}", bucket)

    assert reason == "unreachable, or in another region"


def test_region_must_be_set(moto, bucket):
    reason = start(moto, bucket, AWS_REGION="", AWS_DEFAULT_REGION="")

    assert reason == "no region: set AWS_REGION"


def test_unknown_profile_stops_the_start(moto, bucket, monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "nosuch")

    reason = start(moto, bucket, AWS_REGION="", AWS_DEFAULT_REGION="")

    assert reason == "no such profile"


def test_plain_http_endpoint_is_rejected_except_on_loopback(moto, bucket):
    elsewhere = "http://s3.example.com"

    reason = start(moto, bucket, AWS_ENDPOINT_URL_S3=elsewhere)

    assert reason == "AWS_ENDPOINT_URL_S3: must be https except on loopback"


@pytest.mark.parametrize(
    "where",
    ["B/x", "ab", "bucket//x", "bucket/a b", "bucket/../x", "bucket/x?region=y"],
)
def test_malformed_bucket_or_prefix_stops_the_start(moto, where):
    assert start(moto, where) == "must be s3://bucket/prefix, with plain names"


@pytest.mark.parametrize(
    ("bucket", "environ", "endpoint", "by_name"),
    [
        ("b1c", {"AWS_REGION": "eu-west-1"},
         "https://b1c.s3.eu-west-1.amazonaws.com", True),
        ("b1c", {"AWS_DEFAULT_REGION": "cn-north-1"},
         "https://b1c.s3.cn-north-1.amazonaws.com.cn", True),
        ("b.c", {"AWS_REGION": "us-east-1"},
         "https://s3.us-east-1.amazonaws.com", False),
        ("b1c", {"AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": "https://a",
                 "AWS_ENDPOINT_URL_S3": "https://s3.example.com"},
         "https://s3.example.com", False),
    ],
)  # fmt: skip
def test_endpoint_follows_region_or_override(bucket, environ, endpoint, by_name):
    config = _s3_config(bucket, AdapterContext(clock=FakeClock(), environ=environ))

    assert config["endpoint"] == config["aws_endpoint_url_s3"] == endpoint
    assert config["virtual_hosted_style_request"] is by_name


# credentials


def test_environment_credentials_are_read_at_each_call(proxy, bucket):
    context = aws_context(proxy.url)
    environ = {**context.environ, "AWS_SESSION_TOKEN": "first"}
    store = open_bucket(
        ResourceUrl("s3", bucket), AdapterContext(clock=context.clock, environ=environ)
    )
    environ |= {"AWS_ACCESS_KEY_ID": "later", "AWS_SESSION_TOKEN": "second"}

    put_object(store)

    opened, sent = proxy.calls[0], proxy.calls[-1]
    assert opened.headers["x-amz-security-token"] == "first"
    assert sent.headers["x-amz-security-token"] == "second"
    assert "Credential=later/" in sent.headers["authorization"]


class Role:
    """A container's credentials agent that issues new credentials at each request."""

    def __init__(self) -> None:
        self.issued = 0
        self.minutes = 5.0
        self.is_broken = False

    def serve(self, peer: Peer) -> None:
        while True:
            peer.read_request()
            if self.is_broken:
                peer.send(http_response(b"{}"))
                continue
            self.issued += 1
            ends_at = datetime.now(timezone.utc) + timedelta(minutes=self.minutes)  # noqa: TID251 - the agent's clock
            credentials = {
                "AccessKeyId": f"KEY{self.issued}",
                "SecretAccessKey": "synthetic",
                "Token": f"token{self.issued}",
                "Expiration": ends_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            }
            peer.send(http_response(json.dumps(credentials).encode()))


@pytest.fixture
def role(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Role]:
    """Give this machine a role and no other credentials."""
    role = Role()
    with closing(HostileServer(role.serve)) as agent:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{agent.url}/role")
        for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
            monkeypatch.setenv(name, str(tmp_path / "none"))
        yield role


def without_keys(url: str) -> dict[str, str]:
    keys = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    return {name: text for name, text in aws_context(url).environ.items()
            if name not in keys}  # fmt: skip


def test_role_credentials_are_renewed_before_expiry(proxy, bucket, role):
    context = AdapterContext(
        clock=aws_context(proxy.url).clock, environ=without_keys(proxy.url)
    )
    store = open_bucket(
        ResourceUrl("s3", bucket), context
    )  # they expire in five minutes

    role.minutes = 60
    put_object(store)
    issued = role.issued
    store.digest(KEY)

    opened, sent, last = proxy.calls[0], proxy.calls_to("PUT")[0], proxy.calls[-1]
    assert opened.headers["x-amz-security-token"] != f"token{issued}"
    assert sent.headers["x-amz-security-token"] == f"token{issued}"
    assert f"Credential=KEY{issued}/" in sent.headers["authorization"]
    assert role.issued == issued  # valid for an hour: not requested again
    assert last.headers["x-amz-security-token"] == f"token{issued}"


def test_unobtainable_credentials_fail_without_a_call(proxy, bucket, role):
    context = AdapterContext(
        clock=aws_context(proxy.url).clock, environ=without_keys(proxy.url)
    )
    store = open_bucket(ResourceUrl("s3", bucket), context)
    before = len(proxy.calls)
    role.is_broken = True

    with pytest.raises(EvidenceUnavailableError) as failure:
        put_object(store)

    assert_failure(failure, "no credentials")
    assert len(proxy.calls) == before
