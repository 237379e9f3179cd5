"""Collecting an order: query, evidence, commit and one event."""

import hashlib
import re
from datetime import timedelta

import pytest

from kycourier.core.causes import Cause, Problem
from kycourier.core.errors import (
    EvidenceConflictError,
    EvidenceUnavailableError,
    NewerSchemaError,
    OutOfTimeError,
    SinkUnavailableError,
    StoreUnavailableError,
    TransportError,
)
from kycourier.core.orders.record import OrderState
from kycourier.core.orders.state_machine import Urgency
from kycourier.usecases.provide_ticket import KeptTickets
from support.failing_ports import FailingPort, raising
from support.leaks.canaries import NUMBER, TICKET
from support.rigs.fake_platform import error_reply, json_reply, result_reply
from support.rigs.in_memory import (
    APP,
    EVIDENCE_URI,
    InMemoryWorker,
    MutableSecret,
)

MINUTE = timedelta(minutes=1)
NOT_READY = error_reply("66660011")
WITHOUT_ORIGINAL = result_reply("order1", originBankcardPhoto="")
OTHER_CARD = "5555555555554444"


def named_keys(event):
    """Return the keys of the objects that an event names, with their digests."""
    named = [*event["data"]["photos"], event["data"]["manifest"]]
    return {
        each["uri"].removeprefix(f"{EVIDENCE_URI}/"): each["sha256"] for each in named
    }


def delay_of(app, record):
    return (record.due_at - app.clock.now()).total_seconds()


def fields_of(app, event):
    """Return the fields of the one log event of this name."""
    [fields] = [fields for name, fields in app.event_log.entries if name == event]
    return fields


def collect_until_final(app, worker=None):
    """Collect order1 whenever it is due; return its row, and each delay and reason."""
    worker = worker or app.worker()
    record, delays, reasons = worker.collect("order1"), [], []
    while record.state is OrderState.WAITING:
        delays.append(delay_of(app, record))
        reasons.append(record.reason)
        app.clock.sleep(delays[-1])
        record = worker.collect("order1", Urgency.DUE)
    return record, delays, reasons


def folder_of(app):
    """Return the one folder that holds the evidence: app, date and a random name."""
    [folder] = {key.rpartition("/")[0] for key in app.evidence.objects}
    assert re.fullmatch(rf"{APP}/2026/01/01/[A-Za-z0-9]{{32}}", folder)
    return folder


class TestNormalOrder:
    def test_ready_order_has_one_query_and_one_event(self, app):
        record = app.worker().collect("order1")
        assert record.state is OrderState.COLLECTED
        assert app.upstream.queries == {"order1": 1}
        [event] = app.bodies()
        assert event["type"] == "kycourier.bank_card.collected.v1"
        assert event["data"]["card"]["number_masked"] == "411111******1111"
        assert (record.unsent, record.due_at) == ((), None)

    def test_event_names_only_stored_objects_with_their_digests(self, app):
        app.worker().collect("order1")
        named = named_keys(app.bodies()[0])
        assert len(named) == 4
        assert {key.rpartition("/")[0] for key in named} == {folder_of(app)}
        for key, sha256 in named.items():
            assert hashlib.sha256(app.evidence.objects[key]).hexdigest() == sha256
            assert key in app.evidence.durable

    def test_no_row_key_manifest_event_or_log_has_the_card_number(self, app):
        app.worker().collect("order1")
        objects = app.evidence.objects
        sinks = [
            *(row.record for row in app.stores.orders.rows.values()),
            *(objects[key] for key in objects if "manifest" in key),
            repr([[*objects], app.bodies(), app.event_log.entries]).encode(),
        ]
        assert not any(NUMBER.encode() in text for text in sinks)

    def test_evidence_folder_keeps_the_date_of_the_first_attempt(self, app):
        app.upstream.scripts["order1"] = [NOT_READY, result_reply("order1")]
        app.worker().collect("order1")
        app.clock.sleep(24 * 3600)
        app.worker().collect("order1", Urgency.NOW)
        assert "order1" not in folder_of(app)

    def test_redelivery_has_no_effect(self, app):
        first = app.worker().collect("order1")
        for urgency in Urgency:
            assert app.worker().collect("order1", urgency) == first
        assert app.upstream.queries == {"order1": 1}
        assert len(app.sink.events) == 1

    def test_nothing_starts_with_less_than_two_seconds(self, app):
        with pytest.raises(OutOfTimeError):
            app.worker().collect("order1", seconds=1.9)
        assert app.load("order1") is None
        assert not app.upstream.tokens


class TestReplies:
    def test_failed_recognition_is_rejected_without_a_retry(self, app):
        app.upstream.scripts["order1"] = [error_reply("-9011")]
        assert app.worker().collect("order1").state is OrderState.REJECTED
        [event] = app.bodies()
        assert event["type"] == "kycourier.bank_card.rejected.v1"
        assert event["data"]["reason"]["code"] == "-9011"
        assert app.upstream.queries["order1"] == 1

    def test_reply_for_another_order_is_rejected_without_evidence(self, app):
        app.upstream.scripts["order1"] = [result_reply("order2")]
        record = app.worker().collect("order1")
        assert record.state is OrderState.REJECTED
        assert record.reason == "order_no_mismatch"
        assert not app.evidence.objects

    def test_unknown_code_is_parked_after_two_attempts(self, app):
        app.upstream.scripts["order1"] = [error_reply("777")]
        assert collect_until_final(app)[0].state is OrderState.PARKED
        assert app.upstream.queries["order1"] == 2
        [event] = app.bodies()
        assert event["data"]["reason"] == {"code": "777", "name": "unknown_code"}
        problem = event["data"]["last_problem"]
        assert problem.pop("at")
        assert problem == {
            "cause": "code_unknown",
            "code": "777",
            "http_status": None,
            "count": 2,
        }

    @pytest.mark.parametrize(
        ("reply", "problem"),
        [
            (TransportError("timed_out"), Problem(Cause.TIMED_OUT)),
            (json_reply(b"<html>"), Problem(Cause.REPLY_NOT_JSON)),
            (
                json_reply(b"<html>", status=403),
                Problem(Cause.HTTP_STATUS, http_status=403),
            ),
            (
                result_reply("order1", originBankcardPhoto="%"),
                Problem(Cause.PHOTO_UNREADABLE, detail="original"),
            ),
            (error_reply("66660021"), Problem(Cause.CODE_TRANSIENT, "66660021")),
        ],
        ids=lambda value: getattr(value, "cause", None),
    )
    def test_transient_failure_is_retried_within_five_seconds(
        self, app, reply, problem
    ):
        app.upstream.scripts["order1"] = [reply, result_reply("order1")]
        record, [delay], reasons = collect_until_final(app)
        assert record.state is OrderState.COLLECTED
        assert reasons == ["transient"]
        assert delay <= 5
        assert fields_of(app, "order_waiting").items() > problem.fields().items()

    def test_not_ready_follows_the_schedule_to_its_deadline(self, app):
        app.upstream.scripts["order1"] = [NOT_READY]
        record, delays, _ = collect_until_final(app)
        assert delays[:5] == [5, 15, 60, 300, 3600]
        assert set(delays[5:-1]) == {3600}
        assert sum(delays) == 2 * 24 * 3600
        assert record.state is OrderState.EXPIRED
        assert app.bodies()[0]["type"] == "kycourier.bank_card.expired.v1"

    def test_early_calls_neither_advance_nor_postpone_the_schedule(self, app):
        app.upstream.scripts["order1"] = [NOT_READY]
        worker = app.worker()
        due_at = worker.collect("order1", Urgency.NOW).due_at
        for _ in range(10):
            assert worker.collect("order1", Urgency.NOTIFIED).due_at == due_at
        assert app.upstream.queries["order1"] == 1
        for _ in range(3):
            app.clock.sleep(1)
            assert worker.collect("order1", Urgency.NOW).due_at == due_at
        app.clock.sleep(2)
        record = worker.collect("order1", Urgency.DUE)
        assert record.due_at == due_at + timedelta(seconds=15)

    def test_open_breaker_does_not_restart_the_schedule(self, app):
        app.upstream.scripts["order1"] = [NOT_READY]
        worker = app.worker()
        for delay in (5, 15, 60):
            worker.collect("order1", Urgency.DUE if delay > 5 else Urgency.NOTIFIED)
            app.clock.sleep(delay)
        app.upstream.scripts["other"] = [error_reply("400501")]
        worker.collect("other")
        assert worker.collect("order1", Urgency.DUE).reason == "paused"
        app.clock.sleep(20)
        record = worker.collect("order1", Urgency.DUE)
        assert (record.reason, delay_of(app, record)) == ("not_ready", 300)

    def test_waiting_order_is_enqueued_for_its_due_time(self, app):
        app.upstream.scripts["order1"] = [NOT_READY]
        app.worker().collect("order1")
        assert not app.queue.receive(9, visibility_seconds=60)
        app.clock.sleep(5)
        [delivery] = app.queue.receive(9, visibility_seconds=60)
        assert '"order1"' in delivery.body


class TestPhotos:
    def test_late_photos_are_queried_after_one_two_and_four_seconds(self, app):
        begun = app.clock.now()
        app.upstream.scripts["order1"] = [
            *[WITHOUT_ORIGINAL] * 3,
            result_reply("order1"),
        ]
        assert app.worker().collect("order1").state is OrderState.COLLECTED
        assert app.clock.now() - begun == timedelta(seconds=7)
        assert app.bodies()[0]["data"]["photos_missing"] == []

    def test_missing_original_is_reported_when_patience_ends(self, app):
        app.upstream.scripts["order1"] = [WITHOUT_ORIGINAL]
        begun = app.clock.now()
        record, delays, reasons = collect_until_final(app)
        assert delays == [15, 30, 60, 60, 60, 60, 8]
        assert set(reasons) == {"photos_pending"}
        assert app.clock.now() - begun == timedelta(seconds=300)
        assert record.state is OrderState.COLLECTED
        assert app.bodies()[0]["data"]["photos_missing"] == ["original"]

    def test_photo_schedule_continues_in_a_later_invocation(self, app):
        app.upstream.scripts["order1"] = [
            *[WITHOUT_ORIGINAL] * 3,
            result_reply("order1"),
        ]
        worker = app.worker()
        record = worker.collect("order1", seconds=6)
        assert (record.reason, record.photo_tries) == ("photos_pending", 3)
        assert delay_of(app, record) == 4
        app.clock.sleep(4)
        assert worker.collect("order1", Urgency.DUE).state is OrderState.COLLECTED
        assert app.upstream.queries["order1"] == 4


class TestTicket:
    def test_dead_pair_is_renewed_once_and_the_query_repeated(self, app):
        worker = app.worker()
        worker.collect("order1")
        app.upstream.kill_pair()
        assert worker.collect("order2").state is OrderState.COLLECTED
        assert app.upstream.tokens == 2
        assert app.upstream.queries["order2"] == 2

    @pytest.mark.parametrize(
        ("deaths", "state", "reason"),
        [
            ({2}, OrderState.COLLECTED, None),
            ({1, 3}, OrderState.WAITING, "credentials"),
        ],
    )
    def test_pair_that_dies_during_photo_retries_is_renewed_once(
        self, app, deaths, state, reason
    ):
        """The limit holds even if another forced refresh would be allowed."""
        app.upstream.scripts["order1"] = [WITHOUT_ORIGINAL, result_reply("order1")]

        def kill(_):
            if app.upstream.queries["order1"] in deaths:
                app.clock.sleep(61)
                app.upstream.kill_pair()

        app.upstream.on_query = kill
        record = app.worker().collect("order1", seconds=900)
        assert (record.state, record.reason) == (state, reason)
        assert (app.upstream.queries["order1"], app.upstream.tokens) == (3, 2)

    def test_rejected_ticket_parks_the_order_after_fifteen_minutes(self, app):
        app.upstream.scripts["order1"] = [error_reply("400101")]
        record, delays, reasons = collect_until_final(app)
        assert set(reasons) == {"credentials"}
        assert (record.state, record.reason) == (OrderState.PARKED, "sign_rejected")
        assert 15 * 60 <= sum(delays) <= 17 * 60
        assert app.upstream.tokens <= 17
        refused = Problem(Cause.TICKET_REFUSED, code="400101")
        assert record.last_problem.problem == refused

    @pytest.mark.parametrize(
        ("reply", "reason", "problem"),
        [
            (
                json_reply(b"busy", status=503),
                "transient",
                Problem(Cause.HTTP_STATUS, http_status=503),
            ),
            (
                error_reply("400103"),
                "credentials",
                Problem(Cause.REFRESH_REFUSED, code="400103"),
            ),
        ],
        ids=["503", "wrong secret"],
    )
    def test_order_without_a_ticket_waits_up_to_a_minute(
        self, app, reply, reason, problem
    ):
        app.upstream.token_reply = reply
        worker = app.worker()
        record = worker.collect("order1")
        assert (record.state, record.reason) == (OrderState.WAITING, reason)
        assert record.last_problem.problem == problem
        assert delay_of(app, record) <= 60
        assert not app.upstream.queries
        app.upstream.token_reply = None
        app.clock.sleep(60)
        assert worker.collect("order1", Urgency.DUE).state is OrderState.COLLECTED

    def test_orders_during_the_back_off_name_the_refusal_that_led_to_it(self, app):
        app.upstream.token_reply = error_reply("400103")
        app.random.draw = lambda: 0.9
        refused = Problem(Cause.REFRESH_REFUSED, code="400103")
        for number in range(3):
            record = app.worker().collect(f"order{number}")
            assert record.last_problem.problem == refused
        assert app.upstream.tokens == 1

    def test_refused_query_names_the_refusal_of_its_renewed_ticket(self, app):
        worker = app.worker()
        worker.collect("order1")
        app.upstream.kill_pair()
        app.upstream.token_reply = error_reply("400103")
        record = worker.collect("order2")
        refused = Problem(Cause.REFRESH_REFUSED, code="400103")
        assert (record.reason, record.last_problem.problem) == ("credentials", refused)

    def test_refused_query_names_a_kept_ticket_that_became_unreadable(self, app):
        worker = KeptTicketWorker(app)
        worker.kept.value = f"{TICKET}0"
        assert worker.collect("order1").state is OrderState.COLLECTED
        app.upstream.kill_pair()
        worker.kept.value = UNREADABLE
        record = worker.collect("order2")
        assert record.reason == "credentials"
        assert record.last_problem.problem == Problem(Cause.TICKET_UNREADABLE)


UNREADABLE = 's:1:"T";'  # serialized by PHP


class KeptTicketWorker(InMemoryWorker):
    """A worker whose tickets another service keeps; at first in an unreadable form."""

    def make_tickets(self):
        self.kept = MutableSecret(UNREADABLE)
        return KeptTickets(self.kept, clock=self.app.clock)


class TestNoTicket:
    """A ticket that cannot be had ends its order as any other failure does."""

    @pytest.mark.parametrize(
        ("token_reply", "cause", "code"),
        [
            (error_reply("66660021"), Cause.REFRESH_REFUSED, "66660021"),
            (TransportError("connect_failed"), Cause.CONNECT_FAILED, ""),
            (json_reply(b"<html>"), Cause.REPLY_NOT_JSON, ""),
        ],
    )
    def test_refresh_that_always_fails(self, app, token_reply, cause, code):
        app.upstream.token_reply = token_reply
        self.assert_parked(app, app.worker(), cause, code)

    def test_secret_that_cannot_be_read(self, app):
        secret = FailingPort(StoreUnavailableError)
        worker = InMemoryWorker(app, secret=secret)
        self.assert_parked(app, worker, Cause.SECRET_UNREADABLE)

    def test_kept_ticket_of_another_form(self, app):
        self.assert_parked(app, KeptTicketWorker(app), Cause.TICKET_UNREADABLE)

    def test_ticket_that_no_worker_obtains(self, app, monkeypatch):
        monkeypatch.setattr(app.stores.leases, "acquire", lambda *_, **__: None)
        self.assert_parked(app, app.worker(), Cause.TICKET_MISSING)

    @pytest.mark.parametrize("error", [StoreUnavailableError, NewerSchemaError])
    def test_ticket_store_that_fails(self, app, monkeypatch, error):
        monkeypatch.setattr(app.stores.tickets, "get", raising(error))
        self.assert_parked(app, app.worker(), Cause(error.code))

    def assert_parked(self, app, worker, cause, code=""):
        """Assert that order1 is parked with this cause once its time is over."""
        first = worker.collect("order1")
        assert (first.state, first.last_problem.cause) == (OrderState.WAITING, cause)
        app.clock.sleep((first.deadline_at - app.clock.now()).total_seconds())
        record, _, reasons = collect_until_final(app, worker)
        assert {*reasons} <= {"transient", "paused"}
        late = app.clock.now() - record.deadline_at
        assert 15 * MINUTE <= late <= 21 * MINUTE
        assert (record.state, record.reason) == (OrderState.PARKED, cause.value)
        problem = record.last_problem
        assert (problem.cause, problem.code or "") == (cause, code)
        data = app.bodies()[0]["data"]
        assert data["reason"] == {"code": code, "name": cause.value}
        assert data["last_problem"]["cause"] == cause.value
        assert data["last_problem"]["count"] == problem.count > 1
        assert not app.upstream.queries


class TestLastProblem:
    def test_run_of_attempts_is_counted_by_cause_and_cleared_by_success(self, app):
        busy = json_reply(b"", status=503)
        timeout = TransportError("timed_out")
        app.upstream.scripts["order1"] = [
            *(timeout, timeout, busy, timeout, NOT_READY, busy),
            result_reply("order1"),
        ]
        seen, since, begun = [], [], app.clock.now()
        for _ in range(7):
            record = app.worker().collect("order1", Urgency.NOW)
            last = record.last_problem
            seen.append(last and (last.cause.value, last.count, last.http_status))
            since.append(record.failing_since)
            app.clock.sleep(10)
        assert seen == [
            ("timed_out", 1, None),
            ("timed_out", 2, None),
            ("http_status", 1, 503),
            ("timed_out", 1, None),
            None,
            ("http_status", 1, 503),
            None,
        ]
        again = begun + timedelta(seconds=50)
        assert since == [*[begun] * 4, None, again, None]
        assert record.state is OrderState.COLLECTED

    def test_collected_order_has_the_sinks_problem_while_its_event_is_unsent(
        self, app, monkeypatch
    ):
        with monkeypatch.context() as patch:
            patch.setattr(app.sink, "publish", raising(SinkUnavailableError))
            record = app.worker().collect("order1")
            assert record.last_problem.cause is Cause.SINK_UNAVAILABLE
            app.clock.sleep(6)
            app.worker().sweeper.sweep(app.time())
            last = app.load("order1").last_problem
            assert (last.cause, last.count) == (Cause.SINK_UNAVAILABLE, 2)
        app.clock.sleep(60)
        app.worker().sweeper.sweep(app.time())
        record = app.load("order1")
        assert (record.unsent, record.last_problem) == ((), None)


class TestReplacedOwner:
    """Another worker collects the order once its first owner's lease has ended."""

    def collect_while_replaced(self, app, card=NUMBER, *, check_orphans=False):
        """Replace the owner of order1 during its query; return what it returns."""
        slow, quick = app.worker(), app.worker()
        app.upstream.scripts["order1"] = [
            result_reply("order1"),
            result_reply("order1", bankCardNo=card),
        ]

        def replace_owner(_):
            app.upstream.on_query = lambda _: None
            app.clock.sleep(63)
            quick.collect("order1")
            if check_orphans:
                app.clock.sleep(21 * 60)
                quick.sweeper.sweep(app.time())
                assert app.load("order1").due_at is None

        app.upstream.on_query = replace_owner
        return slow.collect("order1")

    @pytest.mark.parametrize(("card", "conflicts"), [(NUMBER, 0), (OTHER_CARD, 1)])
    def test_stale_owner_returns_the_stored_row_and_reports_another_result(
        self, app, card, conflicts
    ):
        record = self.collect_while_replaced(app, card)
        assert record == app.load("order1")
        [event] = app.bodies()
        assert event["data"]["card"]["number_masked"] == "411111******1111"
        assert "stale_owner_refused" in app.log_events()
        assert app.log_events().count("result_conflict") == conflicts

    def test_objects_of_a_stale_owner_are_reported_after_the_orphan_check(self, app):
        self.collect_while_replaced(app, OTHER_CARD, check_orphans=True)
        assert "object_orphaned" not in app.log_events()
        app.clock.sleep(21 * 60)
        app.worker().sweeper.sweep(app.time())
        reported = [
            fields["key"]
            for name, fields in app.event_log.entries
            if name == "object_orphaned"
        ]
        assert len(reported) == 1
        assert {*reported} == app.evidence.objects.keys() - named_keys(app.bodies()[0])
        assert app.load("order1").due_at is None

    @pytest.mark.parametrize("seconds", [30, 900])
    def test_lease_lasts_as_long_as_its_holder_can_live(self, app, seconds):
        leases = []
        app.upstream.on_query = lambda _: leases.append(
            app.load("order1").lease_ends_at - app.clock.now()
        )
        app.worker().collect("order1", seconds=seconds)
        assert leases == [timedelta(seconds=seconds + 2)]


class TestFailingPorts:
    @pytest.mark.parametrize("kind", ["original", "number", "manifest"])
    def test_one_unstorable_object_makes_the_order_wait_without_an_event(
        self, app, monkeypatch, kind
    ):
        put = app.evidence.put

        def full(key, *args, **kwargs):
            if f"/{kind}-" in key:
                raise EvidenceUnavailableError("no space")
            put(key, *args, **kwargs)

        monkeypatch.setattr(app.evidence, "put", full)
        record = app.worker().collect("order1")
        assert (record.state, record.reason) == (OrderState.WAITING, "transient")
        assert record.last_problem.cause is Cause.EVIDENCE_UNAVAILABLE
        assert not app.sink.events

    def test_unavailable_evidence_parks_the_order_after_its_deadline(
        self, app, monkeypatch
    ):
        monkeypatch.setattr(app.evidence, "put", raising(EvidenceUnavailableError))
        worker = app.worker()
        worker.collect("order1")
        app.clock.sleep(2 * 24 * 3600)
        assert worker.collect("order1", Urgency.NOW).state is OrderState.WAITING
        app.clock.sleep(15 * 60)
        record = worker.collect("order1", Urgency.NOW)
        assert record.state is OrderState.PARKED
        assert record.reason == record.last_problem.cause == "evidence_unavailable"

    def test_evidence_conflict_parks_the_order(self, app, monkeypatch):
        monkeypatch.setattr(app.evidence, "put", raising(EvidenceConflictError))
        record = app.worker().collect("order1")
        assert (record.state, record.reason) == (OrderState.PARKED, "evidence_conflict")
        assert record.last_problem.cause is Cause.EVIDENCE_CONFLICT
        assert "evidence_conflict" in app.log_events()

    def test_event_of_a_failing_sink_is_sent_by_the_sweep(self, app, monkeypatch):
        with monkeypatch.context() as patch:
            patch.setattr(app.sink, "publish", raising(SinkUnavailableError))
            record = app.worker().collect("order1")
        assert record.state is OrderState.COLLECTED
        [unsent] = record.unsent
        app.clock.sleep(6)
        app.worker().sweeper.sweep(app.time())
        assert app.sink.events == [unsent]
