"""Collecting an order: query, evidence, commit and one event."""

import hashlib
from datetime import timedelta

import pytest
from msgspec.structs import replace

from kycourier.core.circuit_breaker import Signal
from kycourier.core.errors import (
    EvidenceConflictError,
    EvidenceUnavailableError,
    NewerSchemaError,
    OutOfTimeError,
    SinkUnavailableError,
    StoreUnavailableError,
    TransportError,
)
from kycourier.core.orders import state_machine as rules
from kycourier.core.orders.record import OrderState
from kycourier.core.orders.state_machine import Urgency
from support.leaks.canaries import NUMBER
from support.rigs.fake_platform import (
    PHOTO_FIELDS,
    error_reply,
    json_reply,
    result_reply,
)
from support.rigs.in_memory import EVIDENCE_URI, InMemoryApp, expected_order

MINUTE = timedelta(minutes=1)


@pytest.fixture
def app():
    return InMemoryApp()


def named_objects(event):
    data = event["data"]
    return [*data["photos"], data["manifest"]]


class TestNormalOrder:
    def test_ready_order_has_one_query_and_one_event(self, app):
        record = app.worker().collect("order1")
        assert record.state is OrderState.COLLECTED
        assert app.upstream.queries == {"order1": 1}
        [event] = app.bodies()
        assert event["type"] == "kycourier.ocr.collected.v1"
        assert event["data"]["card"]["number_masked"] == "411111******1111"
        assert (record.unsent, record.due_at) == ((), None)

    def test_event_names_only_stored_objects_with_their_digests(self, app):
        app.worker().collect("order1")
        [event] = app.bodies()
        named = named_objects(event)
        assert len(named) == 4
        for thing in named:
            key = thing["uri"].removeprefix(f"{EVIDENCE_URI}/")
            content = app.evidence.objects[key]
            assert hashlib.sha256(content).hexdigest() == thing["sha256"]
            assert key in app.evidence.durable

    def test_no_row_key_manifest_event_or_log_has_the_card_number(self, app):
        app.worker().collect("order1")
        rows = [row.record for row in app.stores.orders.rows.values()]
        keys = [key.encode() for key in app.evidence.objects]
        manifest = [
            content
            for name, content in app.evidence.objects.items()
            if "manifest" in name
        ]
        sent = [repr(app.bodies()).encode(), repr(app.event_log.entries).encode()]
        for text in (*rows, *keys, *manifest, *sent):
            assert NUMBER.encode() not in text

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
    @pytest.mark.parametrize("code", ["-9011", "-9012", "-9013", "-9014", "9014"])
    def test_failed_recognition_is_rejected_without_a_retry(self, app, code):
        app.upstream.scripts["order1"] = [error_reply(code)]
        assert app.worker().collect("order1").state is OrderState.REJECTED
        [event] = app.bodies()
        assert event["type"] == "kycourier.ocr.rejected.v1"
        assert event["data"]["reason"]["code"] == code
        assert app.upstream.queries["order1"] == 1

    def test_reply_for_another_order_is_rejected_without_evidence(self, app):
        app.upstream.scripts["order1"] = [result_reply("order2")]
        record = app.worker().collect("order1")
        assert (record.state, record.reason) == (
            OrderState.REJECTED,
            "order_no_mismatch",
        )
        assert not app.evidence.objects

    def test_unknown_code_is_parked_after_two_attempts(self, app):
        app.upstream.scripts["order1"] = [error_reply("777")]
        worker = app.worker()
        assert worker.collect("order1").state is OrderState.WAITING
        app.clock.sleep(6)
        assert worker.collect("order1", Urgency.DUE).state is OrderState.PARKED
        assert app.upstream.queries["order1"] == 2
        [event] = app.bodies()
        assert event["data"]["reason"] == {"code": "777", "name": "unknown_code"}

    @pytest.mark.parametrize(
        "reply",
        [
            TransportError("timeout"),
            json_reply(b"<html>502</html>", status=502),
            json_reply(b"<html>a page</html>"),
            json_reply(b'{"code":"0","resu'),
            error_reply("66660021"),
        ],
        ids=["timeout", "502", "html", "cut", "system_timeout"],
    )
    def test_transient_failure_is_retried_within_five_seconds(self, app, reply):
        app.upstream.scripts["order1"] = [reply, result_reply("order1")]
        worker = app.worker()
        record = worker.collect("order1")
        assert (record.state, record.reason) == (OrderState.WAITING, "transient")
        assert record.due_at - app.clock.now() <= timedelta(seconds=5)
        assert not app.evidence.objects
        app.clock.sleep(5)
        assert worker.collect("order1", Urgency.DUE).state is OrderState.COLLECTED

    @pytest.mark.parametrize("code", ["66660011", "66660020"])
    def test_not_ready_follows_the_schedule_to_its_deadline(self, app, code):
        app.upstream.scripts["order1"] = [error_reply(code)]
        worker = app.worker()
        waits = []
        record = worker.collect("order1")
        while record.state is OrderState.WAITING:
            waits.append((record.due_at - app.clock.now()).total_seconds())
            app.clock.sleep(waits[-1])
            record = worker.collect("order1", Urgency.DUE)
        assert waits[:5] == [5, 15, 60, 300, 3600]
        assert set(waits[5:-1]) == {3600}
        assert sum(waits) == 2 * 24 * 3600
        assert record.state is OrderState.EXPIRED
        assert app.bodies()[0]["type"] == "kycourier.ocr.expired.v1"

    def test_duplicate_of_a_waiting_order_makes_no_query(self, app):
        app.upstream.scripts["order1"] = [error_reply("66660011")]
        for _ in range(10):
            assert app.worker().collect("order1").state is OrderState.WAITING
        assert app.upstream.queries["order1"] == 1

    def test_early_calls_do_not_advance_the_schedule(self, app):
        app.upstream.scripts["order1"] = [error_reply("66660011")]
        worker = app.worker()
        for _ in range(5):
            record = worker.collect("order1", Urgency.NOW)
        assert record.due_at - app.clock.now() == timedelta(seconds=5)

    def test_calls_at_retry_after_follow_the_schedule(self, app):
        app.upstream.scripts["order1"] = [error_reply("66660011")]
        worker, waits = app.worker(), []
        for _ in range(6):
            record = worker.collect("order1", Urgency.NOW)
            waits.append((record.due_at - app.clock.now()).total_seconds())
            app.clock.sleep(waits[-1])
        assert waits == [5, 15, 60, 300, 3600, 3600]

    def test_early_call_does_not_postpone_the_next_query(self, app):
        app.upstream.scripts["order1"] = [error_reply("66660011")]
        worker = app.worker()
        due_at = worker.collect("order1", Urgency.NOW).due_at
        app.clock.sleep(3)
        assert worker.collect("order1", Urgency.NOW).due_at == due_at
        app.clock.sleep(2)
        record = worker.collect("order1", Urgency.DUE)
        assert record.due_at == due_at + timedelta(seconds=15)

    def test_open_breaker_does_not_restart_the_schedule(self, app):
        app.upstream.scripts["order1"] = [error_reply("66660011")]
        worker = app.worker()
        for delay in (5, 15, 60):
            worker.collect("order1", Urgency.DUE if delay > 5 else Urgency.NOTIFIED)
            app.clock.sleep(delay)
        app.upstream.scripts["other"] = [error_reply("400501")]
        worker.collect("other")
        assert worker.collect("order1", Urgency.DUE).reason == "throttled"
        app.clock.sleep(20)
        record = worker.collect("order1", Urgency.DUE)
        assert record.reason == "not_ready"
        assert record.due_at - app.clock.now() == timedelta(seconds=300)

    def test_traceparent_of_a_message_is_kept(self, app):
        worker = app.worker()
        worker.register.register(expected_order("order1"))
        trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        announced = replace(expected_order("order1"), traceparent=trace)
        worker.collector.collect(
            announced, urgency=Urgency.NOTIFIED, deadline=app.time()
        )
        assert app.bodies()[0]["traceparent"] == trace

    def test_waiting_order_is_enqueued_for_its_due_time(self, app):
        app.upstream.scripts["order1"] = [error_reply("66660011")]
        app.worker().collect("order1")
        assert not app.queue.receive(9, visibility_seconds=60)
        app.clock.sleep(5)
        [delivery] = app.queue.receive(9, visibility_seconds=60)
        assert '"order1"' in delivery.body


LATE = {"originBankcardPhoto": ""}


class TestPhotos:
    @pytest.mark.parametrize(("late_replies", "seconds"), [(1, 1), (2, 3), (3, 7)])
    def test_late_photos_are_queried_after_one_two_and_four_seconds(
        self, app, late_replies, seconds
    ):
        begun = app.clock.now()
        late = [result_reply("order1", **LATE)] * late_replies
        app.upstream.scripts["order1"] = [*late, result_reply("order1")]
        assert app.worker().collect("order1").state is OrderState.COLLECTED
        assert app.clock.now() - begun == timedelta(seconds=seconds)
        assert app.bodies()[0]["data"]["photos_missing"] == []

    def test_missing_crops_are_reported(self, app):
        crops = {"bankcardCropPhoto": None, "bankcardNoPhoto": ""}
        app.upstream.scripts["order1"] = [result_reply("order1", **crops)]
        assert app.worker().collect("order1").state is OrderState.COLLECTED
        assert app.upstream.queries["order1"] == 4
        data = app.bodies()[0]["data"]
        assert data["photos_missing"] == ["cropped", "number"]

    def test_missing_original_is_reported_when_patience_ends(self, app):
        app.upstream.scripts["order1"] = [result_reply("order1", **LATE)]
        begun, worker = app.clock.now(), app.worker()
        record, waits = worker.collect("order1"), []
        while record.state is OrderState.WAITING:
            assert record.reason == "photos_pending"
            waits.append((record.due_at - app.clock.now()).total_seconds())
            app.clock.sleep(waits[-1])
            record = worker.collect("order1", Urgency.DUE)
        assert waits == [15, 30, 60, 60, 60, 60, 8]
        assert app.clock.now() - begun == timedelta(seconds=300)
        assert record.state is OrderState.COLLECTED
        assert app.bodies()[0]["data"]["photos_missing"] == ["original"]

    def test_photo_schedule_continues_in_a_later_invocation(self, app):
        app.upstream.scripts["order1"] = [
            *[result_reply("order1", **LATE)] * 3,
            result_reply("order1"),
        ]
        worker = app.worker()
        record = worker.collect("order1", seconds=6)
        assert (record.state, record.reason) == (OrderState.WAITING, "photos_pending")
        assert record.photo_tries == 3
        assert record.due_at - app.clock.now() == timedelta(seconds=4)
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

    def test_pair_that_dies_during_photo_retries_is_renewed(self, app):
        late = result_reply("order1", **LATE)
        app.upstream.scripts["order1"] = [late, result_reply("order1")]
        worker = app.worker()

        def kill(_):
            if app.upstream.queries["order1"] == 2:
                app.upstream.kill_pair()

        app.upstream.on_query = kill
        assert worker.collect("order1").state is OrderState.COLLECTED
        assert app.upstream.queries["order1"] == 3
        assert app.upstream.tokens == 2

    def test_foreign_refreshes_cost_one_forced_refresh_a_minute(self, app):
        worker = app.worker()
        worker.collect("order1")
        for number in range(2, 5):
            app.upstream.kill_pair()
            record = worker.collect(f"order{number}")
            assert app.upstream.queries[f"order{number}"] <= 2
            assert (record.reason == "credentials") == (number > 2)
        assert app.upstream.tokens == 2
        app.clock.sleep(60)
        assert worker.collect("order4", Urgency.DUE).state is OrderState.COLLECTED
        assert app.upstream.tokens == 3

    def test_rejected_ticket_parks_the_order_after_fifteen_minutes(self, app):
        app.upstream.scripts["order1"] = [error_reply("400101")]
        worker, begun = app.worker(), app.clock.now()
        record = worker.collect("order1")
        while record.state is OrderState.WAITING:
            assert record.reason == "credentials"
            app.clock.sleep((record.due_at - app.clock.now()).total_seconds())
            record = worker.collect("order1", Urgency.DUE)
        assert (record.state, record.reason) == (OrderState.PARKED, "sign_rejected")
        assert 15 * MINUTE <= app.clock.now() - begun <= 17 * MINUTE
        assert app.upstream.tokens <= 17

    def test_unobtainable_ticket_makes_the_order_wait(self, app):
        app.upstream.token_reply = json_reply(b"busy", status=503)
        worker = app.worker()
        record = worker.collect("order1")
        assert (record.state, record.reason) == (OrderState.WAITING, "transient")
        assert not app.upstream.queries
        app.upstream.token_reply = None
        app.clock.sleep(60)
        assert worker.collect("order1", Urgency.DUE).state is OrderState.COLLECTED

    def test_wrong_secret_makes_the_order_wait_for_credentials(self, app):
        app.upstream.token_reply = error_reply("400103")
        record = app.worker().collect("order1")
        assert record.reason == "credentials"
        assert record.due_at - app.clock.now() <= MINUTE

    def test_order_is_collected_within_two_minutes_of_the_right_secret(self, app):
        app.upstream.token_reply = error_reply("400103")
        worker, begun = app.worker(), app.clock.now()
        record = worker.collect("order1")
        while record.state is OrderState.WAITING:
            app.clock.sleep((record.due_at - app.clock.now()).total_seconds())
            if app.clock.now() - begun >= 10 * MINUTE and app.upstream.token_reply:
                app.upstream.token_reply, right_at = None, app.clock.now()
            record = worker.collect("order1", Urgency.DUE)
        assert record.state is OrderState.COLLECTED
        assert app.clock.now() - right_at <= 2 * MINUTE

    def test_pair_is_renewed_only_once_per_collection(self, app):
        """The limit holds even if another forced refresh would be allowed."""
        app.upstream.scripts["order1"] = [result_reply("order1", **LATE)]

        def kill(_):
            if app.upstream.queries["order1"] in {1, 3}:
                app.clock.sleep(61)
                app.upstream.kill_pair()

        app.upstream.on_query = kill
        record = app.worker().collect("order1", seconds=900)
        assert (record.state, record.reason) == (OrderState.WAITING, "credentials")
        assert (app.upstream.queries["order1"], app.upstream.tokens) == (3, 2)


class TestCrashes:
    """After a crash at any step another worker continues from the row."""

    def die(self, *_, **__):
        raise KeyboardInterrupt

    @pytest.mark.parametrize(
        ("port", "verb"),
        [
            ("orders", "claim"),
            ("orders", "commit"),
            ("evidence", "put"),
            ("sink", "publish"),
        ],
    )
    @pytest.mark.parametrize("when", ["before", "after"])
    def test_another_worker_finishes_a_crashed_collection_with_one_effect(
        self, app, monkeypatch, port, verb, when
    ):
        target = app.stores.orders if port == "orders" else getattr(app, port)
        real = getattr(target, verb)

        def crash(*args, **kwargs):
            if when == "after":
                real(*args, **kwargs)
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(target, verb, crash)
            with pytest.raises(KeyboardInterrupt):
                app.worker().collect("order1")
        other = app.worker()
        early = other.collect("order1")
        assert early.state is not OrderState.WAITING
        app.clock.sleep(63)
        other.collect("order1")
        other.sweeper.sweep(app.time())
        assert app.load("order1").state is OrderState.COLLECTED
        assert app.load("order1").unsent == ()
        assert len({event.body for event in app.sink.events}) == 1
        for thing in named_objects(app.bodies()[0]):
            assert thing["uri"].removeprefix(f"{EVIDENCE_URI}/") in app.evidence.objects

    def test_refused_commit_returns_the_stored_row(self, app):
        slow, quick = app.worker(), app.worker()

        def overtake(_):
            app.upstream.on_query = lambda _: None
            app.clock.sleep(63)
            quick.collect("order1")

        app.upstream.on_query = overtake
        record = slow.collect("order1")
        assert record == app.load("order1")
        assert len(app.sink.events) == 1
        assert "stale_owner_refused" in app.log_events()
        assert "result_conflict" not in app.log_events()

    @pytest.mark.parametrize("seconds", [30, 900])
    def test_lease_lasts_as_long_as_its_holder_can_live(self, app, seconds):
        seen = []

        def look(_):
            seen.append(app.load("order1").lease_ends_at - app.clock.now())

        app.upstream.on_query = look
        app.worker().collect("order1", seconds=seconds)
        assert seen == [timedelta(seconds=seconds + 2)]

    def test_objects_of_a_replaced_owner_are_reported_after_the_orphan_check(self, app):
        slow, quick = app.worker(), app.worker()
        app.upstream.scripts["order1"] = [
            result_reply("order1"),
            result_reply("order1", bankCardNo="5555555555554444"),
        ]

        def overtake(_):
            app.upstream.on_query = lambda _: None
            app.clock.sleep(63)
            quick.collect("order1")
            app.clock.sleep(21 * 60)
            quick.sweeper.sweep(app.time())
            assert app.load("order1").due_at is None

        app.upstream.on_query = overtake
        slow.collect("order1")
        assert "object_orphaned" not in app.log_events()
        app.clock.sleep(21 * 60)
        quick.sweeper.sweep(app.time())
        assert app.log_events().count("object_orphaned") == 1

    def test_different_second_result_is_a_conflict(self, app):
        slow, quick = app.worker(), app.worker()
        app.upstream.scripts["order1"] = [
            result_reply("order1"),
            result_reply("order1", bankCardNo="5555555555554444"),
        ]

        def overtake(_):
            app.upstream.on_query = lambda _: None
            app.clock.sleep(63)
            quick.collect("order1")

        app.upstream.on_query = overtake
        slow.collect("order1")
        assert app.log_events().count("result_conflict") == 1
        [event] = app.bodies()
        assert event["data"]["card"]["number_masked"] == "411111******1111"

    def test_orphaned_objects_are_reported_by_the_sweep(self, app, monkeypatch):
        monkeypatch.setattr(app.sink, "publish", self.die)
        commit = app.stores.orders.commit
        monkeypatch.setattr(app.stores.orders, "commit", self.die)
        with pytest.raises(KeyboardInterrupt):
            app.worker().collect("order1")
        monkeypatch.undo()
        assert commit is not None
        first_keys = set(app.evidence.objects)
        app.upstream.scripts["order1"] = [
            result_reply("order1", bankCardNo="5555555555554444")
        ]
        app.clock.sleep(63)
        worker = app.worker()
        worker.collect("order1")
        app.clock.sleep(21 * 60)
        worker.sweeper.sweep(app.time())
        manifests = {key for key in first_keys if "manifest" in key}
        reported = {
            fields["key"]
            for name, fields in app.event_log.entries
            if name == "object_orphaned"
        }
        assert reported == manifests
        assert app.load("order1").due_at is None


class TestFailingPorts:
    @pytest.mark.parametrize("error", [StoreUnavailableError, NewerSchemaError])
    def test_unreadable_ticket_makes_the_order_wait(self, app, monkeypatch, error):
        def down(*_, **__):
            raise error

        monkeypatch.setattr(app.stores.tickets, "get", down)
        record = app.worker().collect("order1", seconds=900)
        assert (record.state, record.reason) == (OrderState.WAITING, "transient")
        assert record.due_at - app.clock.now() <= timedelta(seconds=5)

    def test_unreleasable_trial_lease_loses_no_order(self, app, monkeypatch):
        app.upstream.scripts["order1"] = [error_reply("400501")]
        worker = app.worker()
        worker.collect("order1")
        app.clock.sleep(6)

        def down(*_, **__):
            raise StoreUnavailableError

        monkeypatch.setattr(app.stores.leases, "release", down)
        assert worker.collect("order2").state is OrderState.COLLECTED

    def test_open_breaker_stops_photo_retries(self, app):
        worker = app.worker()
        worker.collect("order0")
        app.upstream.scripts["order1"] = [result_reply("order1", **LATE)]
        minute = timedelta(minutes=1)
        app.upstream.on_query = lambda _: app.worker().breaker.record(
            Signal.THROTTLED, min_open=minute
        )
        record = worker.collect("order1")
        assert record.reason == "photos_pending"
        assert app.upstream.queries["order1"] <= 2

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
        assert not app.sink.events

    def test_unavailable_evidence_parks_the_order_after_its_deadline(
        self, app, monkeypatch
    ):
        def full(*_, **__):
            raise EvidenceUnavailableError("no space")

        monkeypatch.setattr(app.evidence, "put", full)
        worker = app.worker()
        worker.collect("order1")
        app.clock.sleep(2 * 24 * 3600)
        assert worker.collect("order1", Urgency.NOW).state is OrderState.WAITING
        app.clock.sleep(15 * 60)
        record = worker.collect("order1", Urgency.NOW)
        assert (record.state, record.reason) == (
            OrderState.PARKED,
            "evidence_unavailable",
        )

    def test_evidence_conflict_parks_the_order(self, app, monkeypatch):
        def conflict(*_, **__):
            raise EvidenceConflictError

        monkeypatch.setattr(app.evidence, "put", conflict)
        record = app.worker().collect("order1")
        assert (record.state, record.reason) == (OrderState.PARKED, "evidence_conflict")
        assert "evidence_conflict" in app.log_events()

    def test_event_of_a_failing_sink_is_sent_by_the_sweep(self, app, monkeypatch):
        def down(_):
            raise SinkUnavailableError

        with monkeypatch.context() as patch:
            patch.setattr(app.sink, "publish", down)
            record = app.worker().collect("order1")
        assert record.state is OrderState.COLLECTED
        [unsent] = record.unsent
        app.clock.sleep(6)
        app.worker().sweeper.sweep(app.time())
        assert app.sink.events == [unsent]

    def test_order_of_a_failing_queue_is_found_by_the_sweep(self, app, monkeypatch):
        def down(*_):
            raise StoreUnavailableError

        monkeypatch.setattr(app.queue, "enqueue", down)
        app.upstream.scripts["order1"] = [
            error_reply("66660011"),
            result_reply("order1"),
        ]
        app.worker().collect("order1")
        assert "enqueue_failed" in app.log_events()
        app.clock.sleep(5)
        app.worker().sweeper.sweep(app.time())
        assert app.load("order1").state is OrderState.COLLECTED


class TestReopening:
    def test_reopened_order_has_new_photo_patience(self, app):
        blank = dict.fromkeys(PHOTO_FIELDS, "")
        late = result_reply("order1", **blank)
        app.upstream.scripts["order1"] = [*[late] * 5, error_reply("66660013")]
        worker = app.worker()
        while worker.collect("order1", Urgency.NOW).state is not OrderState.PARKED:
            app.clock.sleep(61)
        app.clock.sleep(3600)
        app.upstream.scripts["order1"] = [late, result_reply("order1")]
        worker.register.make_due(expected_order("order1"), reopen=True)
        worker.collect("order1", Urgency.NOW)
        assert app.bodies()[-1]["data"]["photos_missing"] == []

    def test_reopening_survives_a_concurrent_write(self, app, monkeypatch):
        app.upstream.scripts["order1"] = [error_reply("66660013")]
        worker = app.worker()
        worker.collect("order1")
        commit = app.stores.orders.commit

        def overtaken(record, *, expected):
            monkeypatch.undo()
            stored = app.load("order1")
            now = app.clock.now()
            commit(rules.mark_sent(stored, now=now), expected=stored)
            commit(record, expected=expected)

        monkeypatch.setattr(app.stores.orders, "commit", overtaken)
        record = worker.register.make_due(expected_order("order1"), reopen=True)
        assert record.state is OrderState.WAITING
        assert app.log_events().count("order_reopened") == 1

    @pytest.mark.parametrize("code", ["0", "-9011"])
    def test_only_a_parked_order_is_reopened(self, app, code):
        script = result_reply("order1") if code == "0" else error_reply(code)
        app.upstream.scripts["order1"] = [script]
        worker = app.worker()
        stored = worker.collect("order1")
        assert worker.register.make_due(expected_order("order1"), reopen=True) == stored
        assert app.load("order1") == stored

    def test_reopened_order_is_collected(self, app):
        app.upstream.scripts["order1"] = [
            error_reply("66660013"),
            result_reply("order1"),
        ]
        worker = app.worker()
        assert worker.collect("order1").state is OrderState.PARKED
        assert (
            worker.register.make_due(expected_order("order1")).state
            is OrderState.PARKED
        )
        worker.register.make_due(expected_order("order1"), reopen=True)
        assert worker.collect("order1", Urgency.NOW).state is OrderState.COLLECTED
        kinds = [event["type"].split(".")[2] for event in app.bodies()]
        assert kinds == ["parked", "collected"]

    def test_order_parked_again_has_one_event(self, app):
        app.upstream.scripts["order1"] = [error_reply("66660013")]
        worker = app.worker()
        worker.collect("order1")
        worker.register.make_due(expected_order("order1"), reopen=True)
        assert worker.collect("order1", Urgency.NOW).state is OrderState.PARKED
        assert len(app.sink.events) == 1
