"""Whose calls of AWS they are: the environment's, else what AWS's SDK finds."""

import pytest
from botocore.endpoint_provider import EndpointProvider
from botocore.session import Session

from kycourier.adapters.aws.account import Account, AwsCredentials
from kycourier.adapters.aws.calls import NotDone
from kycourier.adapters.aws.endpoints import usual_endpoint

SERVICES = ("dynamodb", "events", "s3", "secretsmanager", "sqs", "ssm")
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


def test_a_profile_that_does_not_exist_is_told_so(monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "missing")

    with pytest.raises(NotDone) as not_done:
        Account({}).region()

    assert not_done.value.why == "no such profile"


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
