"""Whose calls of AWS they are: the environment's, else what AWS's SDK finds."""

import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from botocore.endpoint_provider import EndpointProvider
from botocore.session import Session

from aws.proxy import SAID, Answer, answering
from kycourier.adapters.aws.account import Account, AwsCredentials
from kycourier.adapters.aws.calls import NotDone
from kycourier.adapters.aws.endpoints import usual_endpoint

SERVICES = ("dynamodb", "events", "s3", "secretsmanager", "sqs", "ssm")
ROLE = """
[default]
role_arn = arn:aws:iam::123456789012:role/synthetic
source_profile = source
[profile source]
aws_access_key_id = filed
aws_secret_access_key = key
"""
STS = "https://sts.amazonaws.com/doc/2011-06-15/"
ASSUMED = f"""
<AssumeRoleResponse xmlns="{STS}"><AssumeRoleResult><Credentials>
<AccessKeyId>assumed</AccessKeyId><SecretAccessKey>its-key</SecretAccessKey>
<SessionToken>its-token</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration>
</Credentials></AssumeRoleResult></AssumeRoleResponse>
"""
KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "synthetic"}


@pytest.fixture(autouse=True)
def machine(monkeypatch, tmp_path):
    """Give the SDK a machine that knows nothing; a test may write its files."""
    for variable in (*KEYS, "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for variable in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(variable, str(tmp_path / variable))
    return tmp_path


def test_the_environments_credentials_are_those_of_the_moment_and_need_no_sdk():
    environ = dict(KEYS)
    mine = Account(environ)
    assert mine.credentials() == AwsCredentials("testing", "synthetic", None)

    environ |= {"AWS_ACCESS_KEY_ID": "renewed", "AWS_SESSION_TOKEN": "token"}

    assert mine.credentials() == AwsCredentials("renewed", "synthetic", "token")
    assert mine._session is None


def test_a_persons_files_are_read_where_the_environment_has_nothing(machine):
    (machine / "AWS_CONFIG_FILE").write_text("[default]\nregion = eu-west-3\n")
    (machine / "AWS_SHARED_CREDENTIALS_FILE").write_text(
        "[default]\naws_access_key_id = filed\naws_secret_access_key = key\n"
    )

    mine = Account({})

    assert mine.credentials() == AwsCredentials("filed", "key", None)
    assert mine.region() == "eu-west-3"


@pytest.mark.parametrize(
    ("environ", "why"),
    [
        ({}, "no credentials"),
        ({"AWS_ACCESS_KEY_ID": "testing"}, "credentials are not whole"),
    ],
)
def test_credentials_that_are_nowhere_or_not_whole_are_told_so(environ, why):
    with pytest.raises(NotDone) as not_done:
        Account(environ).credentials()

    assert not_done.value.why == why
    assert not_done.value.__context__ is None


@pytest.mark.parametrize(
    "odd", ["synthetic\n", " synthetic", "synthétic", "synthetic\udc80"]
)
@pytest.mark.parametrize("variable", [*KEYS, "AWS_SESSION_TOKEN"])
def test_credentials_that_no_header_can_hold_are_told_so(variable, odd):
    """Not as an answer that never came: nothing could be asked."""
    with pytest.raises(NotDone) as not_done:
        Account({**KEYS, variable: odd}).credentials()

    assert not_done.value.why == "credentials hold odd characters"
    assert not_done.value.__context__ is None


def test_a_profile_that_does_not_exist_is_told_so(monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "missing")

    with pytest.raises(NotDone) as not_done:
        Account({}).region()

    assert not_done.value.why == "no such profile"


@pytest.mark.enable_socket
@pytest.mark.parametrize("variable", ["AWS_REGION", "AWS_DEFAULT_REGION"])
def test_a_role_is_had_in_the_environments_region_and_once_for_all_threads(
    machine, monkeypatch, lone_proxy, variable
):
    (machine / "AWS_CONFIG_FILE").write_text(ROLE)
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", lone_proxy.url)
    lone_proxy.otherwise = lambda *_: Answer(200, ASSUMED.encode())
    mine, together = Account({variable: "eu-west-3"}), Barrier(8)

    def ask(_: int) -> AwsCredentials:
        together.wait()
        return mine.credentials()

    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(ask, range(8)))

    assert told == [AwsCredentials("assumed", "its-key", "its-token")] * 8
    [call] = lone_proxy.calls
    assert "/eu-west-3/sts/aws4_request" in call.headers["authorization"]


@pytest.mark.enable_socket
@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (
            403,
            "<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>",
            "credentials refused",
        ),
        (200, f"<html>{SAID}", "ResponseParserError"),
    ],
)
def test_a_role_that_is_refused_is_told_so(
    machine, monkeypatch, lone_proxy, status, body, why
):
    (machine / "AWS_CONFIG_FILE").write_text(ROLE)
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", lone_proxy.url)
    lone_proxy.plan("POST", answering(status, body.encode()))

    with pytest.raises(NotDone) as not_done:
        Account({"AWS_REGION": "eu-west-1"}).credentials()

    assert not_done.value.why == why
    assert not_done.value.__context__ is None


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("/absent/command", "FileNotFoundError"),
        (f"{sys.executable} -V", "JSONDecodeError"),
        (f"{sys.executable} --absent", "CredentialRetrievalError"),
    ],
)
def test_a_command_that_gives_no_credentials_is_told_of(machine, command, why):
    (machine / "AWS_CONFIG_FILE").write_text(
        f"[default]\ncredential_process = {command}\n"
    )

    with pytest.raises(NotDone) as not_done:
        Account({}).credentials()

    assert not_done.value.why == why
    assert not_done.value.__context__ is None


@pytest.mark.parametrize(
    ("environ", "region"),
    [
        ({"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-2"}, "eu-west-1"),
        ({"AWS_DEFAULT_REGION": "us-gov-west-1"}, "us-gov-west-1"),
    ],
)
def test_the_environments_region_is_taken(environ, region):
    assert Account(environ).region() == region


@pytest.mark.parametrize(
    ("environ", "why"),
    [
        ({}, "no region: set AWS_REGION"),
        ({"AWS_REGION": "eu-west-1.attacker.example/"}, "no such region"),
        ({"AWS_REGION": "Ireland"}, "no such region"),
    ],
)
def test_a_region_that_is_none_is_told_so(environ, why):
    with pytest.raises(NotDone) as not_done:
        Account(environ).region()

    assert not_done.value.why == why


@pytest.mark.parametrize("service", SERVICES)
def test_every_region_has_the_form_of_one_and_the_endpoint_that_the_sdk_knows(service):
    sdk = Session()
    loader = sdk.get_component("data_loader")
    rules = loader.load_service_model(service, "endpoint-rule-set-1")
    provider = EndpointProvider(rules, loader.load_data("partitions"))
    regions = [
        region
        for partition in sdk.get_available_partitions()
        for region in sdk.get_available_regions(service, partition)
    ]

    for region in regions:
        known = provider.resolve_endpoint(
            Region=region, UseFIPS=False, UseDualStack=False
        )
        assert Account({"AWS_REGION": region}).region() == region
        assert usual_endpoint(service, region) == known.url
    assert len(regions) > 30


def test_credentials_do_not_show_themselves():
    assert repr(AwsCredentials("testing", "synthetic", "token")) == "AwsCredentials()"
