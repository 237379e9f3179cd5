"""Start checks of buses and secrets on Tencent Cloud."""

from contextlib import closing

import pytest

from support.aws.aws_proxy import drop_call, respond
from support.servers.hostile_server import closed_port
from support.start_checks import start_failure
from support.tencent_api_rig import (
    REGION,
    ROLE,
    TencentApiAccount,
    open_sink,
    refuse_call,
    tencent_context,
)

pytestmark = pytest.mark.enable_socket
BUS = f"tencent-eb://eb-00000001?region={REGION}"
SECRET = f"tencent-ssm://secret1?region={REGION}"
LOOKUPS = {"eb:GetEventBus": ("EVENTS", BUS, "bus")}
LOOKUPS |= {
    f"ssm:{action}": ("APP_SECRET", SECRET, "secret")
    for action in ("ListSecretVersionIds", "GetSecretValue")
}
NO_REGION = "has no region: append ?region=ap-…"
BAD_REGION = "has an invalid region: use one like"
BUS_FORM = "must be tencent-eb://eb-…?region=…"
SECRET_FORM = "must be tencent-ssm://name?region=…"


@pytest.mark.parametrize(
    ("where", "why"),
    [
        ("eb-1", NO_REGION),
        ("eb-1?region=ap-guangzhou&version=1", "takes the parameters region, each"),
        ("kycourier?region=ap-guangzhou", BUS_FORM),
        ("eb-1/x?region=ap-guangzhou", BUS_FORM),
        ("eb-99999999?region=ap-guangzhou", "no such bus in this region"),
        ("eb-00000001?region=ap-beijing", "no such bus in this region"),
    ],
)
def test_wrong_bus_stops_the_start(account, where, why):
    account.make_bus()
    context = tencent_context(account.url)

    reason = start_failure("EVENTS", f"tencent-eb://{where}", context)

    assert reason.startswith(why)


@pytest.mark.parametrize(
    ("where", "why"),
    [
        ("secret1", NO_REGION),
        ("secret1?region=", NO_REGION),
        ("secret1?region=Guangzhou", BAD_REGION),
        ("secret1?region=guangzhou", BAD_REGION),
        ("secret1?region=ap-x/y", BAD_REGION),
        ("secret1?region=ap-guangzhou&region=ap-beijing", "takes the parameters"),
        ("secret1?region=ap-guangzhou&token=x", "takes the parameters"),
        ("secret1?region=ap-guangzhou&version=", "has an invalid version"),
        ("a/secret?region=ap-guangzhou", SECRET_FORM),
        ("-secret?region=ap-guangzhou", SECRET_FORM),
        ("?region=ap-guangzhou", SECRET_FORM),
        ("secret1?region=ap-beijing", "no such secret in this region"),
        ("secret2?region=ap-guangzhou", "no such secret in this region"),
        ("secret1?region=ap-guangzhou&version=v2", "no such secret in this region"),
    ],
)
def test_wrong_secret_stops_the_start(account, where, why):
    account.keep("synthetic")
    context = tencent_context(account.url)

    reason = start_failure("APP_SECRET", f"tencent-ssm://{where}", context)

    assert reason.startswith(why)


@pytest.mark.parametrize("permission", LOOKUPS)
def test_denied_lookup_stops_the_start(permission):
    setting, url, kind = LOOKUPS[permission]
    denied = ROLE._replace(denied=frozenset({permission}))
    with closing(TencentApiAccount(denied)) as account:
        account.make_bus()
        account.keep("synthetic")

        reason = start_failure(setting, url, tencent_context(account.url))

    assert reason == f"denied {permission} on a {kind}"


@pytest.mark.parametrize(("setting", "url"), [("EVENTS", BUS), ("APP_SECRET", SECRET)])
def test_unreachable_endpoint_stops_the_start(setting, url):
    context = tencent_context(f"http://127.0.0.1:{closed_port()}")

    assert start_failure(setting, url, context) == "unreachable"


@pytest.mark.parametrize(
    "script",
    [
        drop_call,
        respond(404),
        refuse_call("InternalError"),
        refuse_call("InvalidAction"),
        refuse_call("UnsupportedOperation"),
        refuse_call("UnsupportedOperation.InvalidAction"),
    ],
)
def test_inconclusive_lookup_of_a_bus_does_not_stop_the_start(lone_proxy, script):
    lone_proxy.plan("GetEventBus", script, script)

    assert open_sink(lone_proxy.url, "eb-1")
