"""The doctor names what is wrong, and no value."""

from datetime import datetime, timedelta, timezone

import pytest

from aws.access import aws_environ, client, new_name
from aws.edges import new_bucket, new_bus, new_queue
from kycourier.adapters.local.state import open_state
from kycourier_devkit.doctor.host import _examine_clock
from kycourier_devkit.sandbox import APP_SECRET, Sandbox

pytestmark = pytest.mark.enable_socket
NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)
CANARY = "canary"


@pytest.fixture
def sandbox():
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def examine(kycourier, sandbox):
    """Ask the doctor; give the exit code and rows by name."""

    def call(**environ):
        ended = kycourier("doctor", **{"KYCOURIER_KYC_URL": sandbox.url} | environ)
        assert CANARY not in ended.out + ended.err
        head, *lines = ended.out.splitlines()
        middle, right = head.index("WHAT"), head.index("HOW IT STANDS")
        cells = [(line[:middle], line[middle:right], line[right:]) for line in lines]
        rows = {name.strip(): (state.strip(), why) for state, name, why in cells}
        return ended.code, rows

    return call


def test_a_new_folder_is_in_order(examine):
    code, rows = examine()
    assert code == 0
    assert rows["KYCOURIER_STATE"] == ("ok", "local value")
    assert rows["KYCOURIER_KYC_URL"] == ("ok", "set")
    assert rows["KYCOURIER_MAX_IN_FLIGHT"] == ("ok", "default 10")
    assert rows["KYC host"] == ("ok", "answers")
    assert rows["ticket pair"][0] == "note"
    assert {rows[name][0] for name in ("state", "evidence", "events", "queue")} == {
        "ok"
    }


def test_each_wrong_setting_is_named(examine):
    code, rows = examine(KYCOURIER_STATE=f"{CANARY}://", KYCOURIER_MAX_IN_FLIGHT=CANARY)
    assert code == 1
    assert rows["KYCOURIER_STATE"][0] == "problem"
    assert rows["KYCOURIER_MAX_IN_FLIGHT"] == ("problem", "must be a number")
    assert rows["the rest"][0] == "note"


def test_a_setting_that_is_needed_and_missing_is_a_problem(examine):
    code, rows = examine(KYCOURIER_APP_ID="PARTNER1", KYCOURIER_API_AUTH="signature")
    assert code == 1
    assert rows["KYCOURIER_APP_SECRET"] == ("problem", "is not set")
    assert rows["KYCOURIER_API_KEYS"] == ("problem", "is not set")


@pytest.mark.parametrize(
    ("environ", "row"),
    [
        ({"KYCOURIER_APP_SECRET": "env:ABSENT"}, "app secret"),
        ({"KYCOURIER_FINGERPRINT_KEY": "env:KEY", "KEY": CANARY}, "fingerprint key"),
        ({"KYCOURIER_API_KEYS": "env:KEY", "KEY": f"{CANARY}\n\n"}, "API keys"),
        ({"KYCOURIER_TICKET": "env:ABSENT"}, "ticket source"),
        ({"KYCOURIER_EVIDENCE": "file:///proc/absent"}, "evidence"),
        ({"KYCOURIER_EVENTS": "file:///proc/absent/events.jsonl"}, "events"),
        ({"KYCOURIER_QUEUE": "sqlite:////proc/absent/queue.db"}, "queue"),
    ],
)
def test_what_a_setting_names_must_be_usable(examine, environ, row):
    code, rows = examine(**environ)
    assert code == 1
    assert rows[row][0] == "problem"
    assert [name for name, (state, _) in rows.items() if state == "problem"] == [row]


@pytest.fixture
def aws(moto):
    """Name a place on AWS for each edge, with what is to be kept there."""
    secret, key = new_name("secret"), f"/{new_name('fingerprint')}"
    client("secretsmanager", moto).create_secret(Name=secret, SecretString=APP_SECRET)
    client("ssm", moto).put_parameter(Name=key, Value="k" * 32, Type="SecureString")
    return {
        **aws_environ(moto),
        "KYCOURIER_APP_SECRET": f"aws-secretsmanager://{secret}",
        "KYCOURIER_FINGERPRINT_KEY": f"aws-ssm://{key}",
        "KYCOURIER_EVIDENCE": f"s3://{new_bucket(moto)}/kyc",
        "KYCOURIER_EVENTS": f"eventbridge://{new_bus(moto)}",
        "KYCOURIER_QUEUE": f"sqs://{new_queue(moto)}",
    }


@pytest.mark.slow
def test_places_on_aws_are_looked_at(examine, aws):
    code, rows = examine(**aws)

    assert code == 0
    assert rows["app secret"] == ("ok", "can be read")
    assert rows["fingerprint key"] == ("ok", "can be read")
    assert rows["evidence"] == ("ok", "can be listed")
    assert rows["events"] == ("ok", "is there")
    assert rows["queue"] == ("ok", "is there")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("variable", "value", "row", "why"),
    [
        ("EVIDENCE", f"s3://{CANARY}-1", "evidence", "no such bucket in this region"),
        ("EVENTS", f"eventbridge://{CANARY}", "events", "no such bus in this region"),
        ("EVENTS", f"sqs://{CANARY}", "events", "no such queue in this region"),
        ("QUEUE", f"sqs://{CANARY}", "queue", "no such queue in this region"),
        (
            "APP_SECRET",
            f"aws-secretsmanager://{CANARY}",
            "app secret",
            "no such secret in this region",
        ),
        (
            "FINGERPRINT_KEY",
            f"aws-ssm://{CANARY}",
            "fingerprint key",
            "no such parameter in this region",
        ),
    ],
)
def test_a_place_that_aws_does_not_know_is_a_problem(
    examine, aws, variable, value, row, why
):
    code, rows = examine(**{**aws, f"KYCOURIER_{variable}": value})

    assert code == 1
    assert rows[row] == ("problem", f"cannot be used: {why}")
    assert [name for name, (state, _) in rows.items() if state == "problem"] == [row]


def test_a_state_that_cannot_be_opened_is_a_problem(examine):
    code, rows = examine(KYCOURIER_STATE="sqlite:////proc/absent/state.db")
    assert code == 1
    assert rows["KYCOURIER_STATE"][0] == "problem"
    assert rows["KYCOURIER_STATE"][1].startswith("cannot be used: ")


def test_a_host_that_does_not_answer_is_a_problem(examine):
    code, rows = examine(KYCOURIER_KYC_URL="http://127.0.0.1:9")
    assert code == 1
    assert rows["KYC host"] == ("problem", "nothing answers there")


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
def test_a_clock_that_is_off_by_a_minute_is_a_problem(date, state):
    assert _examine_clock(date, NOW).state == state


def test_the_pair_the_backlog_and_the_pause_are_told(kycourier, sandbox, examine):
    kycourier("refresh", KYCOURIER_KYC_URL=sandbox.url)
    assert examine()[1]["ticket pair"] == ("ok", "generation 1, fresh, 0 min old")
    sandbox.set_fault("query", "appexpired")
    kycourier("collect", "A1", KYCOURIER_KYC_URL=sandbox.url)
    code, rows = examine()
    assert code == 1
    assert rows["pause"] == (
        "problem",
        "the app is paused; `kycourier resume` ends it",
    )
    assert rows["backlog"] == ("ok", "0 orders due, 0 events unsent")


def age(state, table, member, by):
    """Make a row look as old as it would be after `by`."""
    then = (datetime.now(timezone.utc) - by).isoformat()  # noqa: TID251 - the machine's
    state.write(
        lambda rows: rows.execute(
            f"UPDATE {table} SET record = json_set(record, '$.{member}', ?)",  # noqa: S608 - our own words
            (then,),
        )
    )


def test_a_pair_that_nobody_refreshes_is_a_problem(
    kycourier, sandbox, examine, tmp_path
):
    kycourier("refresh", KYCOURIER_KYC_URL=sandbox.url)
    state = open_state(tmp_path / ".kycourier/state.db")
    age(state, "tickets", "obtained_at", timedelta(hours=3))
    code, rows = examine()
    assert code == 1
    assert rows["ticket pair"][0] == "problem"
    assert "expired, 180 min old" in rows["ticket pair"][1]


def test_orders_that_nobody_sweeps_are_a_problem(kycourier, sandbox, examine, tmp_path):
    kycourier("collect", "notready60x", KYCOURIER_KYC_URL=sandbox.url)
    state = open_state(tmp_path / ".kycourier/state.db")
    age(state, "orders", "due_at", timedelta(minutes=20))
    state.write(lambda rows: rows.execute("UPDATE orders SET due_at = due_at - 1200"))
    code, rows = examine()
    assert code == 1
    assert rows["backlog"][1].startswith("1 orders due, 0 events unsent, the oldest")


def test_a_misspelt_variable_is_named(examine):
    code, rows = examine(KYCOURIER_EVNTS=CANARY)
    assert code == 1
    assert rows["KYCOURIER_EVNTS"] == ("problem", "is no setting: misspelt?")
