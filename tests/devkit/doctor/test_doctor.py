"""The checks of the doctor command."""

import json
from datetime import datetime, timedelta, timezone

import pytest

from kycourier.adapters.local.schema import open_stores
from kycourier_devkit.doctor.check import CheckResult
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

    def call(*options, **environ):
        environ = {"KYCOURIER_KYC_URL": sandbox.url} | environ
        result = kycourier("doctor", "--json", *options, **environ)
        assert SECRET_VALUE not in result.out + result.err
        lines = map(json.loads, result.out.splitlines())
        return result.code, {
            line["name"]: (line["state"], line["detail"]) for line in lines
        }

    return call


@pytest.fixture
def call(kycourier, sandbox):
    """Run a command against the sandbox."""
    return lambda *arguments, **environ: kycourier(
        *arguments, **{"KYCOURIER_KYC_URL": sandbox.url} | environ
    )


def names(rows, state):
    return [name for name, (found, _) in rows.items() if found == state]


def test_new_folder_has_no_problem_and_nobody_has_asked_for_a_ticket(
    doctor, sandbox, tmp_path
):
    code, rows = doctor()
    assert code == 0
    local = f"sqlite:///{tmp_path}/.kycourier/state.db (local)"
    assert rows["KYCOURIER_STATE"] == ("ok", local)
    assert rows["KYCOURIER_KYC_URL"] == ("ok", sandbox.url)
    assert rows["KYCOURIER_MAX_IN_FLIGHT"] == ("ok", "10 (default)")
    assert rows["KYC host"] == ("ok", "responds")
    assert rows["ticket pair"][0] == rows["last refresh"][0] == "note"
    assert rows["ticket pair"][1].startswith("not requested yet")
    assert sandbox.report().token_calls == 0
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
    unknown = "unknown setting: did you mean KYCOURIER_EVENTS?"
    assert rows["KYCOURIER_EVNTS"] == ("warning", unknown)
    assert rows["KYCOURIER_MAX_IN_FLIGHT"] == ("problem", "must be a number")
    assert rows["other checks"][0] == "note"


@pytest.mark.parametrize(
    ("environ", "row"),
    [
        ({"KYCOURIER_APP_SECRET": "env:ABSENT"}, "app secret"),
        ({"KYCOURIER_APP_SECRET": "env:KEY", "KEY": SECRET_VALUE}, "app secret"),
        (
            {"KYCOURIER_TICKET": "env:KEY", "KEY": f's:6:"{SECRET_VALUE}";'},
            "ticket source",
        ),
        (
            {"KYCOURIER_FINGERPRINT_KEY": "env:KEY", "KEY": SECRET_VALUE},
            "fingerprint key",
        ),
        ({"KYCOURIER_API_KEYS": "env:KEY", "KEY": f"{SECRET_VALUE}\nb\nc"}, "API keys"),
        ({"KYCOURIER_TICKET": "env:ABSENT"}, "ticket source"),
        ({"KYCOURIER_RECIPIENT_KEY": "env:KEY", "KEY": SECRET_VALUE}, "recipient key"),
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
    assert names(rows, "problem") == [row]


def test_receiver_that_cannot_be_reached_is_a_warning(doctor):
    webhook = {
        "KYCOURIER_EVENTS": "http://127.0.0.1:9/hook?token=canary",
        "KYCOURIER_WEBHOOK_SECRET": "env:HOOK",
    }
    code, rows = doctor(**webhook, HOOK="whsec_" + "A" * 32)
    assert code == 0
    assert rows["events"] == ("ok", "a webhook, signed")
    unreachable = "connect_failed: events wait until it can be reached"
    assert rows["receiver"] == ("warning", unreachable)
    assert "canary" not in str(rows)

    code, rows = doctor(**webhook, HOOK=SECRET_VALUE)
    assert code == 1
    assert names(rows, "problem") == ["events"]


def make_due(tmp_path):
    """Make all waiting orders due."""
    state = open_stores(tmp_path / ".kycourier/state.db")
    move_back(state, "orders", "due_at", timedelta(minutes=1))
    state.write(lambda rows: rows.execute("UPDATE orders SET due_at = due_at - 60"))


@pytest.mark.parametrize(
    ("commands", "state", "row", "detail"),
    [
        (
            [["collect", "retryafter60x1"]],
            "problem",
            "circuit breaker",
            "open after http_status 429: ",
        ),
        (
            [["collect", "appexpiredx1"]],
            "problem",
            "circuit breaker",
            "stopped after app_stopped 66660002: ",
        ),
        (["refused", ["refresh"]], "problem", "last refresh", "refresh_refused 400105"),
        ([["collect", "html1"]], "warning", "due orders", "1 reply_not_json; failing"),
        (
            [["collect", "html1", "html2"]],
            "problem",
            "due orders",
            "2 reply_not_json; failing",
        ),
        ([["collect", "html1", "notready60x"]], "warning", "due orders", "1 reply_not"),
        ([["collect", "notready60x"]], None, "due orders", "1 not_ready"),
    ],
)
def test_what_keeps_all_orders_from_being_collected_is_a_problem(
    call, sandbox, doctor, tmp_path, commands, state, row, detail
):
    for command in commands:
        if command == "refused":
            sandbox.change_secret("another")
        else:
            call(*command, KYCOURIER_MAX_IN_FLIGHT="1")
    make_due(tmp_path)

    code, rows = doctor()

    assert code == (1 if state == "problem" else 0)
    assert rows[row][1].startswith(detail)
    assert names(rows, "problem") == ([row] if state == "problem" else [])
    assert names(rows, "warning") == ([row] if state == "warning" else [])


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_ignored_proxy_is_a_warning(doctor, variable):
    code, rows = doctor(**{variable: f"http://{SECRET_VALUE}@127.0.0.1:9"})
    assert (code, names(rows, "warning")) == (0, [variable])


def test_proxy_before_the_platform_is_one_problem(doctor):
    proxy, host = f"http://{SECRET_VALUE}@127.0.0.1:9", "https://kyc.invalid"
    app = {
        "KYCOURIER_APP_ID": "REALAPP1",
        "KYCOURIER_APP_SECRET": "env:KEY",
        "KEY": APP_SECRET,
    }
    code, rows = doctor(HTTPS_PROXY=proxy, KYCOURIER_KYC_URL=host, **app)
    assert (code, names(rows, "warning")) == (1, [])
    assert rows["HTTPS_PROXY"] == (
        "problem",
        "is not supported: unset it, or name the host in NO_PROXY",
    )


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("TICKET", f"redis://:{SECRET_VALUE}@127.0.0.1:9#k", "redis://…@127.0.0.1:9#k"),
        ("EVENTS", "file:///proc/absent/e.jsonl", "file:///proc/absent/e.jsonl"),
        ("APP_SECRET", SECRET_VALUE, None),
        ("APP_SECRET", "env:KEY", "env:KEY"),
    ],
)
def test_values_are_shown_without_credentials(doctor, name, value, shown):
    _, rows = doctor(**{f"KYCOURIER_{name}": value}, KEY=APP_SECRET)
    state = "ok" if shown else "problem"
    assert rows[f"KYCOURIER_{name}"][0] == state
    assert not shown or rows[f"KYCOURIER_{name}"][1] == shown


def test_live_requests_a_token_only_if_no_pair_is_young(sandbox, doctor, tmp_path):
    def live():
        code, rows = doctor("--live")
        return code, *rows["token request"], sandbox.report().token_calls

    assert live() == (0, "ok", "accepted: generation 1", 1)
    code, state, detail, calls = live()
    assert (code, state, calls) == (0, "note", 1)
    assert detail.startswith("not made: the last one was 0 min ago")
    state = open_stores(tmp_path / ".kycourier/state.db")
    move_back(state, "tickets", "obtained_at", timedelta(minutes=20))
    assert live() == (0, "ok", "accepted: generation 2", 2)
    move_back(state, "tickets", "obtained_at", timedelta(minutes=20))
    sandbox.change_secret("another")
    code, state, detail, calls = live()
    assert (code, state, calls) == (1, "problem", 3)
    assert detail.startswith("refresh_refused 400105: ")


def test_live_requests_no_token_for_the_ticket_of_another_service(doctor, sandbox):
    _, rows = doctor("--live", KYCOURIER_TICKET="env:TICKET", TICKET="t" * 64)
    assert rows["token request"][0] == "note"
    assert sandbox.report().token_calls == 0


def test_table_ends_with_the_number_of_problems_and_warnings(call):
    assert call("doctor").out.endswith("\nNo problems found.\n")
    warned = call("doctor", KYCOURIER_EVNTS="x")
    assert (warned.code, warned.err) == (0, "")
    assert warned.out.endswith("\nNo problem and 1 warning found.\n")
    failed = call("doctor", KYCOURIER_EVNTS="x", KYCOURIER_MAX_IN_FLIGHT="x")
    assert (failed.code, failed.err) == (1, "1 problem and 1 warning found.\n")
    head, *lines = failed.out.splitlines()
    assert head.split() == ["CHECK", "RESULT"]
    assert ["problem", "KYCOURIER_MAX_IN_FLIGHT"] in [
        line.split()[:2] for line in lines
    ]
    line, *_ = call("doctor", "--json").out.splitlines()
    assert list(json.loads(line)) == list(CheckResult.__struct_fields__)


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
    assert rows["app secret"] == ("ok", "has the vendor's form")
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
    _, rows = doctor(**aws | {f"KYCOURIER_{variable}": f"{scheme}://absent-1"})

    cause = {"evidence": "evidence_unavailable: ", "events": "sink_unavailable: "}
    reason = f"cannot be used: no such {kind} in this region"
    assert rows[row] == ("problem", cause.get(row, "") + reason)


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
    stopped = "stopped after app_stopped 66660002: ask the vendor about the app, then"
    assert rows["circuit breaker"] == ("problem", f"{stopped} `kycourier resume`")
    assert rows["backlog"] == ("ok", "0 orders due, 0 unsent events due")


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
    assert rows["backlog"][1].startswith(
        "1 orders due, 0 unsent events due, the oldest"
    )
