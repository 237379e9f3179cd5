"""A function demands only what it uses, and says at once what is wrong with it."""

import traceback

import pytest

from kycourier import bootstrap
from kycourier.core.errors import SettingError
from kycourier_devkit.errors import FunctionNotStarted

pytestmark = pytest.mark.enable_socket
CANARY = "canary-value-that-must-not-be-shown"
NEEDED = {
    "refresh_ticket": {"APP_ID", "APP_SECRET", "STATE"},
    "collect_results": {
        "APP_ID", "APP_SECRET", "STATE", "EVIDENCE", "EVENTS", "FINGERPRINT_KEY",
    },
    "sweep_orders": {
        "APP_ID", "APP_SECRET", "STATE", "EVIDENCE", "EVENTS", "FINGERPRINT_KEY",
    },
    "orders_api": {
        "APP_ID", "STATE", "EVIDENCE", "EVENTS", "FINGERPRINT_KEY", "API_KEYS",
    },
}  # fmt: skip
MISSING = [(function, name) for function, names in NEEDED.items() for name in names]


def start(house, function, **settings):
    """Start with the settings that the function needs, and changes to them."""
    house.environ["KYCOURIER_API_KEYS"] = "env:SECRET"
    environ = {
        name: text
        for name, text in house.environ.items()
        if not name.startswith("KYCOURIER_")
        or name.removeprefix("KYCOURIER_") in NEEDED[function]
    }
    changed = {f"KYCOURIER_{name}": text for name, text in settings.items()}
    house.environ = environ | changed
    process = house.start(function)
    process.wait_until_ready()
    return process


def refusal(house, function, **settings):
    with pytest.raises(FunctionNotStarted) as caught:
        start(house, function, **settings)
    return str(caught.value)


@pytest.mark.parametrize("function", NEEDED)
def test_a_function_starts_with_what_it_uses(house, function):
    assert start(house, function).is_running


@pytest.mark.parametrize(("function", "name"), MISSING)
def test_a_missing_setting_stops_the_start_with_its_name(house, function, name):
    assert refusal(house, function, **{name: ""}) == f"KYCOURIER_{name}: is not set"


@pytest.mark.parametrize(
    ("function", "name", "text"),
    [
        ("collect_results", "APP_SECRET", f"env:{CANARY}"),
        ("collect_results", "APP_SECRET", CANARY),
        ("collect_results", "APP_SECRET", f"file:///nowhere/{CANARY}"),
        ("collect_results", "STATE", f"sqlite:////dev/null/{CANARY}"),
        ("collect_results", "STATE", f"dynamodb://{CANARY}"),
        ("collect_results", "EVIDENCE", f"file:///dev/null/{CANARY}"),
        ("collect_results", "EVENTS", f"file:///dev/null/{CANARY}"),
        ("collect_results", "QUEUE", f"sqlite:////dev/null/{CANARY}"),
        ("collect_results", "FINGERPRINT_KEY", "env:SHORT"),
        ("collect_results", "MAX_IN_FLIGHT", CANARY),
        ("refresh_ticket", "EVENTS", CANARY),
        ("orders_api", "API_KEYS", "env:THREE"),
        ("orders_api", "API_AUTH", CANARY),
    ],
)
def test_a_wrong_setting_stops_the_start_without_its_value(house, function, name, text):
    house.environ |= {"SHORT": CANARY[:8], "THREE": f"{CANARY}\nb\nc"}
    told = refusal(house, function, **{name: text})
    assert told.startswith(f"KYCOURIER_{name}: ")
    assert CANARY[:8] not in told
    assert CANARY[:8] not in house.log.read_text()


@pytest.mark.parametrize(
    ("auth", "mark"),
    [
        ("none", "AWS_LAMBDA_FUNCTION_NAME"),
        ("none", "TENCENTCLOUD_RUNENV"),
        ("gateway", "TENCENTCLOUD_RUNENV"),
        ("none", "SCF_RUNTIME_API"),
        ("gateway", "SCF_FUNCTIONNAME"),
        ("gateway", "SCF_FUNCTIONVERSION"),
        ("gateway", "SCF_NAMESPACE"),
        ("gateway", "SCF_RUNTIME"),
        ("gateway", "_SCF_SERVER_PORT"),
    ],
)
def test_an_open_api_is_refused_where_anybody_could_call_it(house, auth, mark):
    house.environ[mark] = "x"
    told = refusal(house, "orders_api", API_AUTH=auth)
    assert told.startswith("KYCOURIER_API_AUTH: ")


def test_a_gateway_may_authenticate_on_lambda(house):
    house.environ["AWS_LAMBDA_FUNCTION_NAME"] = "x"
    assert start(house, "orders_api", API_AUTH="gateway", API_KEYS="").is_running


def test_a_persons_own_credentials_for_tencent_cloud_make_no_scf(house):
    house.environ |= {
        "TENCENTCLOUD_SECRETID": "x",
        "TENCENTCLOUD_SECRETKEY": "x",
        "TENCENTCLOUD_REGION": "ap-guangzhou",
    }
    assert start(house, "orders_api", API_AUTH="none").is_running


def test_a_ticket_kept_by_someone_else_is_used_and_never_refreshed(house, tmp_path):
    """The keeper is another service: here a file that holds its ticket."""
    kept = tmp_path / "ticket"
    with house.start("refresh_ticket") as keeper:
        keeper.invoke({})
    kept.write_text(ticket_of(house))
    foreign = {
        "KYC_URL": house.sandbox.url,
        "TICKET": f"file://{kept}",
        "APP_SECRET": "",
        "STATE": f"sqlite:///{tmp_path}/2.db",
    }
    environ = dict(house.environ)
    collected = start(house, "collect_results", **foreign).invoke(
        {"order_no": "order1"}
    )
    assert collected["state"] == "collected"
    house.environ = environ
    timer = start(house, "refresh_ticket", **foreign)
    assert timer.invoke({}) == {"ticket": "kept elsewhere"}
    assert house.sandbox.report().token_calls == 1


def ticket_of(house):
    from kycourier.adapters.local.tickets import SqliteTicketStore  # noqa: PLC0415

    pair = SqliteTicketStore(house.folder / "state.db").load("SANDBOX1")
    return pair.ticket.reveal()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("APP_SECRET", CANARY),
        ("API_KEYS", "env:THREE"),
        ("FINGERPRINT_KEY", "env:SHORT"),
    ],
)
def test_what_stops_a_start_carries_no_frame_that_holds_a_secret(
    house, monkeypatch, name, text
):
    """As a crash reporter sees it: every frame's locals, and what came before."""
    environ = house.environ | {"THREE": f"{CANARY}\nb\nc", "SHORT": CANARY[:8]}
    environ |= {f"KYCOURIER_{name}": text, "KYCOURIER_API_AUTH": "signature"}
    environ.setdefault("KYCOURIER_API_KEYS", "env:SECRET")
    for variable, value in environ.items():
        monkeypatch.setenv(variable, value)
    with pytest.raises(SettingError) as caught:
        bootstrap.start_orders_api()
    error = caught.value
    assert error.__context__ is None
    ours = error.__traceback__.tb_next
    shown = traceback.TracebackException(type(error), error, ours, capture_locals=True)
    told = "".join(shown.format())
    assert f"KYCOURIER_{name}" in told
    assert CANARY[:8] not in told
