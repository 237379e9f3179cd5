"""What only secrets in AWS have: their names, forms and the reasons they lack."""

from collections.abc import Mapping

import pytest

from aws.access import aws_environ, client, new_name, surroundings
from aws.edges import open_secret
from aws.proxy import Play, failing
from fakes import FakeClock
from hostile import refusing_port
from kycourier.adapters import places
from kycourier.assembly import Assembly
from kycourier.core.errors import (
    SettingError,
    StoreUnavailable,
    TicketUnavailable,
)
from kycourier.core.hidden import Secret
from kycourier.setting_forms import Place
from kycourier.usecases.time_left import TimeLeft
from stand_ins import IN_CLOUD

pytestmark = [*IN_CLOUD]
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
    """Put a value where a scheme says."""
    if scheme == "aws-ssm":
        client("ssm", url).put_parameter(
            Name=name, Value=value, Type="SecureString", Overwrite=True
        )
        return
    keeper = client("secretsmanager", url)
    try:
        keeper.put_secret_value(SecretId=name, SecretString=value)
    except keeper.exceptions.ResourceNotFoundException:
        keeper.create_secret(Name=name, SecretString=value)


def refuse(symbol: str) -> Play:
    return failing(symbol, said=f"not {VALUE}")


def fail(url: str, scheme: str, name: str) -> str:
    """Give why a secret cannot be read."""
    with pytest.raises(StoreUnavailable) as failure:
        open_secret(url, scheme, name).load()
    assert failure.value.__context__ is None
    assert name not in str(failure.value)
    assert VALUE not in str(failure.value)
    return failure.value.reason


# names and forms


@pytest.mark.parametrize("name", ["plain", "with/slashes", "/kycourier/app-secret"])
def test_secret_is_named_as_its_store_names_it(moto, scheme, name):
    keep(moto, scheme, name)

    assert open_secret(moto, scheme, name).load() == Secret(VALUE)


def test_secret_may_be_named_by_its_arn(moto):
    name = new_name("secret")
    kept = client("secretsmanager", moto).create_secret(Name=name, SecretString=VALUE)

    source = open_secret(moto, "aws-secretsmanager", kept["ARN"])

    assert source.load() == Secret(VALUE)


def test_newline_of_an_editor_is_not_counted(moto, scheme):
    name = new_name("secret")
    keep(moto, scheme, name, "first\nsecond\n")

    assert open_secret(moto, scheme, name).load() == Secret("first\nsecond")


@pytest.mark.parametrize(
    ("content", "secret"), [(b"abc", "abc"), ("密\n".encode(), "密")]
)
def test_binary_secret_is_read_as_utf8(moto, content, secret):
    name = new_name("secret")
    client("secretsmanager", moto).create_secret(Name=name, SecretBinary=content)

    assert open_secret(moto, "aws-secretsmanager", name).load() == Secret(secret)


def test_binary_secret_that_is_no_utf8_is_refused(moto):
    name = new_name("secret")
    client("secretsmanager", moto).create_secret(Name=name, SecretBinary=b"abc\xff")

    assert fail(moto, "aws-secretsmanager", name) == "secret is not UTF-8"


def test_parameter_is_asked_for_in_the_clear(proxy):
    name = new_name("secret")
    keep(proxy.url, "aws-ssm", name)

    assert open_secret(proxy.url, "aws-ssm", name).load() == Secret(VALUE)

    assert proxy.asked("GetParameter") == [{"Name": name, "WithDecryption": True}]


# why there is none


def test_secret_that_nobody_filled_says_what_to_do(moto):
    name = new_name("secret")
    client("secretsmanager", moto).create_secret(Name=name)

    assert fail(moto, "aws-secretsmanager", name) == EMPTY


def test_secret_that_is_not_there_is_named_as_missing(moto, scheme):
    missing = f"no such {SCHEMES[scheme]} in this region"

    assert fail(moto, scheme, new_name("secret")) == missing


def test_where_nobody_may_look_both_reasons_are_given(proxy):
    proxy.plan("DescribeSecret", refuse("AccessDeniedException"))

    reason = fail(proxy.url, "aws-secretsmanager", new_name("secret"))

    assert reason == f"{ABSENT}, or {EMPTY}"


def test_denied_secret_names_the_permission(proxy, scheme):
    action = ACTIONS[scheme]
    proxy.plan(action.partition(":")[2], refuse("AccessDeniedException"))

    reason = fail(proxy.url, scheme, new_name("secret"))

    assert reason == f"denied {action} on a {SCHEMES[scheme]}"


def test_other_refusals_keep_their_symbol(proxy, scheme):
    proxy.plan(ACTIONS[scheme].partition(":")[2], refuse("InvalidRequestException"))

    assert fail(proxy.url, scheme, new_name("secret")) == "InvalidRequestException"


def test_secret_of_another_region_stops_the_start(moto, scheme):
    name = new_name("secret")
    keep(moto, scheme, name)
    elsewhere = surroundings(moto, AWS_REGION="eu-central-1")

    with pytest.raises(SettingError) as failure:
        places.open_secret("app_secret", Place(scheme, name), elsewhere)

    assert failure.value.variable == "KYCOURIER_APP_SECRET"
    assert f"no such {SCHEMES[scheme]} in this region" in failure.value.why
    assert name not in str(failure.value)


def test_nobody_there_is_a_failure(scheme):
    url = f"http://127.0.0.1:{refusing_port()}"

    assert fail(url, scheme, "name1") == "unreachable"


# as the place of somebody else's ticket


def build_environ(
    url: str, scheme: str, name: str, folder: object
) -> Mapping[str, str]:
    return {
        **aws_environ(url),
        "KYCOURIER_APP_ID": "SANDBOX1",
        "KYCOURIER_STATE": f"sqlite:///{folder}/state.db",
        "KYCOURIER_TICKET": f"{scheme}://{name}",
    }


def test_ticket_kept_in_aws_is_never_older_than_fifteen_seconds(moto, scheme, tmp_path):
    name, clock = new_name("ticket"), FakeClock()
    keep(moto, scheme, name, "first")
    parts = Assembly("test", build_environ(moto, scheme, name, tmp_path), {"app_id"})
    parts.clock = clock
    left = TimeLeft(clock.monotonic, seconds=60)
    tickets = parts.tickets
    assert tickets.current(left).value == Secret("first")
    keep(moto, scheme, name, '{"ticket": "second"}')

    clock.sleep(14.5)
    assert tickets.current(left).value == Secret("first")
    clock.sleep(0.5)
    assert tickets.current(left).value == Secret("second")


def test_ticket_that_was_refused_is_read_again_at_once(moto, scheme, tmp_path):
    name, clock = new_name("ticket"), FakeClock()
    keep(moto, scheme, name, "first")
    parts = Assembly("test", build_environ(moto, scheme, name, tmp_path), {"app_id"})
    left = TimeLeft(clock.monotonic, seconds=60)
    refused = parts.tickets.current(left)

    with pytest.raises(TicketUnavailable):
        parts.tickets.renew(refused, left)
    keep(moto, scheme, name, "second")

    assert parts.tickets.renew(refused, left).value == Secret("second")
    assert parts.tickets.current(left).value == Secret("second")


def test_ticket_that_cannot_be_read_just_now_is_the_last_one(proxy, scheme, tmp_path):
    name, clock = new_name("ticket"), FakeClock()
    keep(proxy.url, scheme, name, "first")
    environ = build_environ(proxy.url, scheme, name, tmp_path)
    parts = Assembly("test", environ, {"app_id"})
    parts.clock = clock
    left = TimeLeft(clock.monotonic, seconds=60)
    assert parts.tickets.current(left).value == Secret("first")

    clock.sleep(20)
    call = ACTIONS[scheme].partition(":")[2]
    proxy.plan(call, refuse("InternalServiceError"), refuse("InternalServiceError"))

    assert parts.tickets.current(left).value == Secret("first")
