"""Secrets in Secrets Manager and SSM: names, encodings and reasons of failures."""

from collections.abc import Mapping

import pytest

from kycourier.adapters import registry
from kycourier.container import Container
from kycourier.core.errors import SettingError, StoreUnavailableError
from kycourier.core.redaction import Secret
from kycourier.settings.resource_url import ResourceUrl
from kycourier.usecases.deadlines import Deadline
from support.aws.aws_proxy import Script, respond_error
from support.aws.clients import aws_client, aws_context, aws_environ, new_name
from support.aws.services import open_secret
from support.fakes import FakeClock
from support.servers.emulators import EMULATOR_MARKS
from support.servers.hostile_server import closed_port

pytestmark = [*EMULATOR_MARKS]
VALUE = "synthetic-app-secret"
SCHEMES = {"aws-secretsmanager": "secret", "aws-ssm": "parameter"}
ACTIONS = {
    "aws-secretsmanager": "secretsmanager:GetSecretValue",
    "aws-ssm": "ssm:GetParameter",
}
ABSENT = "no such secret in this region"
EMPTY = "secret is empty: put its value"


@pytest.fixture(params=SCHEMES)
def scheme(request: pytest.FixtureRequest) -> str:
    return request.param


def keep(url: str, scheme: str, name: str, value: str = VALUE) -> None:
    """Store a value under a name of the scheme."""
    if scheme == "aws-ssm":
        aws_client("ssm", url).put_parameter(
            Name=name, Value=value, Type="SecureString", Overwrite=True
        )
        return
    keeper = aws_client("secretsmanager", url)
    try:
        keeper.put_secret_value(SecretId=name, SecretString=value)
    except keeper.exceptions.ResourceNotFoundException:
        keeper.create_secret(Name=name, SecretString=value)


def refuse(symbol: str) -> Script:
    return respond_error(symbol, message=f"not {VALUE}")


def fail(url: str, scheme: str, name: str) -> str:
    """Return why a secret cannot be read."""
    with pytest.raises(StoreUnavailableError) as failure:
        open_secret(url, scheme, name).get()
    assert failure.value.__context__ is None
    assert name not in str(failure.value)
    assert VALUE not in str(failure.value)
    return failure.value.reason


# names and encodings


@pytest.mark.parametrize("name", ["plain", "with/slashes", "/kycourier/app-secret"])
def test_secret_name_may_have_slashes(moto, scheme, name):
    keep(moto, scheme, name)

    assert open_secret(moto, scheme, name).get() == Secret(VALUE)


def test_secret_may_be_named_by_its_arn(moto):
    name = new_name("secret")
    created = aws_client("secretsmanager", moto).create_secret(
        Name=name, SecretString=VALUE
    )

    source = open_secret(moto, "aws-secretsmanager", created["ARN"])

    assert source.get() == Secret(VALUE)


def test_trailing_newline_is_dropped(moto, scheme):
    name = new_name("secret")
    keep(moto, scheme, name, "first\nsecond\n")

    assert open_secret(moto, scheme, name).get() == Secret("first\nsecond")


@pytest.mark.parametrize(
    ("content", "secret"), [(b"abc", "abc"), ("密\n".encode(), "密")]
)
def test_binary_secret_is_read_as_utf8(moto, content, secret):
    name = new_name("secret")
    aws_client("secretsmanager", moto).create_secret(Name=name, SecretBinary=content)

    assert open_secret(moto, "aws-secretsmanager", name).get() == Secret(secret)


def test_binary_secret_that_is_not_utf8_is_rejected(moto):
    name = new_name("secret")
    aws_client("secretsmanager", moto).create_secret(Name=name, SecretBinary=b"abc\xff")

    assert fail(moto, "aws-secretsmanager", name) == "secret is not UTF-8"


def test_parameter_is_requested_decrypted(proxy):
    name = new_name("secret")
    keep(proxy.url, "aws-ssm", name)

    assert open_secret(proxy.url, "aws-ssm", name).get() == Secret(VALUE)

    assert proxy.requests_to("GetParameter") == [{"Name": name, "WithDecryption": True}]


# reasons of failures


def test_empty_secret_tells_to_put_its_value(moto):
    name = new_name("secret")
    aws_client("secretsmanager", moto).create_secret(Name=name)

    assert fail(moto, "aws-secretsmanager", name) == EMPTY


def test_missing_secret_is_reported_as_missing(moto, scheme):
    missing = f"no such {SCHEMES[scheme]} in this region"

    assert fail(moto, scheme, new_name("secret")) == missing


def test_denied_describe_reports_both_possible_reasons(proxy):
    proxy.plan("DescribeSecret", refuse("AccessDeniedException"))

    reason = fail(proxy.url, "aws-secretsmanager", new_name("secret"))

    assert reason == f"{ABSENT}, or {EMPTY}"


def test_denied_secret_names_the_permission(proxy, scheme):
    action = ACTIONS[scheme]
    proxy.plan(action.partition(":")[2], refuse("AccessDeniedException"))

    reason = fail(proxy.url, scheme, new_name("secret"))

    assert reason == f"denied {action} on a {SCHEMES[scheme]}"


def test_other_errors_keep_their_code(proxy, scheme):
    proxy.plan(ACTIONS[scheme].partition(":")[2], refuse("InvalidRequestException"))

    assert fail(proxy.url, scheme, new_name("secret")) == "InvalidRequestException"


def test_secret_of_another_region_stops_the_start(moto, scheme):
    name = new_name("secret")
    keep(moto, scheme, name)
    elsewhere = aws_context(moto, AWS_REGION="eu-central-1")

    with pytest.raises(SettingError) as failure:
        registry.open_secret("app_secret", ResourceUrl(scheme, name), elsewhere)

    assert failure.value.variable == "KYCOURIER_APP_SECRET"
    assert f"no such {SCHEMES[scheme]} in this region" in failure.value.why
    assert name not in str(failure.value)


def test_refused_connection_is_a_failure(scheme):
    url = f"http://127.0.0.1:{closed_port()}"

    assert fail(url, scheme, "name1") == "unreachable"


# a foreign ticket


def build_environ(
    url: str, scheme: str, name: str, folder: object
) -> Mapping[str, str]:
    return {
        **aws_environ(url),
        "KYCOURIER_APP_ID": "SANDBOX1",
        "KYCOURIER_STATE": f"sqlite:///{folder}/state.db",
        "KYCOURIER_TICKET": f"{scheme}://{name}",
    }


def test_foreign_ticket_is_read_again_after_fifteen_seconds(moto, scheme, tmp_path):
    name, clock = new_name("ticket"), FakeClock()
    keep(moto, scheme, name, "first")
    parts = Container("test", build_environ(moto, scheme, name, tmp_path), {"app_id"})
    parts.clock = clock
    left = Deadline(clock.monotonic, seconds=60)
    tickets = parts.tickets
    assert tickets.current(left).value == Secret("first")
    keep(moto, scheme, name, '{"ticket": "second"}')

    clock.sleep(14.5)
    assert tickets.current(left).value == Secret("first")
    clock.sleep(0.5)
    assert tickets.current(left).value == Secret("second")
