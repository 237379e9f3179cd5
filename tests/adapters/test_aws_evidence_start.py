"""How the evidence in S3 is opened: where, with whose credentials, or why not."""

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from aws.access import new_name, surroundings
from aws.bucket import KEY, assert_told, put
from aws.proxy import answering
from fakes import FakeClock
from hostile import HostileServer, Peer, refusing_port, reply
from kycourier.adapters import places
from kycourier.adapters.aws.evidence import _locate, open_bucket
from kycourier.adapters.surroundings import Surroundings
from kycourier.core.errors import EvidenceUnavailable, SettingError
from kycourier.setting_forms import Place
from stand_ins import IN_CLOUD

pytestmark = [*IN_CLOUD]


def start(url: str, where: str, **environ: str) -> str:
    """Give why a store cannot be opened, as the setting says it."""
    around = surroundings(url, **environ)
    with pytest.raises(SettingError) as failure:
        places.open_evidence(Place("s3", where), around, state=Place("dynamodb", "t"))
    assert failure.value.variable == "KYCOURIER_EVIDENCE"
    assert failure.value.__context__ is None
    assert where not in str(failure.value)
    return failure.value.why.removeprefix("cannot be used: ")


def test_missing_bucket_stops_the_start(moto):
    assert start(moto, new_name("bucket")) == "no such bucket in this region"


def test_denied_listing_stops_the_start(proxy, bucket):
    proxy.plan("GET", answering(403), answering(403))
    proxy.plan("HEAD", answering(403))

    assert start(proxy.url, bucket) == "denied s3:ListBucket on a bucket"


@pytest.mark.parametrize("status", [301, 400, 503])
def test_bucket_of_another_region_stops_the_start(proxy, bucket, status):
    proxy.plan("GET", answering(status), answering(status))
    proxy.plan("HEAD", answering(status), answering(status))

    assert start(proxy.url, bucket) == "unreachable, or in another region"


def test_nobody_there_stops_the_start(bucket):
    reason = start(f"http://127.0.0.1:{refusing_port()}", bucket)

    assert reason == "unreachable, or in another region"


def test_region_must_be_set(moto, bucket):
    reason = start(moto, bucket, AWS_REGION="", AWS_DEFAULT_REGION="")

    assert reason == "no region: set AWS_REGION"


def test_profile_that_is_not_there_is_named_as_the_reason(moto, bucket, monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "nosuch")

    reason = start(moto, bucket, AWS_REGION="", AWS_DEFAULT_REGION="")

    assert reason == "no such profile"


def test_endpoint_without_tls_is_refused_but_on_loopback(moto, bucket):
    elsewhere = "http://s3.example.com"

    reason = start(moto, bucket, AWS_ENDPOINT_URL_S3=elsewhere)

    assert reason == "AWS_ENDPOINT_URL_S3: must be https except on loopback"


@pytest.mark.parametrize(
    "where",
    ["B/x", "ab", "bucket//x", "bucket/a b", "bucket/../x", "bucket/x?region=y"],
)
def test_setting_that_names_no_plain_place_is_refused(moto, where):
    assert start(moto, where) == "must be s3://bucket/prefix, of plain names"


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
def test_bucket_is_looked_for_where_its_region_or_endpoint_says(
    bucket, environ, endpoint, by_name
):
    config = _locate(bucket, Surroundings(clock=FakeClock(), environ=environ))

    assert config["endpoint"] == config["aws_endpoint_url_s3"] == endpoint
    assert config["virtual_hosted_style_request"] is by_name


# credentials


def test_credentials_of_the_environment_are_those_of_the_moment(proxy, bucket):
    around = surroundings(proxy.url)
    environ = {**around.environ, "AWS_SESSION_TOKEN": "first"}
    store = open_bucket(
        Place("s3", bucket), Surroundings(clock=around.clock, environ=environ)
    )
    environ |= {"AWS_ACCESS_KEY_ID": "later", "AWS_SESSION_TOKEN": "second"}

    put(store)

    opened, sent = proxy.calls[0], proxy.calls[-1]
    assert opened.headers["x-amz-security-token"] == "first"
    assert sent.headers["x-amz-security-token"] == "second"
    assert "Credential=later/" in sent.headers["authorization"]


class Role:
    """Gives credentials as a container's agent does, each time others."""

    def __init__(self) -> None:
        self.given = 0
        self.minutes = 5.0
        self.is_broken = False

    def play(self, peer: Peer) -> None:
        while True:
            peer.hear()
            if self.is_broken:
                peer.send(reply(b"{}"))
                continue
            self.given += 1
            ends_at = datetime.now(timezone.utc) + timedelta(minutes=self.minutes)  # noqa: TID251 - the agent's clock
            given = {
                "AccessKeyId": f"KEY{self.given}",
                "SecretAccessKey": "synthetic",
                "Token": f"token{self.given}",
                "Expiration": ends_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            }
            peer.send(reply(json.dumps(given).encode()))


@pytest.fixture
def role(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Role]:
    """Let the machine have a role, and no other credentials."""
    role = Role()
    with closing(HostileServer(role.play)) as agent:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{agent.url}/role")
        for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
            monkeypatch.setenv(name, str(tmp_path / "none"))
        yield role


def without_keys(url: str) -> dict[str, str]:
    keys = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    return {name: text for name, text in surroundings(url).environ.items()
            if name not in keys}  # fmt: skip


def test_credentials_of_a_role_are_renewed_before_they_end(proxy, bucket, role):
    around = Surroundings(
        clock=surroundings(proxy.url).clock, environ=without_keys(proxy.url)
    )
    store = open_bucket(Place("s3", bucket), around)  # they end in five minutes

    role.minutes = 60
    put(store)
    given = role.given
    store.digest(KEY)

    opened, sent, last = proxy.calls[0], proxy.named("PUT")[0], proxy.calls[-1]
    assert opened.headers["x-amz-security-token"] != f"token{given}"
    assert sent.headers["x-amz-security-token"] == f"token{given}"
    assert f"Credential=KEY{given}/" in sent.headers["authorization"]
    assert role.given == given  # good for an hour: nobody asks again
    assert last.headers["x-amz-security-token"] == f"token{given}"


def test_credentials_that_cannot_be_had_are_a_failure_without_a_call(
    proxy, bucket, role
):
    around = Surroundings(
        clock=surroundings(proxy.url).clock, environ=without_keys(proxy.url)
    )
    store = open_bucket(Place("s3", bucket), around)
    before = len(proxy.calls)
    role.is_broken = True

    with pytest.raises(EvidenceUnavailable) as failure:
        put(store)

    assert_told(failure, "no credentials")
    assert len(proxy.calls) == before
