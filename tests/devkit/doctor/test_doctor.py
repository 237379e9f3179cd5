"""The checks of the doctor command."""

from datetime import datetime, timedelta, timezone

import pytest

from kycourier.adapters.local.schema import open_stores
from kycourier_devkit.doctor.kyc_host import _check_clock
from kycourier_devkit.sandbox import APP_SECRET, Sandbox
from support.aws.clients import aws_client, aws_environ, new_name
from support.aws.services import new_bucket, new_bus, new_queue

pytestmark = pytest.mark.enable_socket
NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)
SECRET_VALUE = "canary"


@pytest.fixture
def sandbox():
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def doctor(kycourier, sandbox):
    """Run the doctor. Returns the exit code, and the rows by name."""

    def call(**environ):
        result = kycourier("doctor", **{"KYCOURIER_KYC_URL": sandbox.url} | environ)
        assert SECRET_VALUE not in result.out + result.err
        head, *lines = result.out.splitlines()
        middle, right = head.index("CHECK"), head.index("RESULT")
        cells = [(line[:middle], line[middle:right], line[right:]) for line in lines]
        rows = {name.strip(): (state.strip(), detail) for state, name, detail in cells}
        return result.code, rows

    return call


def test_new_folder_has_no_problem(doctor):
    code, rows = doctor()
    assert code == 0
    assert rows["KYCOURIER_STATE"] == ("ok", "local value")
    assert rows["KYCOURIER_KYC_URL"] == ("ok", "set")
    assert rows["KYCOURIER_MAX_IN_FLIGHT"] == ("ok", "default 10")
    assert rows["KYC host"] == ("ok", "responds")
    assert rows["ticket pair"][0] == "note"
    assert {rows[name][0] for name in ("state", "evidence", "events", "queue")} == {
        "ok"
    }


def test_each_wrong_setting_is_a_problem(doctor):
    code, rows = doctor(
        KYCOURIER_APP_ID="PARTNER1",
        KYCOURIER_API_AUTH="signature",
        KYCOURIER_STATE=f"{SECRET_VALUE}://",
        KYCOURIER_MAX_IN_FLIGHT=SECRET_VALUE,
        KYCOURIER_EVNTS=SECRET_VALUE,
    )
    assert code == 1
    assert rows["KYCOURIER_STATE"][0] == "problem"
    assert rows["KYCOURIER_APP_SECRET"] == ("problem", "is not set")
    assert rows["KYCOURIER_API_KEYS"] == ("problem", "is not set")
    assert rows["KYCOURIER_EVNTS"][0] == "problem"
    assert rows["KYCOURIER_MAX_IN_FLIGHT"] == ("problem", "must be a number")
    assert rows["other checks"][0] == "note"


@pytest.mark.parametrize(
    ("environ", "row"),
    [
        ({"KYCOURIER_APP_SECRET": "env:ABSENT"}, "app secret"),
        (
            {"KYCOURIER_FINGERPRINT_KEY": "env:KEY", "KEY": SECRET_VALUE},
            "fingerprint key",
        ),
        ({"KYCOURIER_API_KEYS": "env:KEY", "KEY": f"{SECRET_VALUE}\n\n"}, "API keys"),
        ({"KYCOURIER_TICKET": "env:ABSENT"}, "ticket source"),
        ({"KYCOURIER_EVIDENCE": "file:///proc/absent"}, "evidence"),
        ({"KYCOURIER_EVENTS": "file:///proc/absent/events.jsonl"}, "events"),
        ({"KYCOURIER_QUEUE": "sqlite:////proc/absent/queue.db"}, "queue"),
        ({"KYCOURIER_STATE": "sqlite:////proc/absent/state.db"}, "KYCOURIER_STATE"),
        ({"KYCOURIER_KYC_URL": "http://127.0.0.1:9"}, "KYC host"),
    ],
)
def test_unusable_resource_is_the_only_problem(doctor, environ, row):
    code, rows = doctor(**environ)
    assert code == 1
    assert rows[row][0] == "problem"
    assert [name for name, (state, _) in rows.items() if state == "problem"] == [row]


@pytest.fixture
def aws(moto):
    """Return settings that name a resource on AWS for each port."""
    secret, key = new_name("secret"), f"/{new_name('fingerprint')}"
    aws_client("secretsmanager", moto).create_secret(
        Name=secret, SecretString=APP_SECRET
    )
    aws_client("ssm", moto).put_parameter(Name=key, Value="k" * 32, Type="SecureString")
    return {
        **aws_environ(moto),
        "KYCOURIER_APP_SECRET": f"aws-secretsmanager://{secret}",
        "KYCOURIER_FINGERPRINT_KEY": f"aws-ssm://{key}",
        "KYCOURIER_EVIDENCE": f"s3://{new_bucket(moto)}/kyc",
        "KYCOURIER_EVENTS": f"eventbridge://{new_bus(moto)}",
        "KYCOURIER_QUEUE": f"sqs://{new_queue(moto)}",
    }


@pytest.mark.slow
def test_aws_resources_are_checked(doctor, aws):
    code, rows = doctor(**aws)

    assert code == 0
    assert rows["app secret"] == ("ok", "can be read")
    assert rows["fingerprint key"] == ("ok", "can be read")
    assert rows["evidence"] == ("ok", "can be listed")
    assert rows["events"] == ("ok", "exists")
    assert rows["queue"] == ("ok", "exists")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("variable", "scheme", "row", "kind"),
    [
        ("EVIDENCE", "s3", "evidence", "bucket"),
        ("EVENTS", "eventbridge", "events", "bus"),
        ("EVENTS", "sqs", "events", "queue"),
        ("QUEUE", "sqs", "queue", "queue"),
        ("APP_SECRET", "aws-secretsmanager", "app secret", "secret"),
        ("FINGERPRINT_KEY", "aws-ssm", "fingerprint key", "parameter"),
    ],
)
def test_missing_aws_resource_is_a_problem(doctor, aws, variable, scheme, row, kind):
    _, rows = doctor(**aws | {f"KYCOURIER_{variable}": f"{scheme}://{SECRET_VALUE}-1"})

    reason = f"cannot be used: no such {kind} in this region"
    assert rows[row] == ("problem", reason)


@pytest.mark.parametrize(
    ("date", "state"),
    [
        (NOW, "ok"),
        (NOW + timedelta(seconds=60), "ok"),
        (NOW - timedelta(seconds=61), "problem"),
        (NOW + timedelta(minutes=10), "problem"),
        (None, "note"),
        (NOW.replace(tzinfo=None), "note"),
    ],
)
def test_clock_skew_over_a_minute_is_a_problem(date, state):
    assert _check_clock(date, NOW).state == state


def test_ticket_pair_backlog_and_circuit_breaker_are_checked(
    kycourier, sandbox, doctor
):
    kycourier("refresh", KYCOURIER_KYC_URL=sandbox.url)
    assert doctor()[1]["ticket pair"] == ("ok", "generation 1, fresh, 0 min old")
    sandbox.set_fault("query", "appexpired")
    kycourier("collect", "A1", KYCOURIER_KYC_URL=sandbox.url)
    code, rows = doctor()
    assert code == 1
    assert rows["circuit breaker"] == (
        "problem",
        "open: `kycourier resume` closes it",
    )
    assert rows["backlog"] == ("ok", "0 orders due, 0 events unsent")


def move_back(state, table, member, by):
    """Move an instant of a stored row into the past."""
    then = (datetime.now(timezone.utc) - by).isoformat()  # noqa: TID251 - the machine's
    state.write(
        lambda rows: rows.execute(
            f"UPDATE {table} SET record = json_set(record, '$.{member}', ?)",  # noqa: S608 - our own names
            (then,),
        )
    )


def test_expired_ticket_pair_and_overdue_orders_are_problems(
    kycourier, sandbox, doctor, tmp_path
):
    kycourier("collect", "notready60x", KYCOURIER_KYC_URL=sandbox.url)
    state = open_stores(tmp_path / ".kycourier/state.db")
    move_back(state, "tickets", "obtained_at", timedelta(hours=3))
    move_back(state, "orders", "due_at", timedelta(minutes=20))
    state.write(lambda rows: rows.execute("UPDATE orders SET due_at = due_at - 1200"))
    code, rows = doctor()
    assert code == 1
    assert rows["ticket pair"][0] == rows["backlog"][0] == "problem"
    assert "expired, 180 min old" in rows["ticket pair"][1]
    assert rows["backlog"][1].startswith("1 orders due, 0 events unsent, the oldest")
