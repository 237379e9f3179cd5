"""From a ready order to its evidence and one event."""

import hashlib
from datetime import timedelta

import pytest
from msgspec.structs import replace

from kycourier.core import order as rules
from kycourier.core.brake import Signal
from kycourier.core.errors import (
    EvidenceConflict,
    EvidenceUnavailable,
    NewerSchema,
    OutOfTime,
    SinkUnavailable,
    StoreUnavailable,
    UpstreamUnreachable,
)
from kycourier.core.order import Urgency
from kycourier.core.order_record import State
from worlds import NUMBER, PHOTOS, URI, World, http, refusal, result

MINUTE = timedelta(minutes=1)


@pytest.fixture
def world():
    return World()


def named_objects(event):
    data = event["data"]
    return [*data["photos"], data["manifest"]]


class TestNormalOrder:
    def test_it_is_asked_for_once_stored_and_told_once(self, world):
        record = world.worker().collect("order1")
        assert record.state is State.COLLECTED
        assert world.upstream.asked == {"order1": 1}
        [event] = world.bodies()
        assert event["type"] == "kycourier.ocr.collected.v1"
        assert event["data"]["card"]["number_masked"] == "411111******1111"
        assert (record.unsent, record.due_at) == ((), None)

    def test_every_object_that_the_event_names_is_there_with_its_digest(self, world):
        world.worker().collect("order1")
        [event] = world.bodies()
        named = named_objects(event)
        assert len(named) == 4
        for thing in named:
            key = thing["uri"].removeprefix(f"{URI}/")
            content = world.evidence.objects[key]
            assert hashlib.sha256(content).hexdigest() == thing["sha256"]
            assert key in world.evidence.lasting

    def test_nothing_kept_or_told_holds_the_number(self, world):
        world.worker().collect("order1")
        kept = [row.record for row in world.state.orders.rows.values()]
        objects = [name.encode() for name in world.evidence.objects]
        manifest = [
            content
            for name, content in world.evidence.objects.items()
            if "manifest" in name
        ]
        told = [repr(world.bodies()).encode(), repr(world.journal.notes).encode()]
        for text in (*kept, *objects, *manifest, *told):
            assert NUMBER.encode() not in text

    def test_delivered_again_nothing_happens(self, world):
        first = world.worker().collect("order1")
        for urgency in Urgency:
            assert world.worker().collect("order1", urgency) == first
        assert world.upstream.asked == {"order1": 1}
        assert len(world.sink.events) == 1

    def test_with_under_two_seconds_nothing_is_begun(self, world):
        with pytest.raises(OutOfTime):
            world.worker().collect("order1", seconds=1.9)
        assert world.load("order1") is None
        assert not world.upstream.tokens


class TestReplies:
    @pytest.mark.parametrize("code", ["-9011", "-9012", "-9013", "-9014", "9014"])
    def test_a_failed_recognition_is_rejected_and_told_without_a_retry(
        self, world, code
    ):
        world.upstream.scripts["order1"] = [refusal(code)]
        assert world.worker().collect("order1").state is State.REJECTED
        [event] = world.bodies()
        assert event["type"] == "kycourier.ocr.rejected.v1"
        assert event["data"]["reason"]["code"] == code
        assert world.upstream.asked["order1"] == 1

    def test_a_reply_for_another_order_is_rejected_and_nothing_stored(self, world):
        world.upstream.scripts["order1"] = [result("order2")]
        record = world.worker().collect("order1")
        assert (record.state, record.reason) == (State.REJECTED, "order_no_mismatch")
        assert not world.evidence.objects

    def test_an_unknown_code_is_tried_twice_then_parked(self, world):
        world.upstream.scripts["order1"] = [refusal("777")]
        worker = world.worker()
        assert worker.collect("order1").state is State.WAITING
        world.clock.sleep(6)
        assert worker.collect("order1", Urgency.DUE).state is State.PARKED
        assert world.upstream.asked["order1"] == 2
        [event] = world.bodies()
        assert event["data"]["reason"] == {"code": "777", "name": "unknown_code"}

    @pytest.mark.parametrize(
        "answer",
        [
            UpstreamUnreachable("timeout"),
            http(b"<html>502</html>", status=502),
            http(b"<html>a page</html>"),
            http(b'{"code":"0","resu'),
            refusal("66660021"),
        ],
        ids=["timeout", "502", "html", "cut", "system_timeout"],
    )
    def test_what_is_no_answer_is_asked_again_within_five_seconds(self, world, answer):
        world.upstream.scripts["order1"] = [answer, result("order1")]
        worker = world.worker()
        record = worker.collect("order1")
        assert (record.state, record.reason) == (State.WAITING, "transient")
        assert record.due_at - world.clock.now() <= timedelta(seconds=5)
        assert not world.evidence.objects
        world.clock.sleep(5)
        assert worker.collect("order1", Urgency.DUE).state is State.COLLECTED

    @pytest.mark.parametrize("code", ["66660011", "66660020"])
    def test_not_ready_follows_the_schedule_to_its_deadline(self, world, code):
        world.upstream.scripts["order1"] = [refusal(code)]
        worker = world.worker()
        waits = []
        record = worker.collect("order1")
        while record.state is State.WAITING:
            waits.append((record.due_at - world.clock.now()).total_seconds())
            world.clock.sleep(waits[-1])
            record = worker.collect("order1", Urgency.DUE)
        assert waits[:5] == [5, 15, 60, 300, 3600]
        assert set(waits[5:-1]) == {3600}
        assert sum(waits) == 2 * 24 * 3600
        assert record.state is State.EXPIRED
        assert world.bodies()[0]["type"] == "kycourier.ocr.expired.v1"

    def test_duplicates_of_a_waiting_order_do_not_ask(self, world):
        world.upstream.scripts["order1"] = [refusal("66660011")]
        for _ in range(10):
            assert world.worker().collect("order1").state is State.WAITING
        assert world.upstream.asked["order1"] == 1

    def test_callers_who_ask_out_of_turn_do_not_move_the_schedule_on(self, world):
        world.upstream.scripts["order1"] = [refusal("66660011")]
        worker = world.worker()
        for _ in range(5):
            record = worker.collect("order1", Urgency.NOW)
        assert record.due_at - world.clock.now() == timedelta(seconds=5)

    def test_a_caller_who_asks_again_when_told_to_keeps_to_the_schedule(self, world):
        world.upstream.scripts["order1"] = [refusal("66660011")]
        worker, waits = world.worker(), []
        for _ in range(6):
            record = worker.collect("order1", Urgency.NOW)
            waits.append((record.due_at - world.clock.now()).total_seconds())
            world.clock.sleep(waits[-1])
        assert waits == [5, 15, 60, 300, 3600, 3600]

    def test_a_caller_who_asks_before_its_turn_does_not_put_the_turn_off(self, world):
        world.upstream.scripts["order1"] = [refusal("66660011")]
        worker = world.worker()
        turn_at = worker.collect("order1", Urgency.NOW).due_at
        world.clock.sleep(3)
        assert worker.collect("order1", Urgency.NOW).due_at == turn_at
        world.clock.sleep(2)
        record = worker.collect("order1", Urgency.DUE)
        assert record.due_at == turn_at + timedelta(seconds=15)

    def test_a_pause_does_not_begin_the_schedule_anew(self, world):
        world.upstream.scripts["order1"] = [refusal("66660011")]
        worker = world.worker()
        for delay in (5, 15, 60):
            worker.collect("order1", Urgency.DUE if delay > 5 else Urgency.NOTIFIED)
            world.clock.sleep(delay)
        world.upstream.scripts["other"] = [refusal("400501")]
        worker.collect("other")
        assert worker.collect("order1", Urgency.DUE).reason == "throttled"
        world.clock.sleep(20)
        record = worker.collect("order1", Urgency.DUE)
        assert record.reason == "not_ready"
        assert record.due_at - world.clock.now() == timedelta(seconds=300)

    def test_a_traceparent_that_comes_with_the_message_is_kept(self, world):
        worker = world.worker()
        worker.register.register(worker_expected())
        trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        announced = replace(worker_expected(), traceparent=trace)
        worker.collector.collect(
            announced, urgency=Urgency.NOTIFIED, time_left=world.time()
        )
        assert world.bodies()[0]["traceparent"] == trace

    def test_a_waiting_order_is_enqueued_for_its_due_time(self, world):
        world.upstream.scripts["order1"] = [refusal("66660011")]
        world.worker().collect("order1")
        assert not world.queue.receive(9, visibility_seconds=60)
        world.clock.sleep(5)
        [delivery] = world.queue.receive(9, visibility_seconds=60)
        assert '"order1"' in delivery.body


LATE = {"originBankcardPhoto": ""}


class TestPhotos:
    @pytest.mark.parametrize(("late_replies", "seconds"), [(1, 1), (2, 3), (3, 7)])
    def test_late_photos_are_asked_for_after_one_two_and_four_seconds(
        self, world, late_replies, seconds
    ):
        begun = world.clock.now()
        late = [result("order1", **LATE)] * late_replies
        world.upstream.scripts["order1"] = [*late, result("order1")]
        assert world.worker().collect("order1").state is State.COLLECTED
        assert world.clock.now() - begun == timedelta(seconds=seconds)
        assert world.bodies()[0]["data"]["photos_missing"] == []

    def test_crops_that_never_come_are_named_missing(self, world):
        crops = {"bankcardCropPhoto": None, "bankcardNoPhoto": ""}
        world.upstream.scripts["order1"] = [result("order1", **crops)]
        assert world.worker().collect("order1").state is State.COLLECTED
        assert world.upstream.asked["order1"] == 4
        data = world.bodies()[0]["data"]
        assert data["photos_missing"] == ["cropped", "number"]

    def test_an_original_that_never_comes_is_named_when_patience_ends(self, world):
        world.upstream.scripts["order1"] = [result("order1", **LATE)]
        begun, worker = world.clock.now(), world.worker()
        record, waits = worker.collect("order1"), []
        while record.state is State.WAITING:
            assert record.reason == "photos_pending"
            waits.append((record.due_at - world.clock.now()).total_seconds())
            world.clock.sleep(waits[-1])
            record = worker.collect("order1", Urgency.DUE)
        assert waits == [15, 30, 60, 60, 60, 60, 8]
        assert world.clock.now() - begun == timedelta(seconds=300)
        assert record.state is State.COLLECTED
        assert world.bodies()[0]["data"]["photos_missing"] == ["original"]

    def test_without_time_to_ask_in_place_the_schedule_goes_on_later(self, world):
        world.upstream.scripts["order1"] = [
            *[result("order1", **LATE)] * 3,
            result("order1"),
        ]
        worker = world.worker()
        record = worker.collect("order1", seconds=6)
        assert (record.state, record.reason) == (State.WAITING, "photos_pending")
        assert record.photo_tries == 3
        assert record.due_at - world.clock.now() == timedelta(seconds=4)
        world.clock.sleep(4)
        assert worker.collect("order1", Urgency.DUE).state is State.COLLECTED
        assert world.upstream.asked["order1"] == 4


class TestTicket:
    def test_a_killed_pair_is_renewed_once_and_the_order_asked_once_more(self, world):
        worker = world.worker()
        worker.collect("order1")
        world.upstream.kill_pair()
        assert worker.collect("order2").state is State.COLLECTED
        assert world.upstream.tokens == 2
        assert world.upstream.asked["order2"] == 2

    def test_a_pair_that_dies_while_photos_are_awaited_is_renewed(self, world):
        late = result("order1", **LATE)
        world.upstream.scripts["order1"] = [late, result("order1")]
        worker = world.worker()

        def kill(_):
            if world.upstream.asked["order1"] == 2:
                world.upstream.kill_pair()

        world.upstream.on_query = kill
        assert worker.collect("order1").state is State.COLLECTED
        assert world.upstream.asked["order1"] == 3
        assert world.upstream.tokens == 2

    def test_somebody_elses_refresh_costs_one_retry_and_one_forced_refresh_a_minute(
        self, world
    ):
        worker = world.worker()
        worker.collect("order1")
        for number in range(2, 5):
            world.upstream.kill_pair()
            record = worker.collect(f"order{number}")
            assert world.upstream.asked[f"order{number}"] <= 2
            assert (record.reason == "credentials") == (number > 2)
        assert world.upstream.tokens == 2
        world.clock.sleep(60)
        assert worker.collect("order4", Urgency.DUE).state is State.COLLECTED
        assert world.upstream.tokens == 3

    def test_a_refused_ticket_parks_the_order_after_fifteen_minutes(self, world):
        world.upstream.scripts["order1"] = [refusal("400101")]
        worker, begun = world.worker(), world.clock.now()
        record = worker.collect("order1")
        while record.state is State.WAITING:
            assert record.reason == "credentials"
            world.clock.sleep((record.due_at - world.clock.now()).total_seconds())
            record = worker.collect("order1", Urgency.DUE)
        assert (record.state, record.reason) == (State.PARKED, "sign_rejected")
        assert 15 * MINUTE <= world.clock.now() - begun <= 17 * MINUTE
        assert world.upstream.tokens <= 17

    def test_no_ticket_to_be_had_is_waited_for(self, world):
        world.upstream.token_answer = http(b"busy", status=503)
        worker = world.worker()
        record = worker.collect("order1")
        assert (record.state, record.reason) == (State.WAITING, "transient")
        assert not world.upstream.asked
        world.upstream.token_answer = None
        world.clock.sleep(60)
        assert worker.collect("order1", Urgency.DUE).state is State.COLLECTED

    def test_a_changed_secret_is_a_matter_of_credentials(self, world):
        world.upstream.token_answer = refusal("400103")
        record = world.worker().collect("order1")
        assert record.reason == "credentials"
        assert record.due_at - world.clock.now() <= MINUTE

    def test_within_two_minutes_of_the_right_secret_the_order_is_collected(self, world):
        world.upstream.token_answer = refusal("400103")
        worker, begun = world.worker(), world.clock.now()
        record = worker.collect("order1")
        while record.state is State.WAITING:
            world.clock.sleep((record.due_at - world.clock.now()).total_seconds())
            if world.clock.now() - begun >= 10 * MINUTE and world.upstream.token_answer:
                world.upstream.token_answer, right_at = None, world.clock.now()
            record = worker.collect("order1", Urgency.DUE)
        assert record.state is State.COLLECTED
        assert world.clock.now() - right_at <= 2 * MINUTE

    def test_a_pair_that_is_refused_again_is_not_renewed_again(self, world):
        """Not even when a forced refresh would be allowed: one renewal an order."""
        world.upstream.scripts["order1"] = [result("order1", **LATE)]

        def kill(_):
            if world.upstream.asked["order1"] in {1, 3}:
                world.clock.sleep(61)
                world.upstream.kill_pair()

        world.upstream.on_query = kill
        record = world.worker().collect("order1", seconds=900)
        assert (record.state, record.reason) == (State.WAITING, "credentials")
        assert (world.upstream.asked["order1"], world.upstream.tokens) == (3, 2)


class TestCrashes:
    """A worker that dies after any step; another goes on from what the row says."""

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
    def test_another_worker_ends_the_order_with_one_effect(
        self, world, monkeypatch, port, verb, when
    ):
        target = world.state.orders if port == "orders" else getattr(world, port)
        real = getattr(target, verb)

        def crash(*args, **kwargs):
            if when == "after":
                real(*args, **kwargs)
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(target, verb, crash)
            with pytest.raises(KeyboardInterrupt):
                world.worker().collect("order1")
        other = world.worker()
        early = other.collect("order1")
        assert early.state is not State.WAITING
        world.clock.sleep(63)
        other.collect("order1")
        other.sweeper.sweep(world.time())
        assert world.load("order1").state is State.COLLECTED
        assert world.load("order1").unsent == ()
        assert len({event.body for event in world.sink.events}) == 1
        for thing in named_objects(world.bodies()[0]):
            assert thing["uri"].removeprefix(f"{URI}/") in world.evidence.objects

    def test_a_commit_that_is_refused_leaves_what_stands(self, world):
        slow, quick = world.worker(), world.worker()

        def overtake(_):
            world.upstream.on_query = lambda _: None
            world.clock.sleep(63)
            quick.collect("order1")

        world.upstream.on_query = overtake
        record = slow.collect("order1")
        assert record == world.load("order1")
        assert len(world.sink.events) == 1
        assert "stale_owner_refused" in world.facts()
        assert "result_conflict" not in world.facts()

    @pytest.mark.parametrize("seconds", [30, 900])
    def test_an_order_is_its_owners_for_as_long_as_that_can_live(self, world, seconds):
        seen = []

        def look(_):
            seen.append(world.load("order1").lease_ends_at - world.clock.now())

        world.upstream.on_query = look
        world.worker().collect("order1", seconds=seconds)
        assert seen == [timedelta(seconds=seconds + 2)]

    def test_what_a_replaced_owner_stores_after_the_tidying_is_reported_too(
        self, world
    ):
        slow, quick = world.worker(), world.worker()
        world.upstream.scripts["order1"] = [
            result("order1"),
            result("order1", bankCardNo="5555555555554444"),
        ]

        def overtake(_):
            world.upstream.on_query = lambda _: None
            world.clock.sleep(63)
            quick.collect("order1")
            world.clock.sleep(21 * 60)
            quick.sweeper.sweep(world.time())
            assert world.load("order1").due_at is None

        world.upstream.on_query = overtake
        slow.collect("order1")
        assert "object_unreferenced" not in world.facts()
        world.clock.sleep(21 * 60)
        quick.sweeper.sweep(world.time())
        assert world.facts().count("object_unreferenced") == 1

    def test_another_result_than_the_one_that_stands_is_a_conflict(self, world):
        slow, quick = world.worker(), world.worker()
        world.upstream.scripts["order1"] = [
            result("order1"),
            result("order1", bankCardNo="5555555555554444"),
        ]

        def overtake(_):
            world.upstream.on_query = lambda _: None
            world.clock.sleep(63)
            quick.collect("order1")

        world.upstream.on_query = overtake
        slow.collect("order1")
        assert world.facts().count("result_conflict") == 1
        [event] = world.bodies()
        assert event["data"]["card"]["number_masked"] == "411111******1111"

    def test_what_an_earlier_attempt_left_is_reported_by_the_sweep(
        self, world, monkeypatch
    ):
        monkeypatch.setattr(world.sink, "publish", self.die)
        commit = world.state.orders.commit
        monkeypatch.setattr(world.state.orders, "commit", self.die)
        with pytest.raises(KeyboardInterrupt):
            world.worker().collect("order1")
        monkeypatch.undo()
        assert commit is not None
        left = set(world.evidence.objects)
        world.upstream.scripts["order1"] = [
            result("order1", bankCardNo="5555555555554444")
        ]
        world.clock.sleep(63)
        worker = world.worker()
        worker.collect("order1")
        world.clock.sleep(21 * 60)
        worker.sweeper.sweep(world.time())
        manifests = {key for key in left if "manifest" in key}
        reported = {
            fields["key"]
            for fact, fields in world.journal.notes
            if fact == "object_unreferenced"
        }
        assert reported == manifests
        assert world.load("order1").due_at is None


class TestFailingEdges:
    @pytest.mark.parametrize("error", [StoreUnavailable, NewerSchema])
    def test_a_ticket_that_cannot_be_read_is_waited_for(
        self, world, monkeypatch, error
    ):
        def down(*_, **__):
            raise error

        monkeypatch.setattr(world.state.tickets, "load", down)
        record = world.worker().collect("order1", seconds=900)
        assert (record.state, record.reason) == (State.WAITING, "transient")
        assert record.due_at - world.clock.now() <= timedelta(seconds=5)

    def test_a_trial_that_cannot_be_given_back_loses_no_order(self, world, monkeypatch):
        world.upstream.scripts["order1"] = [refusal("400501")]
        worker = world.worker()
        worker.collect("order1")
        world.clock.sleep(6)

        def down(*_, **__):
            raise StoreUnavailable

        monkeypatch.setattr(world.state.leases, "release", down)
        assert worker.collect("order2").state is State.COLLECTED

    def test_photos_are_not_asked_for_again_while_the_app_is_paused(self, world):
        worker = world.worker()
        worker.collect("order0")
        world.upstream.scripts["order1"] = [result("order1", **LATE)]
        minute = timedelta(minutes=1)
        world.upstream.on_query = lambda _: world.worker().brake.report(
            Signal.THROTTLED, least=minute
        )
        record = worker.collect("order1")
        asked = world.upstream.asked["order1"]
        assert record.reason == "photos_pending"
        assert asked <= 2

    def test_evidence_that_cannot_be_stored_is_waited_for_and_nothing_told(
        self, world, monkeypatch
    ):
        def full(*_, **__):
            raise EvidenceUnavailable("no space")

        with monkeypatch.context() as patch:
            patch.setattr(world.evidence, "put", full)
            record = world.worker().collect("order1")
        assert (record.state, record.reason) == (State.WAITING, "transient")
        assert not world.sink.events

    @pytest.mark.parametrize("kind", ["original", "number", "manifest"])
    def test_one_object_that_cannot_be_stored_is_enough(self, world, monkeypatch, kind):
        put = world.evidence.put

        def full(key, *args, **kwargs):
            if f"/{kind}-" in key:
                raise EvidenceUnavailable("no space")
            put(key, *args, **kwargs)

        monkeypatch.setattr(world.evidence, "put", full)
        assert world.worker().collect("order1").state is State.WAITING
        assert not world.sink.events

    def test_evidence_that_stays_down_parks_the_order_after_its_deadline(
        self, world, monkeypatch
    ):
        def full(*_, **__):
            raise EvidenceUnavailable("no space")

        monkeypatch.setattr(world.evidence, "put", full)
        worker = world.worker()
        worker.collect("order1")
        world.clock.sleep(2 * 24 * 3600)
        assert worker.collect("order1", Urgency.NOW).state is State.WAITING
        world.clock.sleep(15 * 60)
        record = worker.collect("order1", Urgency.NOW)
        assert (record.state, record.reason) == (State.PARKED, "evidence_unavailable")

    def test_other_bytes_under_the_same_key_park_the_order_and_stand(
        self, world, monkeypatch
    ):
        def conflict(*_, **__):
            raise EvidenceConflict

        monkeypatch.setattr(world.evidence, "put", conflict)
        record = world.worker().collect("order1")
        assert (record.state, record.reason) == (State.PARKED, "evidence_conflict")
        assert "evidence_conflict" in world.facts()

    def test_a_sink_that_fails_leaves_the_event_to_the_sweep(self, world, monkeypatch):
        def down(_):
            raise SinkUnavailable

        with monkeypatch.context() as patch:
            patch.setattr(world.sink, "publish", down)
            record = world.worker().collect("order1")
        assert record.state is State.COLLECTED
        [unsent] = record.unsent
        world.clock.sleep(6)
        world.worker().sweeper.sweep(world.time())
        assert world.sink.events == [unsent]

    def test_a_queue_that_fails_is_noted_and_the_sweep_finds_the_order(
        self, world, monkeypatch
    ):
        def down(*_):
            raise StoreUnavailable

        monkeypatch.setattr(world.queue, "enqueue", down)
        world.upstream.scripts["order1"] = [refusal("66660011"), result("order1")]
        world.worker().collect("order1")
        assert "work_not_enqueued" in world.facts()
        world.clock.sleep(5)
        world.worker().sweeper.sweep(world.time())
        assert world.load("order1").state is State.COLLECTED


class TestReopening:
    def test_patience_for_photos_begins_anew(self, world):
        blank = dict.fromkeys(PHOTOS, "")
        late = result("order1", **blank)
        world.upstream.scripts["order1"] = [*[late] * 5, refusal("66660013")]
        worker = world.worker()
        while worker.collect("order1", Urgency.NOW).state is not State.PARKED:
            world.clock.sleep(61)
        world.clock.sleep(3600)
        world.upstream.scripts["order1"] = [late, result("order1")]
        worker.register.make_due(worker_expected(), reopen=True)
        worker.collect("order1", Urgency.NOW)
        assert world.bodies()[-1]["data"]["photos_missing"] == []

    def test_it_is_not_lost_to_a_write_in_between(self, world, monkeypatch):
        world.upstream.scripts["order1"] = [refusal("66660013")]
        worker = world.worker()
        worker.collect("order1")
        commit = world.state.orders.commit

        def overtaken(record, *, expected):
            monkeypatch.undo()
            stands = world.load("order1")
            now = world.clock.now()
            commit(rules.mark_sent(stands, now=now), expected=stands)
            commit(record, expected=expected)

        monkeypatch.setattr(world.state.orders, "commit", overtaken)
        record = worker.register.make_due(worker_expected(), reopen=True)
        assert record.state is State.WAITING
        assert world.facts().count("order_reopened") == 1

    @pytest.mark.parametrize("code", ["0", "-9011"])
    def test_only_a_parked_order_is_reopened(self, world, code):
        script = result("order1") if code == "0" else refusal(code)
        world.upstream.scripts["order1"] = [script]
        worker = world.worker()
        stands = worker.collect("order1")
        assert worker.register.make_due(worker_expected(), reopen=True) == stands
        assert world.load("order1") == stands

    def test_a_parked_order_that_is_reopened_may_be_collected(self, world):
        world.upstream.scripts["order1"] = [refusal("66660013"), result("order1")]
        worker = world.worker()
        assert worker.collect("order1").state is State.PARKED
        assert worker.register.make_due(worker_expected()).state is State.PARKED
        worker.register.make_due(worker_expected(), reopen=True)
        assert worker.collect("order1", Urgency.NOW).state is State.COLLECTED
        kinds = [event["type"].split(".")[2] for event in world.bodies()]
        assert kinds == ["parked", "collected"]

    def test_parked_again_it_emits_no_second_event(self, world):
        world.upstream.scripts["order1"] = [refusal("66660013")]
        worker = world.worker()
        worker.collect("order1")
        worker.register.make_due(worker_expected(), reopen=True)
        assert worker.collect("order1", Urgency.NOW).state is State.PARKED
        assert len(world.sink.events) == 1


def worker_expected():
    from worlds import expected  # noqa: PLC0415 - reads better where it is used

    return expected("order1")
