"""The same scenario through each cloud's events has the same outcome to the byte."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest

from conformance.cloud_events import AWS, OTHERS, TENCENT
from conformance.cloud_rig import CloudRig, message
from kycourier.core.errors import StoreUnavailableError
from support.rigs.document_replies import face_reply, id_card_reply
from support.rigs.fake_platform import error_reply, json_reply, result_reply

ORDER = "/v1/orders/order1"
COLLECTION = f"{ORDER}/collection"
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
NO_PHOTOS = dict.fromkeys(
    ("originBankcardPhoto", "bankcardCropPhoto", "bankcardNoPhoto"), ""
)
POISON = [
    "", "null", "{", "[]", '{"order_no":"../x"}', '{"order_no":"a","app_id":"OTHER"}'
]  # fmt: skip


def register(rig: CloudRig) -> None:
    body = b'{"document":"bank_card"}'
    assert rig.call("PUT", ORDER, body)["statusCode"] == 201
    assert rig.call("PUT", ORDER, body)["statusCode"] == 200
    assert rig.call("GET", ORDER)["statusCode"] == 200
    assert rig.state("order1") == "registered"


def collect_by_queue(rig: CloudRig) -> None:
    assert rig.deliver(message("order1"), message("order2")) == []
    assert rig.state("order1") == rig.state("order2") == "collected"
    assert rig.call("GET", ORDER)["statusCode"] == 200


def collect_by_request(rig: CloudRig) -> None:
    rig.call("PUT", ORDER, headers={"Traceparent": TRACE})
    response = rig.call("POST", COLLECTION)
    assert response["statusCode"] == 200
    assert json.loads(response["body"])["state"] == "collected"
    assert rig.call("GET", f"{ORDER}/photos/original")["statusCode"] == 302
    assert rig.app.bodies()[0]["traceparent"] == TRACE


def collect_later(rig: CloudRig) -> None:
    response = rig.call("POST", COLLECTION, headers={"Prefer": "respond-async"})
    assert response["statusCode"] == 202
    assert rig.tick("sweep_orders")["due"] == 1
    assert rig.state("order1") == "collected"


def duplicates(rig: CloudRig) -> None:
    for _ in range(3):
        assert rig.deliver(*[message("order1")] * 3) == []
    assert rig.app.upstream.queries == {"order1": 1}
    assert len(rig.app.sink.events) == 1


def late_photos(rig: CloudRig) -> None:
    late, whole = result_reply("order1", **NO_PHOTOS), result_reply("order1")
    rig.app.upstream.scripts["order1"] = [late] * 4 + [whole]
    assert rig.deliver(message("order1")) == []
    assert rig.state("order1") == "waiting"
    rig.tick("sweep_orders", after=timedelta(minutes=1))
    assert rig.state("order1") == "collected"


def not_ready(rig: CloudRig) -> None:
    script = [error_reply("66660011"), result_reply("order1")]
    rig.app.upstream.scripts["order1"] = script
    assert rig.deliver(message("order1")) == []
    assert rig.call("GET", ORDER)["statusCode"] == 200
    assert rig.call("GET", f"{ORDER}/photos/original")["statusCode"] == 409
    rig.tick("sweep_orders", after=timedelta(seconds=6))
    assert rig.state("order1") == "collected"


def failing(rig: CloudRig) -> None:
    script = [json_reply(b"<html>", status=404), result_reply("order1")]
    rig.app.upstream.scripts["order1"] = script
    assert rig.deliver(message("order1")) == []
    shown = json.loads(rig.call("GET", ORDER)["body"])
    problem = shown["last_problem"]
    assert (problem["cause"], problem["http_status"]) == ("http_status", 404)
    health = json.loads(rig.call("GET", "/v1/health")["body"])
    assert health["breaker"]["state"] == "closed"
    rig.tick("sweep_orders", after=timedelta(seconds=6))
    assert rig.state("order1") == "collected"


def deleted_photo(rig: CloudRig) -> None:
    rig.deliver(message("order1"))
    rig.app.evidence.objects.clear()
    assert rig.call("GET", f"{ORDER}/photos/original")["statusCode"] == 410
    shown = json.loads(rig.call("GET", ORDER)["body"])
    assert shown["result"]["photos_gone"] == ["original"]


def resent(rig: CloudRig) -> None:
    rig.deliver(message("order1"))
    for event_id, status in [(rig.app.sink.events[0].id, 200), ("unknown", 404)]:
        path = f"{ORDER}/events/{event_id}/deliveries"
        assert rig.call("POST", path)["statusCode"] == status
    first, second = rig.app.sink.events
    assert (first.id, first.body) == (second.id, second.body)


def rejected(rig: CloudRig) -> None:
    rig.app.upstream.scripts["order1"] = [error_reply("-9011")]
    assert rig.deliver(message("order1")) == []
    assert rig.state("order1") == "rejected"


def id_card(rig: CloudRig) -> None:
    rig.app.upstream.scripts["order1"] = [id_card_reply("order1", backCrop="")]
    assert rig.call("PUT", ORDER, b'{"document":"id_card"}')["statusCode"] == 201
    assert rig.deliver(message("order1", document="id_card")) == []
    assert rig.state("order1") == "collected"
    assert rig.call("GET", f"{ORDER}/photos/back")["statusCode"] == 302
    assert rig.call("GET", f"{ORDER}/photos/original")["statusCode"] == 404


def refused_face(rig: CloudRig) -> None:
    rig.app.upstream.scripts["order1"] = [face_reply("order1", code="66660004")]
    response = rig.call("POST", COLLECTION, b'{"document":"face"}')
    assert json.loads(response["body"])["state"] == "rejected"
    assert rig.call("GET", f"{ORDER}/photos/photo")["statusCode"] == 302


def other_document(rig: CloudRig) -> None:
    rig.call("PUT", ORDER, b'{"document":"face"}')
    for method, path in [("PUT", ORDER), ("POST", COLLECTION)]:
        assert rig.call(method, path, b'{"document":"id_card"}')["statusCode"] == 409
    rig.deliver(message("order1", document="bank_card"))
    assert rig.state("order1") == "registered"
    assert rig.app.upstream.queries == {}


def poison(rig: CloudRig) -> None:
    bodies = [*POISON[:3], message("order1"), *POISON[3:]]
    rig.deliver(*bodies)
    assert rig.state("order1") == "collected"


def replayed_request(rig: CloudRig) -> None:
    script = [error_reply("66660013"), result_reply("order1")]
    rig.app.upstream.scripts["order1"] = script
    rig.deliver(message("order1"))
    assert rig.state("order1") == "parked"
    call = rig.sign("POST", COLLECTION, b'{"reopen":true}')
    assert rig.send(call)["statusCode"] == 200
    rig.app.clock.sleep(30)
    rig.send(call)
    assert rig.app.upstream.queries == {"order1": 2}


def unsigned(rig: CloudRig) -> None:
    for key in (None, "another-key-of-a-test-of-32-chars"):
        for method, path in [("PUT", ORDER), ("GET", ORDER), ("GET", "/v1/health")]:
            assert rig.call(method, path, key=key)["statusCode"] == 401
    old = rig.sign("PUT", ORDER)
    rig.app.clock.sleep(301)
    assert rig.send(old)["statusCode"] == 401
    assert rig.send(old._replace(path="/v1/orders/order2"))["statusCode"] == 401
    assert rig.app.stores.orders.rows == {}


def odd_requests(rig: CloudRig) -> None:
    assert rig.call("GET", "/v1/orders/unknown1")["statusCode"] == 404
    assert rig.call("GET", "/v1/orders/a%2Fb")["statusCode"] == 400
    assert rig.call("GET", "/v1/nothing")["statusCode"] == 404
    assert rig.call("HEAD", ORDER)["statusCode"] == 404
    assert rig.call("HEAD", "/v1/health")["statusCode"] == 200
    assert rig.call("HEAD", COLLECTION)["statusCode"] == 405
    assert rig.call("PUT", ORDER, b"{not json")["statusCode"] == 400
    assert rig.call("PUT", ORDER, b"{" * 20_000)["statusCode"] == 413
    assert rig.call("GET", "/v1/openapi.json")["statusCode"] == 200
    sizes = [len(response["body"]) for response in rig.responses]
    assert max(sizes) < 100_000  # both clouds take 6 MB


def timers(rig: CloudRig) -> None:
    first = rig.tick("refresh_ticket")
    assert (first["generation"], first["ticket"]) == (1, "fresh")
    assert rig.tick("refresh_ticket", after=timedelta(minutes=5))["generation"] == 1
    assert rig.tick("refresh_ticket", after=timedelta(minutes=15))["generation"] == 2
    rig.call("PUT", ORDER)
    assert rig.tick("sweep_orders")["due"] == 0
    assert rig.tick("sweep_orders", after=timedelta(minutes=11))["due"] == 1
    assert rig.state("order1") == "collected"


SCENARIOS = [
    register, collect_by_queue, collect_by_request, collect_later, duplicates,
    late_photos, not_ready, failing, deleted_photo, resent, rejected, id_card,
    refused_face, other_document, poison,
    replayed_request, unsigned, odd_requests, timers,
]  # fmt: skip
Scenario = Callable[[CloudRig], None]


@pytest.mark.parametrize("cloud", OTHERS, ids=lambda cloud: cloud.name)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_scenario_has_the_same_outcome_on_every_cloud(scenario: Scenario, cloud):
    first, second = CloudRig(AWS), CloudRig(cloud)
    for rig in (first, second):
        scenario(rig)
    expected, outcome = first.outcome(), second.outcome()
    assert any(expected.values())
    for part, value in expected.items():
        assert outcome[part] == value, part


def test_poison_is_returned_to_sqs_and_kept_for_ckafka():
    bodies = [POISON[0], message("order1"), *POISON[1:]]
    on_aws, on_scf = CloudRig(AWS), CloudRig(TENCENT)
    assert on_aws.deliver(*bodies) == POISON
    assert on_scf.deliver(*bodies) == []
    assert on_aws.app.stores.orders.poison == []
    problems = [problem for _, _, problem in on_scf.app.stores.orders.poison]
    assert problems == ["bad_json"] * 4 + ["bad_order_no", "foreign_app"]


def test_order_without_time_is_returned_to_sqs_and_due_for_ckafka():
    on_aws, on_scf = CloudRig(AWS), CloudRig(TENCENT)
    assert on_aws.deliver(message("order1"), seconds=1) == [message("order1")]
    assert on_scf.deliver(message("order1"), seconds=1) == []
    assert on_aws.app.stores.orders.rows == {}
    assert on_scf.state("order1") == "registered"
    for rig in (on_aws, on_scf):
        assert rig.app.upstream.tokens == 0
    assert on_aws.deliver(message("order1")) == []
    assert on_scf.tick("sweep_orders")["due"] == 1
    _assert_same_events(on_aws, on_scf)


@pytest.mark.parametrize("cloud", [AWS, TENCENT], ids=lambda cloud: cloud.name)
def test_batch_is_redelivered_while_the_store_is_down_and_has_one_effect(
    cloud, monkeypatch
):
    rig, batch = CloudRig(cloud), [message("order1"), message("order2")]
    with monkeypatch.context() as down:
        for verb in ("claim", "register", "get", "list_due", "record_poison"):
            down.setattr(rig.app.stores.orders, verb, _refuse)
        assert rig.deliver(*batch) == batch
        assert rig.call("GET", ORDER)["statusCode"] == 503
    for _ in range(2):
        assert rig.deliver(*batch) == []
    assert rig.app.upstream.queries == {"order1": 1, "order2": 1}
    assert len(rig.app.sink.events) == 2


def _refuse(*_, **__):
    raise StoreUnavailableError


def _assert_same_events(first: CloudRig, second: CloudRig) -> None:
    """Compare events without ids and folders, which come from different draws."""
    events = []
    for rig in (first, second):
        [event] = rig.app.bodies()
        del event["id"], event["data"]["manifest"], event["data"]["photos"]
        events.append(event)
    assert events[0] == events[1]
