"""AWS credentials and region: from the environment, else as AWS's SDK finds them."""

import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from threading import Barrier

import pytest
from botocore.endpoint_provider import EndpointProvider
from botocore.session import Session

from kycourier.adapters.aws.credentials import AwsCredentials, CredentialProvider
from kycourier.adapters.aws.urls import default_endpoint
from kycourier.adapters.http.api_calls import CallFailedError
from support.aws.aws_proxy import AWS_MESSAGE, AwsResponse, respond

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
REFUSED = "<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>"
KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "synthetic"}


def process(command: str) -> str:
    """Return a configuration whose credentials a command prints."""
    return f"[default]\ncredential_process = {command}\n"


@pytest.fixture(autouse=True)
def machine(monkeypatch, tmp_path):
    """Hide this machine's AWS configuration; a test may write its files."""
    for variable in (*KEYS, "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for variable in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(variable, str(tmp_path / variable))
    return tmp_path


def test_environment_credentials_are_read_at_each_call_without_the_sdk():
    environ = dict(KEYS)
    provider = CredentialProvider(environ)
    assert provider.credentials() == AwsCredentials("testing", "synthetic", None)

    environ |= {"AWS_ACCESS_KEY_ID": "renewed", "AWS_SESSION_TOKEN": "token"}

    assert provider.credentials() == AwsCredentials("renewed", "synthetic", "token")
    assert provider._session is None


def test_shared_files_are_read_without_environment_credentials(machine):
    (machine / "AWS_CONFIG_FILE").write_text("[default]\nregion = eu-west-3\n")
    (machine / "AWS_SHARED_CREDENTIALS_FILE").write_text(
        "[default]\naws_access_key_id = filed\naws_secret_access_key = key\n"
    )

    provider = CredentialProvider({})

    assert provider.credentials() == AwsCredentials("filed", "key", None)
    assert provider.region() == "eu-west-3"


@pytest.mark.parametrize(
    "odd", ["synthetic\n", " synthetic", "synthétic", "synthetic\udc80"]
)
@pytest.mark.parametrize("variable", [*KEYS, "AWS_SESSION_TOKEN"])
def test_credentials_unfit_for_a_header_are_an_error(variable, odd):
    """The reason is not `no response`, because no request can be sent."""
    with pytest.raises(CallFailedError) as failed:
        CredentialProvider({**KEYS, variable: odd}).credentials()

    assert failed.value.code == "credentials have invalid characters"
    assert failed.value.__context__ is None


@pytest.mark.enable_socket
@pytest.mark.parametrize("variable", ["AWS_REGION", "AWS_DEFAULT_REGION"])
def test_role_is_assumed_once_in_the_environments_region(
    machine, monkeypatch, lone_proxy, variable
):
    (machine / "AWS_CONFIG_FILE").write_text(ROLE)
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", lone_proxy.url)
    lone_proxy.default_script = lambda *_: AwsResponse(200, ASSUMED.encode())
    provider, together = CredentialProvider({variable: "eu-west-3"}), Barrier(8)

    def load(_: int) -> AwsCredentials:
        together.wait()
        return provider.credentials()

    with ThreadPoolExecutor(8) as pool:
        loaded = list(pool.map(load, range(8)))

    assert loaded == [AwsCredentials("assumed", "its-key", "its-token")] * 8
    [call] = lone_proxy.calls
    assert "/eu-west-3/sts/aws4_request" in call.headers["authorization"]


@pytest.mark.enable_socket
def test_role_that_ends_soon_is_assumed_again(machine, monkeypatch, lone_proxy):
    (machine / "AWS_CONFIG_FILE").write_text(ROLE)
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", lone_proxy.url)
    soon = datetime.now(timezone.utc) + timedelta(minutes=5)  # noqa: TID251 - the SDK's clock
    first = ASSUMED.replace("2099-01-01T00:00:00Z", soon.isoformat())
    later = ASSUMED.replace("its-key", "next-key")
    lone_proxy.plan("POST", *[respond(200, text.encode()) for text in (first, later)])
    provider = CredentialProvider({"AWS_REGION": "eu-west-3"})

    loaded = [provider.credentials().key for _ in range(3)]

    assert loaded[-2:] == ["next-key", "next-key"]
    assert len(lone_proxy.calls) == 2


@pytest.mark.enable_socket
@pytest.mark.parametrize(
    ("config", "environ", "why"),
    [
        ("", {}, "no credentials"),
        ("", {"AWS_ACCESS_KEY_ID": "testing"}, "credentials are incomplete"),
        (ROLE, {"AWS_REGION": "eu-west-1"}, "credentials refused"),
        (process("/absent/command"), {}, "FileNotFoundError"),
        (process(f"{sys.executable} -V"), {}, "JSONDecodeError"),
        (process(f"{sys.executable} --absent"), {}, "CredentialRetrievalError"),
    ],
)
def test_unobtainable_credentials_are_an_error(
    machine, monkeypatch, lone_proxy, config, environ, why
):
    (machine / "AWS_CONFIG_FILE").write_text(config)
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", lone_proxy.url)
    lone_proxy.plan("POST", respond(403, REFUSED.encode()))

    with pytest.raises(CallFailedError) as failed:
        CredentialProvider(environ).credentials()

    assert failed.value.code == why
    assert failed.value.__context__ is None


@pytest.mark.enable_socket
def test_unreadable_response_of_sts_is_an_error(machine, monkeypatch, lone_proxy):
    (machine / "AWS_CONFIG_FILE").write_text(ROLE)
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", lone_proxy.url)
    lone_proxy.plan("POST", respond(200, f"<html>{AWS_MESSAGE}".encode()))

    with pytest.raises(CallFailedError) as failed:
        CredentialProvider({"AWS_REGION": "eu-west-1"}).credentials()

    assert failed.value.code == "ResponseParserError"
    assert failed.value.__context__ is None


def test_region_comes_from_the_environment():
    both = {"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-2"}

    assert CredentialProvider(both).region() == "eu-west-1"


@pytest.mark.parametrize(
    ("environ", "profile", "why"),
    [
        ({}, "default", "no region: set AWS_REGION"),
        ({}, "missing", "no such profile"),
        ({"AWS_REGION": "eu-west-1.attacker.example/"}, "default", "invalid region"),
        ({"AWS_DEFAULT_REGION": "Ireland"}, "default", "invalid region"),
    ],
)
def test_missing_or_malformed_region_is_an_error(
    machine, monkeypatch, environ, profile, why
):
    (machine / "AWS_CONFIG_FILE").write_text("[default]\n")
    monkeypatch.setenv("AWS_PROFILE", profile)

    with pytest.raises(CallFailedError) as failed:
        CredentialProvider(environ).region()

    assert failed.value.code == why


@pytest.mark.parametrize("service", SERVICES)
def test_every_sdk_region_is_accepted_with_the_sdks_endpoint(service):
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
        assert CredentialProvider({"AWS_REGION": region}).region() == region
        assert default_endpoint(service, region) == known.url
    assert len(regions) > 30


def test_credentials_repr_is_empty():
    assert repr(AwsCredentials("testing", "synthetic", "token")) == "AwsCredentials()"
