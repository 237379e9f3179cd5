"""Queue batches and direct calls."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kycourier.core.errors import OutOfTime, StoreUnavailable
from kycourier.core.order_record import State
from worlds import APP, NUMBER, World, refusal

SAMPLE = Path(__file__).parents[1] / "events/aws_sqs_batch.json"
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture
def world():
    return World()


def queue_over(world):
    return world.worker().orders_queue()


def record(identity, body, **more):
    text = body if isinstance(body, str) else json.dumps(body)
    return {"messageId": identity, "body": text, "eventSource": "aws:sqs", **more}


def answer(world, *records, seconds=60):
    return queue_over(world).answer({"Records": list(records)}, world.time(seconds))


def failures(*identities):
    return {"batchItemFailures": [{"itemIdentifier": name} for name in identities]}


def test_a_whole_sqs_event_is_collected(world):
    """Two good records, and one whose body is not JSON."""
    event = json.loads(SAMPLE.read_text())
    *good, bad = event["Records"]
    numbers = [json.loads(sent["body"])["order_no"] for sent in good]
    answered = queue_over(world).answer(event, world.time())
    assert answered == failures(bad["messageId"])
    assert {world.load(number).state for number in numbers} == {State.COLLECTED}


def test_one_bad_record_of_ten_returns_only_itself(world):
    good = [record(f"m{n}", {"order_no": f"order{n}"}) for n in range(9)]
    assert answer(world, *good[:4], record("bad", "{"), *good[4:]) == failures("bad")
    assert len(world.sink.events) == 9


@pytest.mark.parametrize(
    "body",
    [
        "",
        "null",
        "[]",
        "{}",
        '{"order_no":"../x"}',
        '{"order_no":"a","app_id":"OTHER"}',
        '{"order_no":"a","document":"passport"}',
        '{"order_no":"a","order_no":"b"}',
        '{"order_no":"\\ud800"}',
        "[" * 10_000,
        json.dumps({"order_no": NUMBER * 3}),
    ],
    ids=lambda body: body[:20],
)
def test_what_cannot_be_used_is_returned_counted_and_not_repeated(world, body):
    assert answer(world, record("m1", body)) == failures("m1")
    assert world.facts() == ["message_unusable", "request_refused"]
    assert NUMBER not in repr(world.journal.notes)
    assert not world.state.orders.rows


def test_all_failed_is_an_answer_too(world):
    assert answer(world, record("a", ""), record("b", "")) == failures("a", "b")


def test_an_order_that_waits_in_its_row_is_acknowledged(world):
    world.upstream.scripts["order1"] = [refusal("66660011")]
    assert answer(world, record("m1", {"order_no": "order1"})) == failures()
    assert world.load("order1").state is State.WAITING


def test_duplicates_in_one_batch_have_one_effect(world):
    twice = [record(name, {"order_no": "order1"}) for name in ("m1", "m2", "m3")]
    assert answer(world, *twice) == failures()
    assert (len(world.sink.events), world.upstream.asked["order1"]) == (1, 1)


def test_with_too_little_time_nothing_is_begun_and_all_is_returned(world):
    both = [record(name, {"order_no": name}) for name in ("m1", "m2")]
    assert answer(world, *both, seconds=0.8) == failures("m1", "m2")
    assert not world.upstream.tokens


def test_a_record_that_was_returned_is_worked_on_when_it_comes_again(world):
    queue, again = queue_over(world), {"Records": [record("m1", {"order_no": "a"})]}
    assert queue.answer(again, world.time(0.8)) == failures("m1")
    assert queue.answer(again, world.time()) == failures()
    assert world.load("a").state is State.COLLECTED


def test_what_could_not_be_stored_is_returned(world, monkeypatch):
    def down(*_, **__):
        raise StoreUnavailable

    monkeypatch.setattr(world.state.orders, "claim", down)
    assert answer(world, record("m1", {"order_no": "order1"})) == failures("m1")
    assert "record_returned" in world.facts()


def test_a_records_traceparent_is_carried_into_the_event(world):
    attributes = {"traceparent": {"stringValue": TRACE, "dataType": "String"}}
    sent = record("m1", {"order_no": "order1"}, messageAttributes=attributes)
    answer(world, sent)
    assert world.bodies()[0]["traceparent"] == TRACE


def test_our_own_reminder_heeds_the_due_time(world):
    worker = world.worker()
    world.upstream.scripts["order1"] = [refusal("66660011")]
    worker.collect("order1")
    world.clock.sleep(5)
    worker.collect("order1")
    reminder = {"order_no": "order1", "due": True}
    world.clock.sleep(14)
    answer(world, record("early", reminder | {"due": True}))
    assert world.upstream.asked["order1"] == 3
    answer(world, record("again", reminder))
    assert world.upstream.asked["order1"] == 3


@pytest.mark.parametrize(
    "records", [None, {}, "x", [None], [5], [{}], [{"messageId": 7}], [{"body": "{}"}]]
)
def test_a_broken_envelope_is_kept_as_poison_without_its_text(world, records):
    answered = queue_over(world).answer({"Records": records}, world.time())
    assert answered == failures()
    assert world.state.orders.poison == [(APP, "batch", "bad_envelope")]


def test_ten_thousand_records_are_answered(world):
    many = [record(f"m{n}", "") for n in range(10_000)]
    assert len(answer(world, *many)["batchItemFailures"]) == 10_000


class TestDirect:
    def test_with_too_little_time_it_fails_and_nothing_is_begun(self, world):
        with pytest.raises(OutOfTime):
            queue_over(world).answer({"order_no": "order1"}, world.time(0.8))
        assert not world.state.orders.rows

    def test_a_direct_call_gives_the_order(self, world):
        shown = queue_over(world).answer({"order_no": "order1"}, world.time())
        assert json.loads(json.dumps(shown)) == shown
        assert (shown["order_no"], shown["state"]) == ("order1", "collected")
        assert shown["result"]["card"]["number_masked"] == "411111******1111"

    @pytest.mark.parametrize("event", [None, [], "x", {}, {"order_no": "../"}, 5])
    def test_a_bad_one_is_told_and_kept_as_poison(self, world, event):
        told = queue_over(world).answer(event, world.time())
        assert told["status"] == 400
        [(_, source, problem)] = world.state.orders.poison
        assert (source, problem) == ("direct", told["code"])


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["Records", "messageId", "body", "order_no", "due"])
            | st.text(),
            inner,
            max_size=4,
        )
    ),
    max_leaves=10,
)


@given(values)
def test_any_event_is_answered(event):
    world = World()
    assert isinstance(queue_over(world).answer(event, world.time()), dict)
