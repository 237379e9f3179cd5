"""Secrets in Secrets Manager and SSM: names, encodings and reasons of failures."""

import pytest

from kycourier.adapters.registry import UnwrappedSecret
from kycourier.core.errors import StoreUnavailableError
from kycourier.core.redaction import Secret
from support.aws.aws_proxy import respond_error
from support.aws.clients import aws_client, new_name
from support.aws.services import open_secret
from support.servers.emulators import EMULATOR_MARKS

pytestmark = [*EMULATOR_MARKS]
VALUE = "synthetic-app-secret"
MANAGER = "aws-secretsmanager"
ABSENT = "no such secret in this region"
EMPTY = "secret is empty: put its value"


def create(url: str, **members: str | bytes) -> dict[str, str]:
    """Create a secret in Secrets Manager; return its Name and ARN."""
    keeper = aws_client("secretsmanager", url)
    return keeper.create_secret(**{"Name": new_name("secret"), **members})


def fail(url: str, name: str) -> str:
    """Return why a secret cannot be read."""
    with pytest.raises(StoreUnavailableError) as failure:
        UnwrappedSecret(open_secret(url, MANAGER, name), None).get()
    assert failure.value.__context__ is None
    assert name not in str(failure.value)
    assert VALUE not in str(failure.value)
    return failure.value.reason


@pytest.mark.parametrize("member", ["Name", "ARN"])
def test_secret_is_found_by_its_path_or_arn(moto, member):
    name = f"/kycourier/{new_name('secret')}"
    created = create(moto, Name=name, SecretString=VALUE)

    assert open_secret(moto, MANAGER, created[member]).get() == Secret(VALUE)


def test_parameter_is_requested_decrypted(proxy):
    name = f"/kycourier/{new_name('secret')}"
    aws_client("ssm", proxy.url).put_parameter(
        Name=name, Value="first\nsecond", Type="SecureString"
    )

    found = open_secret(proxy.url, "aws-ssm", name).get()

    assert found == Secret("first\nsecond")
    assert proxy.requests_to("GetParameter") == [{"Name": name, "WithDecryption": True}]


@pytest.mark.parametrize(
    ("content", "secret"),
    [
        ({"SecretString": "first\nsecond"}, "first\nsecond"),
        ({"SecretBinary": b"abc"}, "abc"),
        ({"SecretBinary": "密".encode()}, "密"),
    ],
)
def test_text_or_utf8_bytes_are_read(moto, content, secret):
    name = create(moto, **content)["Name"]

    assert open_secret(moto, MANAGER, name).get() == Secret(secret)


def test_binary_secret_that_is_not_utf8_is_rejected(moto):
    name = create(moto, SecretBinary=f"{VALUE}\xff".encode("latin-1"))["Name"]

    assert fail(moto, name) == "secret is not UTF-8"


def test_secret_without_a_value_is_empty(moto):
    assert fail(moto, create(moto)["Name"]) == EMPTY


def test_denied_describe_reports_both_possible_reasons(proxy):
    proxy.plan(
        "DescribeSecret", respond_error("AccessDeniedException", message=f"not {VALUE}")
    )

    assert fail(proxy.url, new_name("secret")) == f"{ABSENT}, or {EMPTY}"
