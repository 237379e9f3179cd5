"""A function requires only the settings it needs, and rejects wrong ones at start."""

import json
import traceback

import pytest

from kycourier import bootstrap
from kycourier.adapters.local.tickets import SqliteTicketStore
from kycourier.core.errors import SettingError
from kycourier_devkit.errors import FunctionStartError

pytestmark = pytest.mark.enable_socket
CANARY = "canary-value-that-must-not-be-shown"
COLLECTING = {"STATE", "EVIDENCE", "EVENTS", "FINGERPRINT_KEY", "APP_ID"}
NEEDED = {
    "refresh_ticket": {"APP_ID", "APP_SECRET", "STATE"},
    "collect_results": COLLECTING | {"APP_SECRET"},
    "sweep_orders": COLLECTING | {"APP_SECRET"},
    "orders_api": COLLECTING | {"API_KEYS"},
}
MISSING = [
    (function, name) for function, names in NEEDED.items() for name in sorted(names)
]


def start(service_rig, function, **settings):
    """Start a function with only the settings it needs, and with changes to them."""
    service_rig.environ["KYCOURIER_API_KEYS"] = "env:SECRET"
    environ = {
        name: text
        for name, text in service_rig.environ.items()
        if not name.startswith("KYCOURIER_")
        or name.removeprefix("KYCOURIER_") in NEEDED[function]
    }
    changed = {f"KYCOURIER_{name}": text for name, text in settings.items()}
    service_rig.environ = environ | changed
    process = service_rig.start(function)
    process.wait_until_ready()
    return process


def refusal(service_rig, function, **settings):
    with pytest.raises(FunctionStartError) as caught:
        start(service_rig, function, **settings)
    return str(caught.value)


@pytest.mark.parametrize("function", NEEDED)
def test_function_starts_with_only_the_settings_it_needs(service_rig, function):
    assert start(service_rig, function).is_running


@pytest.mark.parametrize(("function", "name"), MISSING)
def test_missing_setting_stops_the_start_with_its_name(service_rig, function, name):
    message = refusal(service_rig, function, **{name: ""})
    assert message == f"KYCOURIER_{name}: is not set"


@pytest.mark.parametrize(
    ("function", "name", "text"),
    [
        ("collect_results", "APP_SECRET", f"env:{CANARY}"),
        ("collect_results", "APP_SECRET", CANARY),
        ("collect_results", "APP_SECRET", f"file:///nowhere/{CANARY}"),
        ("collect_results", "APP_SECRET", "env:TWO"),
        ("collect_results", "APP_SECRET", "env:TWO?key=none"),
        ("collect_results", "STATE", f"sqlite:////dev/null/{CANARY}"),
        ("collect_results", "STATE", f"dynamodb://{CANARY}"),
        ("collect_results", "EVIDENCE", f"file:///dev/null/{CANARY}"),
        ("collect_results", "EVENTS", f"file:///dev/null/{CANARY}"),
        ("collect_results", "QUEUE", f"sqlite:////dev/null/{CANARY}"),
        ("collect_results", "FINGERPRINT_KEY", "env:SHORT"),
        ("collect_results", "RECIPIENT_KEY", "env:SHORT"),
        ("orders_api", "RECIPIENT_KEY", "env:TWO"),
        ("collect_results", "MAX_IN_FLIGHT", CANARY),
        ("refresh_ticket", "EVENTS", CANARY),
        ("orders_api", "API_KEYS", "env:THREE"),
        ("orders_api", "API_AUTH", CANARY),
    ],
)
def test_wrong_setting_stops_the_start_without_its_value(
    service_rig, function, name, text
):
    service_rig.environ |= {
        "SHORT": CANARY[:8],
        "THREE": f"{CANARY}\nb\nc",
        "TWO": json.dumps({"id": CANARY, "secret": CANARY}),
    }
    message = refusal(service_rig, function, **{name: text})
    assert message.startswith(f"KYCOURIER_{name}: ")
    assert CANARY[:8] not in message
    assert CANARY[:8] not in service_rig.log.read_text()


@pytest.mark.parametrize("function", ["collect_results", "sweep_orders", "orders_api"])
@pytest.mark.parametrize(
    ("secret", "reason"),
    [
        ("", "is not set"),
        ("env:THREE", "cannot be used: must be one or two whsec_ secrets, a line each"),
    ],
)
def test_webhook_without_a_usable_secret_stops_the_start(
    service_rig, function, secret, reason
):
    service_rig.environ["THREE"] = f"{CANARY}\nb\nc"
    url = f"https://partner.example/hook?token={CANARY}"
    message = refusal(service_rig, function, EVENTS=url, WEBHOOK_SECRET=secret)
    assert message == f"KYCOURIER_WEBHOOK_SECRET: {reason}"


@pytest.mark.parametrize(
    ("auth", "mark"),
    [
        ("none", "AWS_LAMBDA_FUNCTION_NAME"),
        ("none", "SCF_RUNTIME_API"),
        ("gateway", "TENCENTCLOUD_RUNENV"),
        ("gateway", "SCF_FUNCTIONNAME"),
        ("gateway", "_SCF_SERVER_PORT"),
    ],
)
def test_unauthenticated_api_is_rejected_on_a_public_endpoint(service_rig, auth, mark):
    service_rig.environ[mark] = "x"
    message = refusal(service_rig, "orders_api", API_AUTH=auth)
    assert message.startswith("KYCOURIER_API_AUTH: ")


def test_gateway_auth_is_accepted_on_lambda(service_rig):
    service_rig.environ["AWS_LAMBDA_FUNCTION_NAME"] = "x"
    assert start(service_rig, "orders_api", API_AUTH="gateway", API_KEYS="").is_running


def test_tencent_credentials_alone_do_not_mean_scf(service_rig):
    service_rig.environ |= {
        "TENCENTCLOUD_SECRETID": "x",
        "TENCENTCLOUD_SECRETKEY": "x",
        "TENCENTCLOUD_REGION": "ap-guangzhou",
    }
    assert start(service_rig, "orders_api", API_AUTH="none").is_running


def test_foreign_ticket_is_used_and_never_refreshed(service_rig, tmp_path):
    """Another service keeps the ticket, here in a file."""
    file = tmp_path / "ticket"
    with service_rig.start("refresh_ticket") as owner:
        owner.invoke({})
    pair = SqliteTicketStore(service_rig.folder / "state.db").get("SANDBOX1")
    file.write_text(pair.ticket.expose())
    foreign = {
        "KYC_URL": service_rig.sandbox.url,
        "TICKET": f"file://{file}",
        "APP_SECRET": "",
        "STATE": f"sqlite:///{tmp_path}/2.db",
    }
    environ = dict(service_rig.environ)
    collected = start(service_rig, "collect_results", **foreign).invoke(
        {"order_no": "order1"}
    )
    assert collected["state"] == "collected"
    service_rig.environ = environ
    timer = start(service_rig, "refresh_ticket", **foreign)
    assert timer.invoke({}) == {"ticket": "kept elsewhere"}
    assert service_rig.sandbox.report().token_calls == 1


@pytest.mark.parametrize(
    ("kept", "cause"),
    [
        (f's:40:"{CANARY}";', "ticket_unreadable"),
        (json.dumps({"id": CANARY}), "ticket_unreadable"),
        (None, "secret_unreadable"),
    ],
    ids=["PHP", "another member", "missing"],
)
def test_unusable_foreign_ticket_is_named_by_the_order_and_stops_no_start(
    service_rig, tmp_path, kept, cause
):
    file = tmp_path / "ticket"
    if kept is not None:
        file.write_text(kept)
    foreign = {
        "KYC_URL": service_rig.sandbox.url,
        "TICKET": f"file://{file}",
        "APP_SECRET": "",
    }
    process = start(service_rig, "collect_results", **foreign)
    order = process.invoke({"order_no": "order1"})
    assert (order["state"], order["reason"]) == ("waiting", "transient")
    assert order["last_problem"]["cause"] == cause
    assert CANARY not in service_rig.log.read_text()


@pytest.mark.parametrize(
    ("name", "text"), [("APP_SECRET", CANARY), ("API_KEYS", "env:THREE")]
)
def test_setting_error_frames_hold_no_secret(service_rig, monkeypatch, name, text):
    """A crash reporter sees every frame's locals and chained exceptions."""
    environ = service_rig.environ | {"THREE": f"{CANARY}\nb\nc", "SHORT": CANARY[:8]}
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
    text = "".join(shown.format())
    assert f"KYCOURIER_{name}" in text
    assert CANARY[:8] not in text
