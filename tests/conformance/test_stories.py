"""The same stories through each cloud's events: the same comes of them, to the byte."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest

from conformance.bench import Bench, message
from conformance.clouds import AWS, OTHERS, TENCENT
from kycourier.core.errors import StoreUnavailable
from worlds import refusal, result

ORDER = "/v1/orders/order1"
COLLECTION = f"{ORDER}/collection"
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
NO_PHOTOS = dict.fromkeys(
    ("originBankcardPhoto", "bankcardCropPhoto", "bankcardNoPhoto"), ""
)
POISON = [
    "", "null", "{", "[]", '{"order_no":"../x"}', '{"order_no":"a","app_id":"OTHER"}'
]  # fmt: skip


def register(bench: Bench) -> None:
    body = b'{"document":"bank_card"}'
    assert bench.ask("PUT", ORDER, body)["statusCode"] == 201
    assert bench.ask("PUT", ORDER, body)["statusCode"] == 200
    assert bench.ask("GET", ORDER)["statusCode"] == 200
    assert bench.state("order1") == "registered"


def collect_by_queue(bench: Bench) -> None:
    assert bench.deliver(message("order1"), message("order2")) == []
    assert bench.state("order1") == bench.state("order2") == "collected"
    assert bench.ask("GET", ORDER)["statusCode"] == 200


def collect_by_request(bench: Bench) -> None:
    bench.ask("PUT", ORDER, headers={"Traceparent": TRACE})
    answer = bench.ask("POST", COLLECTION)
    assert (answer["statusCode"], json.loads(answer["body"])["state"]) == (
        200,
        "collected",
    )
    assert bench.ask("GET", f"{ORDER}/photos/original")["statusCode"] == 302
    assert bench.world.bodies()[0]["traceparent"] == TRACE


def collect_later(bench: Bench) -> None:
    answer = bench.ask("POST", COLLECTION, headers={"Prefer": "respond-async"})
    assert answer["statusCode"] == 202
    assert bench.tick("sweep_orders")["due"] == 1
    assert bench.state("order1") == "collected"


def duplicates(bench: Bench) -> None:
    for _ in range(3):
        assert bench.deliver(*[message("order1")] * 3) == []
    assert bench.world.upstream.asked == {"order1": 1}
    assert len(bench.world.sink.events) == 1


def late_photos(bench: Bench) -> None:
    late, whole = result("order1", **NO_PHOTOS), result("order1")
    bench.world.upstream.scripts["order1"] = [late] * 4 + [whole]
    assert bench.deliver(message("order1")) == []
    assert bench.state("order1") == "waiting"
    bench.tick("sweep_orders", after=timedelta(minutes=1))
    assert bench.state("order1") == "collected"


def not_ready(bench: Bench) -> None:
    bench.world.upstream.scripts["order1"] = [refusal("66660011"), result("order1")]
    assert bench.deliver(message("order1")) == []
    assert bench.ask("GET", ORDER)["statusCode"] == 200
    bench.tick("sweep_orders", after=timedelta(seconds=6))
    assert bench.state("order1") == "collected"


def rejected(bench: Bench) -> None:
    bench.world.upstream.scripts["order1"] = [refusal("-9011")]
    assert bench.deliver(message("order1")) == []
    assert bench.state("order1") == "rejected"


def poison(bench: Bench) -> None:
    bodies = [*POISON[:3], message("order1"), *POISON[3:]]
    bench.deliver(*bodies)
    assert bench.state("order1") == "collected"


def replayed_request(bench: Bench) -> None:
    bench.world.upstream.scripts["order1"] = [refusal("66660013"), result("order1")]
    bench.deliver(message("order1"))
    assert bench.state("order1") == "parked"
    call = bench.sign("POST", COLLECTION, b'{"reopen":true}')
    assert bench.send(call)["statusCode"] == 200
    bench.world.clock.sleep(30)
    bench.send(call)
    assert bench.world.upstream.asked == {"order1": 2}


def unsigned(bench: Bench) -> None:
    for key in (None, "another-key-of-a-test-of-32-chars"):
        for method, path in [("PUT", ORDER), ("GET", ORDER), ("GET", "/v1/health")]:
            assert bench.ask(method, path, key=key)["statusCode"] == 401
    old = bench.sign("PUT", ORDER)
    bench.world.clock.sleep(301)
    assert bench.send(old)["statusCode"] == 401
    assert bench.send(old._replace(path="/v1/orders/order2"))["statusCode"] == 401
    assert bench.world.state.orders.rows == {}


def odd_requests(bench: Bench) -> None:
    assert bench.ask("GET", "/v1/orders/unknown1")["statusCode"] == 404
    assert bench.ask("GET", "/v1/orders/a%2Fb")["statusCode"] == 400
    assert bench.ask("GET", "/v1/nothing")["statusCode"] == 404
    assert bench.ask("HEAD", ORDER)["statusCode"] == 405
    assert bench.ask("PUT", ORDER, b"{not json")["statusCode"] == 400
    assert bench.ask("PUT", ORDER, b"{" * 20_000)["statusCode"] == 413
    assert bench.ask("GET", "/v1/openapi.json")["statusCode"] == 200
    sizes = [len(answer["body"]) for answer in bench.answers]
    assert max(sizes) < 100_000  # both clouds take 6 MB


def timers(bench: Bench) -> None:
    first = bench.tick("refresh_ticket")
    assert (first["generation"], first["ticket"]) == (1, "fresh")
    assert bench.tick("refresh_ticket", after=timedelta(minutes=5))["generation"] == 1
    assert bench.tick("refresh_ticket", after=timedelta(minutes=15))["generation"] == 2
    bench.ask("PUT", ORDER)
    assert bench.tick("sweep_orders")["due"] == 0
    assert bench.tick("sweep_orders", after=timedelta(minutes=11))["due"] == 1
    assert bench.state("order1") == "collected"


STORIES = [
    register, collect_by_queue, collect_by_request, collect_later, duplicates,
    late_photos, not_ready, rejected, poison, replayed_request, unsigned,
    odd_requests, timers,
]  # fmt: skip
Story = Callable[[Bench], None]


@pytest.mark.parametrize("cloud", OTHERS, ids=lambda cloud: cloud.name)
@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_the_same_comes_of_a_story_on_every_cloud(story: Story, cloud):
    first, second = Bench(AWS), Bench(cloud)
    for bench in (first, second):
        story(bench)
    ours, theirs = first.outcome(), second.outcome()
    assert any(ours.values())
    for what, came in ours.items():
        assert theirs[what] == came, what


def test_poison_goes_back_to_sqs_and_is_kept_of_ckafkas():
    bodies = [POISON[0], message("order1"), *POISON[1:]]
    on_aws, on_scf = Bench(AWS), Bench(TENCENT)
    assert on_aws.deliver(*bodies) == POISON
    assert on_scf.deliver(*bodies) == []
    assert on_aws.world.state.orders.poison == []
    kept = [problem for _, _, problem in on_scf.world.state.orders.poison]
    assert kept == ["bad_json"] * 4 + ["bad_order_no", "foreign_app"]


def test_with_time_nearly_gone_sqs_gets_it_back_and_ckafkas_is_due():
    on_aws, on_scf = Bench(AWS), Bench(TENCENT)
    assert on_aws.deliver(message("order1"), seconds=1) == [message("order1")]
    assert on_scf.deliver(message("order1"), seconds=1) == []
    assert on_aws.world.state.orders.rows == {}
    assert on_scf.state("order1") == "registered"
    for bench in (on_aws, on_scf):
        assert bench.world.upstream.tokens == 0
    assert on_aws.deliver(message("order1")) == []
    assert on_scf.tick("sweep_orders")["due"] == 1
    _assert_same_events(on_aws, on_scf)


@pytest.mark.parametrize("cloud", [AWS, TENCENT], ids=lambda cloud: cloud.name)
def test_while_the_store_is_down_all_comes_again_and_then_has_one_effect(
    cloud, monkeypatch
):
    bench, batch = Bench(cloud), [message("order1"), message("order2")]
    with monkeypatch.context() as down:
        for verb in ("claim", "register", "load", "due", "record_poison"):
            down.setattr(bench.world.state.orders, verb, _refuse)
        assert bench.deliver(*batch) == batch
        assert bench.ask("GET", ORDER)["statusCode"] == 503
    for _ in range(2):
        assert bench.deliver(*batch) == []
    assert bench.world.upstream.asked == {"order1": 1, "order2": 1}
    assert len(bench.world.sink.events) == 2


def _refuse(*_, **__):
    raise StoreUnavailable


def _assert_same_events(first: Bench, second: Bench) -> None:
    """Ids and folders apart: one of the two drew a number more."""
    told = []
    for bench in (first, second):
        [event] = bench.world.bodies()
        del event["id"], event["data"]["manifest"], event["data"]["photos"]
        told.append(event)
    assert told[0] == told[1]
