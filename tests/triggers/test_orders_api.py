"""The HTTP API over the real stories and a world in memory."""

import json
from datetime import timedelta

import pytest

from api_caller import ApiCaller, sample
from canaries import TICKET
from fakes import START
from kycourier.core.errors import (
    EvidenceUnavailable,
    NewerSchema,
    SinkUnavailable,
    StoreUnavailable,
    UpstreamUnreachable,
)
from kycourier.core.models import OrderKey
from kycourier.core.order import Urgency
from kycourier.core.order_record import State as OrderState
from openapi_check import load_schema
from worlds import APP, NUMBER, PHOTO, World, http, refusal, result

ORDER = "bankcardPic5923ab9a3bc34488b51"
AT = f"/v1/orders/{ORDER}"
COLLECTION = f"{AT}/collection"
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
NOT_READY = refusal("66660020")
STOPPING = refusal("66660001")


class Failing:
    """A port whose every verb raises the same."""

    def __init__(self, error):
        self.error = error

    def __getattr__(self, name):
        def fail(*_, **__):
            raise self.error

        return fail


@pytest.fixture
def world():
    return World()


@pytest.fixture
def api(world):
    return ApiCaller(world)


def scripted(world, *answers):
    world.upstream.scripts[ORDER] = list(answers)


# -- register


def test_a_new_order_is_201_and_the_same_again_200(api):
    first, again = api.call("PUT", AT), api.call("PUT", AT)
    assert (first.status, again.status) == (201, 200)
    assert first.members == again.members
    assert first.members == {
        "app_id": APP,
        "order_no": ORDER,
        "document": "bank_card",
        "state": "registered",
        "reason": None,
        "version": 1,
        "registered_at": "2026-01-01T00:00:00Z",
        "updated_at": "2026-01-01T00:00:00Z",
        "due_at": "2026-01-01T00:10:00Z",
        "deadline_at": "2026-01-03T00:00:00Z",
        "event_id": None,
        "result": None,
    }


def test_registering_asks_nobody(api, world):
    api.call("PUT", AT)
    assert world.upstream.asked == {}


def test_an_order_may_name_document_and_app(api):
    body = {"document": "bank_card", "app_id": APP}
    assert api.call("PUT", AT, body=body).status == 201


@pytest.mark.parametrize("body", [None, "", {}])
def test_a_body_may_be_left_out(api, body):
    assert api.call("PUT", AT, body=body).status == 201


def test_a_traceparent_is_carried_into_the_event(api, world):
    api.call("PUT", AT, headers={"Traceparent": TRACE})
    api.call("POST", COLLECTION)
    assert world.bodies()[0]["traceparent"] == TRACE


@pytest.mark.parametrize("sent", ["", "00-garbage", TRACE + "x", TRACE + "," + TRACE])
def test_a_malformed_traceparent_is_ignored(api, world, sent):
    assert api.call("POST", COLLECTION, headers={"traceparent": sent}).status == 200
    assert "traceparent" not in world.bodies()[0]


# -- collect


def test_a_ready_order_is_collected_at_once(api, world):
    answer = api.call("POST", COLLECTION)
    assert answer.status == 200
    assert answer.members["state"] == "collected"
    assert answer.members["event_id"] == world.bodies()[0]["id"]
    data = world.bodies()[0]["data"]
    assert answer.members["result"] == {
        name: data[name] for name in data if name not in {"app_id", "order_no"}
    }
    assert NUMBER not in json.dumps(answer.response)


def test_a_collected_order_is_answered_again_and_again_without_asking(api, world):
    first = api.call("POST", COLLECTION)
    again = api.call("POST", COLLECTION)
    assert (again.status, again.members) == (200, first.members)
    assert world.upstream.asked == {ORDER: 1}
    assert len(world.bodies()) == 1


def test_an_order_that_is_not_ready_is_202_with_the_time_until_it_is_due(api, world):
    scripted(world, NOT_READY)
    answer = api.call("POST", COLLECTION)
    assert answer.status == 202
    assert answer.members["state"] == "waiting"
    assert answer.members["reason"] == "not_ready"
    assert answer.members["due_at"] == "2026-01-01T00:00:05Z"
    assert answer.headers["Retry-After"] == "5"


def test_retry_after_is_rounded_up(api, world):
    scripted(world, UpstreamUnreachable("reset"))
    answer = api.call("POST", COLLECTION)
    due_in = world.load(ORDER).due_at - START
    seconds = int(answer.headers["Retry-After"])
    assert timedelta(seconds=seconds - 1) < max(due_in, timedelta(seconds=0.5))
    assert due_in <= timedelta(seconds=seconds)


def test_a_rejected_order_is_200_with_its_reason(api, world):
    scripted(world, refusal("-9012"))
    answer = api.call("POST", COLLECTION)
    assert (answer.status, answer.members["state"]) == (200, "rejected")
    assert answer.members["reason"] == answer.members["result"]["reason"]["name"]
    assert answer.members["result"]["reason"]["code"] == "-9012"


def test_a_parked_order_stays_parked_until_somebody_reopens_it(api, world):
    scripted(world, refusal("400502"), result(ORDER))
    assert api.call("POST", COLLECTION).members["state"] == "parked"
    assert api.call("POST", COLLECTION).members["state"] == "parked"
    shut = api.call("POST", COLLECTION, body={"reopen": False})
    assert (shut.status, shut.members["state"]) == (200, "parked")
    answer = api.call("POST", COLLECTION, body={"reopen": True})
    assert (answer.status, answer.members["state"]) == (200, "collected")
    assert "order_reopened" in world.facts()


def test_an_order_that_another_worker_holds_is_202_and_due_at_once(api, world):
    api.call("PUT", AT)
    world.state.orders.claim(
        world.load(ORDER),
        owner="another",
        lease=timedelta(seconds=30),
        urgency=Urgency.NOW,
        folder="2026/01/01/folder",
    )
    answer = api.call("POST", COLLECTION)
    assert (answer.status, answer.headers["Retry-After"]) == (202, "1")
    assert answer.members["state"] == "collecting"
    assert world.upstream.asked == {}


def test_while_the_app_is_paused_an_order_waits_as_long(api, world):
    world.upstream.scripts["stops"] = [STOPPING]
    assert api.call("POST", "/v1/orders/stops/collection").members["state"] == "parked"
    answer = api.call("POST", COLLECTION)
    assert (answer.status, answer.members["reason"]) == (202, "throttled")
    assert 300 <= int(answer.headers["Retry-After"]) <= 305
    assert world.upstream.asked == {"stops": 1}


def test_with_too_little_time_the_order_is_only_made_due(api, world):
    answer = api.call("POST", COLLECTION, seconds=1.5)
    assert (answer.status, answer.headers["Retry-After"]) == (202, "1")
    assert answer.members["state"] == "registered"
    assert world.load(ORDER).due_at == START
    assert world.upstream.asked == {}


def test_a_call_works_for_at_most_20_seconds(world):
    seen = []

    class Collector:
        def collect(self, expected, *, urgency, time_left):
            seen.append((urgency, time_left.seconds()))
            return world.load(expected.order.order_no)

    api = ApiCaller(world, collector=Collector())
    api.call("POST", COLLECTION, seconds=900)
    api.call("POST", COLLECTION, seconds=7)
    assert seen == [(Urgency.NOW, 20), (Urgency.NOW, 7)]


# -- Prefer: respond-async


@pytest.mark.parametrize(
    "prefer",
    [
        "respond-async",
        "Respond-Async",
        "wait=10, respond-async",
        "respond-async,wait=10",
        "respond-async; x=1, wait=10",
        ' \trespond-async , foo="a,b"',
    ],
)
def test_who_will_not_wait_is_answered_at_once(api, world, prefer):
    answer = api.call("POST", COLLECTION, headers={"Prefer": prefer})
    assert answer.status == 202
    assert answer.headers["Preference-Applied"] == "respond-async"
    assert answer.headers["Retry-After"] == "1"
    assert answer.members["state"] == "registered"
    assert world.load(ORDER).due_at == START
    assert world.upstream.asked == {}
    (message,) = world.queue.receive(10, visibility_seconds=30)
    assert json.loads(message.body)["order_no"] == ORDER


@pytest.mark.parametrize(
    "prefer",
    [
        "",
        "wait=10",
        "respond-asynchronously",
        'foo="respond-async"',
        'a="b, respond-async"',
    ],
)
def test_other_preferences_are_not_that_one(api, prefer):
    answer = api.call("POST", COLLECTION, headers={"Prefer": prefer})
    assert answer.status == 200
    assert "Preference-Applied" not in answer.headers


def test_without_a_queue_the_order_is_due_in_its_row(world):
    api = ApiCaller(world, queue=None)
    answer = api.call("POST", COLLECTION, headers={"Prefer": "respond-async"})
    assert answer.status == 202
    world.worker().sweeper.sweep(world.time())
    assert api.call("GET", AT).members["state"] == "collected"


def test_a_queue_that_fails_is_no_reason_to_refuse(world):
    api = ApiCaller(world, queue=Failing(StoreUnavailable("canary")))
    answer = api.call("POST", COLLECTION, headers={"Prefer": "respond-async"})
    assert answer.status == 202
    assert world.load(ORDER).due_at == START
    assert ("work_not_enqueued", {"order_no": ORDER}) in world.journal.notes


def test_an_order_that_has_ended_is_200_whatever_is_preferred(api, world):
    api.call("POST", COLLECTION)
    world.queue.receive(10, visibility_seconds=30)
    answer = api.call("POST", COLLECTION, headers={"Prefer": "respond-async"})
    assert answer.status == 200
    assert world.queue.receive(10, visibility_seconds=30) == ()


# -- read


def test_an_order_is_shown_as_it_was_answered(api):
    collected = api.call("POST", COLLECTION)
    shown = api.call("GET", AT)
    assert (shown.status, shown.members) == (200, collected.members)


def test_an_unknown_order_is_404(api):
    answer = api.call("GET", AT)
    assert (answer.status, answer.code) == (404, "unknown_order")


def test_another_apps_order_is_answered_as_an_unknown_one(api, world):
    api.call("POST", COLLECTION)
    record = world.load(ORDER)
    key = OrderKey("OTHERAPP", "foreign")
    world.state.orders.rows[key] = world.state.orders.rows[record.key]
    for path in ("/v1/orders/{}", "/v1/orders/{}/photos/original"):
        foreign = api.call("GET", path.format("foreign"))
        unknown = api.call("GET", path.format("unknown"))
        assert foreign.response == unknown.response
        assert foreign.status == 404


@pytest.mark.parametrize("kind", ["original", "cropped", "number"])
def test_a_photo_is_a_link_of_five_minutes(api, world, kind):
    api.call("POST", COLLECTION)
    photos = world.bodies()[0]["data"]["photos"]
    (uri,) = [photo["uri"] for photo in photos if photo["kind"] == kind]
    answer = api.call("GET", f"{AT}/photos/{kind}")
    key = uri.removeprefix("file:///evidence/")
    ends_at = int(START.timestamp()) + 300
    assert answer.status == 302
    assert answer.headers["Location"] == f"memory:///{key}?expires={ends_at}"
    assert answer.members is None
    assert key in world.evidence.objects


def test_a_photo_that_is_not_there_is_404_and_always_the_same(api, world):
    scripted(world, result(ORDER, bankcardCropPhoto="", bankcardNoPhoto=""))
    world.upstream.scripts["waiting"] = [NOT_READY]
    world.upstream.scripts["rejected"] = [refusal("-9012")]
    for order_no in (ORDER, "waiting", "rejected"):
        api.call("POST", f"/v1/orders/{order_no}/collection")
    answers = [
        api.call("GET", f"/v1/orders/{path}")
        for path in (
            f"{ORDER}/photos/cropped",
            f"{ORDER}/photos/manifest",
            f"{ORDER}/photos/Original",
            f"{ORDER}/photos/original%20",
            "waiting/photos/original",
            "rejected/photos/original",
            "unknown/photos/original",
        )
    ]
    assert {(answer.status, answer.code) for answer in answers} == {
        (404, "unknown_photo")
    }
    assert len({json.dumps(answer.response) for answer in answers}) == 1


# -- health and description


def test_health_before_anything(api):
    assert api.call("GET", "/v1/health").members == {
        "ticket": None,
        "backlog": {"due": 0, "unsent": 0, "oldest_due_seconds": 0, "more": False},
        "paused": False,
    }


def test_health_tells_ticket_backlog_and_pause(api, world):
    api.call("POST", COLLECTION)
    api.call("PUT", "/v1/orders/late")
    world.clock.sleep(700)
    answer = api.call("GET", "/v1/health")
    assert answer.members == {
        "ticket": {"generation": 1, "age_seconds": 700, "state": "fresh"},
        "backlog": {"due": 1, "unsent": 0, "oldest_due_seconds": 100, "more": False},
        "paused": False,
    }
    assert TICKET not in answer.response["body"]


@pytest.mark.parametrize(
    ("seconds", "state"), [(1139, "fresh"), (1140, "stale"), (3600, "expired")]
)
def test_health_tells_how_fresh_the_ticket_is(api, world, seconds, state):
    api.call("POST", COLLECTION)
    world.clock.sleep(seconds)
    ticket = api.call("GET", "/v1/health").members["ticket"]
    assert ticket == {"generation": 1, "age_seconds": seconds, "state": state}


def test_health_counts_one_page_and_says_when_there_is_more(api, world):
    for number in range(101):
        api.call("PUT", f"/v1/orders/late{number}")
    world.clock.sleep(601)
    backlog = api.call("GET", "/v1/health").members["backlog"]
    assert (backlog["due"], backlog["more"]) == (100, True)


def test_health_tells_of_events_that_are_not_sent_and_of_a_pause(world):
    world.sink = Failing(SinkUnavailable())
    api = ApiCaller(world)
    api.call("POST", COLLECTION)
    world.upstream.scripts["stopped"] = [STOPPING]
    api.call("POST", "/v1/orders/stopped/collection")
    world.clock.sleep(400)
    members = api.call("GET", "/v1/health").members
    assert members["backlog"]["unsent"] == 2
    assert members["paused"] is True


def test_the_description_is_served_as_it_is_published(api):
    answer = api.call("GET", "/v1/openapi.json")
    assert (answer.status, answer.members) == (200, load_schema("openapi.json"))


# -- gateways


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("aws_http_api_v2", 201),
        ("aws_rest_api_v1", 202),
        ("aws_function_url", 200),
        ("aws_function_url_base64", 202),
        ("scf_function_url", 201),
        ("scf_function_url_no_body", 200),
    ],
)
def test_every_gateways_event_is_answered(api, name, status):
    assert api.send(sample(name)).status == status


def test_the_gateways_prefixes_lead_to_the_same_order(api):
    first = api.send(sample("aws_http_api_v2"))
    again = api.send(sample("scf_function_url"))
    assert (first.status, again.status) == (201, 200)
    assert first.members == again.members


@pytest.mark.parametrize(
    "name",
    ["aws_sqs_batch", "aws_eventbridge_scheduled", "scf_ckafka_batch", "scf_timer"],
)
def test_another_triggers_event_is_400(api, name):
    answer = api.send(sample(name))
    assert (answer.status, answer.code) == (400, "bad_request")


# -- refusals


@pytest.mark.parametrize(
    "path",
    ["/", "/v1", "/v1/", "/v2/health", "/v1/health/", "/v1/Health", "/v1/health\n",
     "//v1/health/x", "/v1/openapiXjson", "/v1/orders", "/v1/orders/", "/favicon.ico",
     "/v1/orders/a/b", "/v1/orders/a/photos", "/v1/orders/a/photos/original/x", ""],
)  # fmt: skip
def test_any_other_path_is_404(api, path):
    answer = api.call("GET", path)
    assert (answer.status, answer.code) == (404, "unknown_path")


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/v1/health", ["GET"]),
        ("/v1/openapi.json", ["GET"]),
        (AT, ["GET", "PUT"]),
        (COLLECTION, ["POST"]),
        (f"{AT}/photos/original", ["GET"]),
    ],
)
def test_any_other_method_is_405_and_the_right_ones_are_named(api, path, allowed):
    methods = ["GET", "HEAD", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "OTHER", "X"]
    for method in sorted(set(methods) - set(allowed)):
        answer = api.call(method, path)
        assert (answer.status, answer.code) == (405, "method_not_allowed")
        assert answer.headers["Allow"] == ", ".join(allowed)


@pytest.mark.parametrize("number", ["a b", "a%20b", "a-b", "_2", "a" * 33, "٤٥", "a\n"])
def test_a_malformed_number_is_400_on_every_route(api, number):
    for method, path in (
        ("PUT", f"/v1/orders/{number}"),
        ("GET", f"/v1/orders/{number}"),
        ("POST", f"/v1/orders/{number}/collection"),
        ("GET", f"/v1/orders/{number}/photos/original"),
    ):
        answer = api.call(method, path)
        assert (answer.status, answer.code) == (400, "bad_order_no")


@pytest.mark.parametrize("number", ["v1", "orders", "photos", "health", "OTHER", "GET"])
def test_a_number_may_be_a_word_of_the_paths(api, number):
    assert api.call("PUT", f"/v1/orders/{number}").members["order_no"] == number
    assert api.call("POST", f"/v1/orders/{number}/collection").status == 200
    assert api.call("GET", f"/v1/orders/{number}/photos/original").status == 302


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("[]", "bad_json"),
        ("{", "bad_json"),
        ('{"app_id":"SANDBOX1","app_id":"SANDBOX1"}', "bad_json"),
        ('{"order_no":"a"}', "unknown_member"),
        ('{"Document":"bank_card"}', "unknown_member"),
        ('{"app_id":"OTHER"}', "foreign_app"),
        ('{"app_id":null}', "foreign_app"),
        ('{"document":"passport"}', "unknown_document"),
        ('{"document":null}', "unknown_document"),
        ("x" * 16_385, "body_too_large"),
    ],
    ids=lambda value: value[:40],
)
@pytest.mark.parametrize(("method", "path"), [("PUT", AT), ("POST", COLLECTION)])
def test_a_bad_body_is_refused_and_changes_nothing(
    api, world, method, path, body, code
):
    answer = api.call(method, path, body=body)
    assert answer.status == (413 if code == "body_too_large" else 400)
    assert answer.code == code
    assert world.state.orders.rows == {}


@pytest.mark.parametrize("reopen", [1, 0, "true", None, [], {}])
def test_reopen_is_true_or_false(api, reopen):
    answer = api.call("POST", COLLECTION, body={"reopen": reopen})
    assert (answer.status, answer.code) == (400, "bad_member")


def test_only_a_collection_is_reopened(api):
    answer = api.call("PUT", AT, body={"reopen": True})
    assert (answer.status, answer.code) == (400, "unknown_member")


def test_refusals_are_noted_with_their_problem_and_nothing_else(api, world):
    api.call("PUT", AT, body="[]")
    api.call("PUT", AT, headers={"x": "a\nb"})
    api.call("PUT", AT, headers={"x": "a" * 20_000})
    api.call("GET", "/nothing")
    api.call("DELETE", AT)
    api.call("GET", AT)
    assert world.journal.notes == [
        ("request_refused", {"outcome": "bad_request", "problem": "bad_json"}),
        ("request_refused", {"outcome": "bad_request", "problem": "bad_headers"}),
        ("request_refused", {"outcome": "bad_request", "problem": "headers_too_large"}),
    ]


# -- failures


@pytest.mark.parametrize("error", [StoreUnavailable("canary"), NewerSchema("canary")])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", AT),
        ("POST", COLLECTION),
        ("GET", AT),
        ("GET", f"{AT}/photos/original"),
        ("GET", "/v1/health"),
    ],
)
def test_a_store_that_fails_is_503_with_retry_after(world, error, method, path):
    api = ApiCaller(world)
    for name in ("register", "load", "due"):
        setattr(world.state.orders, name, getattr(Failing(error), name))
    answer = api.call(method, path)
    assert (answer.status, answer.code) == (503, error.code)
    assert int(answer.headers["Retry-After"]) >= 1
    assert error.reason not in json.dumps(answer.response)
    told = {"function": "orders_api", "error": error.code, "problem": error.reason}
    assert world.journal.notes == [("handler_failed", told)]


def test_evidence_that_cannot_be_reached_is_503(world):
    api = ApiCaller(world, evidence=Failing(EvidenceUnavailable("canary")))
    api.call("POST", COLLECTION)
    answer = api.call("GET", f"{AT}/photos/original")
    assert (answer.status, answer.code) == (503, "evidence_unavailable")


def test_a_store_that_fails_while_collecting_leaves_the_order_due(world):
    api = ApiCaller(world, collector=Failing(StoreUnavailable()))
    assert api.call("POST", COLLECTION).status == 503
    assert world.load(ORDER).due_at == START


@pytest.mark.parametrize("error", [ValueError("canary"), KeyError("canary"), OSError()])
def test_anything_unforeseen_is_500_and_says_nothing(world, error):
    api = ApiCaller(world, register=Failing(error))
    answer = api.call("PUT", AT)
    assert (answer.status, answer.code) == (500, "internal_error")
    assert "canary" not in json.dumps(answer.response)
    assert world.journal.notes == [
        ("handler_failed", {"function": "orders_api", "error": type(error).__name__})
    ]


def test_a_failure_is_not_logged_by_the_library(world, caplog):
    caplog.set_level("DEBUG")
    api = ApiCaller(world, register=Failing(ValueError("canary")))
    api.call("PUT", AT)
    api.call("PUT", "/v1/orders/canary-canary")
    api.call("GET", "/canary")
    assert caplog.records, "the library's debug log is on"
    assert "canary" not in caplog.text
    assert ORDER not in caplog.text


def test_a_photo_never_appears_in_an_answer(api):
    answers = [
        api.call("POST", COLLECTION),
        api.call("GET", AT),
        api.call("GET", f"{AT}/photos/original"),
    ]
    assert not any(PHOTO in json.dumps(answer.response) for answer in answers)


def test_what_the_platform_says_never_appears_in_an_answer(api, world):
    scripted(world, http(b"<html>canary</html>"))
    answer = api.call("POST", COLLECTION)
    assert answer.members["reason"] == "transient"
    assert "canary" not in json.dumps(answer.response)
    assert world.load(ORDER).state is OrderState.WAITING
