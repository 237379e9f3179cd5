"""The HTTP API over the real use cases of an in-memory app."""

import json
from datetime import timedelta

import pytest

from kycourier.core.errors import (
    EvidenceUnavailableError,
    NewerSchemaError,
    SinkUnavailableError,
    StoreUnavailableError,
    TransportError,
)
from kycourier.core.orders.record import OrderState
from kycourier.core.orders.state_machine import Urgency
from support.fakes import START
from support.leaks.canaries import NUMBER, TICKET
from support.openapi_check import load_schema
from support.rigs.api_client import ApiClient
from support.rigs.fake_platform import (
    PHOTO_BASE64,
    error_reply,
    json_reply,
    result_reply,
)
from support.rigs.in_memory import APP, InMemoryApp
from support.sample_events import sample_event

ORDER = "bankcardPic5923ab9a3bc34488b51"
AT = f"/v1/orders/{ORDER}"
COLLECTION = f"{AT}/collection"
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
NOT_READY = error_reply("66660020")
STOPPING = error_reply("66660001")


class Failing:
    """A port whose every verb raises the same error."""

    def __init__(self, error):
        self.error = error

    def __getattr__(self, name):
        def fail(*_, **__):
            raise self.error

        return fail


@pytest.fixture
def app():
    return InMemoryApp()


@pytest.fixture
def api(app):
    return ApiClient(app)


def script_replies(app, *replies):
    app.upstream.scripts[ORDER] = list(replies)


# -- register


def test_new_order_is_201_and_repeated_200(api):
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


def test_registering_makes_no_upstream_call(api, app):
    api.call("PUT", AT)
    assert app.upstream.queries == {}


def test_body_may_name_document_and_app(api):
    body = {"document": "bank_card", "app_id": APP}
    assert api.call("PUT", AT, body=body).status == 201


@pytest.mark.parametrize("body", [None, "", {}])
def test_body_is_optional(api, body):
    assert api.call("PUT", AT, body=body).status == 201


def test_traceparent_is_carried_into_the_event(api, app):
    api.call("PUT", AT, headers={"Traceparent": TRACE})
    api.call("POST", COLLECTION)
    assert app.bodies()[0]["traceparent"] == TRACE


@pytest.mark.parametrize("sent", ["", "00-garbage", TRACE + "x", TRACE + "," + TRACE])
def test_malformed_traceparent_is_ignored(api, app, sent):
    assert api.call("POST", COLLECTION, headers={"traceparent": sent}).status == 200
    assert "traceparent" not in app.bodies()[0]


# -- collect


def test_ready_order_is_collected_at_once(api, app):
    response = api.call("POST", COLLECTION)
    assert response.status == 200
    assert response.members["state"] == "collected"
    assert response.members["event_id"] == app.bodies()[0]["id"]
    data = app.bodies()[0]["data"]
    assert response.members["result"] == {
        name: data[name] for name in data if name not in {"app_id", "order_no"}
    }
    assert NUMBER not in json.dumps(response.raw)


def test_collected_order_is_returned_without_another_query(api, app):
    first = api.call("POST", COLLECTION)
    again = api.call("POST", COLLECTION)
    assert (again.status, again.members) == (200, first.members)
    assert app.upstream.queries == {ORDER: 1}
    assert len(app.bodies()) == 1


def test_order_that_is_not_ready_is_202_with_retry_after(api, app):
    script_replies(app, NOT_READY)
    response = api.call("POST", COLLECTION)
    assert response.status == 202
    assert response.members["state"] == "waiting"
    assert response.members["reason"] == "not_ready"
    assert response.members["due_at"] == "2026-01-01T00:00:05Z"
    assert response.headers["Retry-After"] == "5"


def test_retry_after_is_rounded_up(api, app):
    script_replies(app, TransportError("reset"))
    response = api.call("POST", COLLECTION)
    due_in = app.load(ORDER).due_at - START
    seconds = int(response.headers["Retry-After"])
    assert timedelta(seconds=seconds - 1) < max(due_in, timedelta(seconds=0.5))
    assert due_in <= timedelta(seconds=seconds)


def test_rejected_order_is_200_with_its_reason(api, app):
    script_replies(app, error_reply("-9012"))
    response = api.call("POST", COLLECTION)
    assert (response.status, response.members["state"]) == (200, "rejected")
    assert response.members["reason"] == response.members["result"]["reason"]["name"]
    assert response.members["result"]["reason"]["code"] == "-9012"


def test_parked_order_stays_parked_until_reopened(api, app):
    script_replies(app, error_reply("400502"), result_reply(ORDER))
    assert api.call("POST", COLLECTION).members["state"] == "parked"
    assert api.call("POST", COLLECTION).members["state"] == "parked"
    response = api.call("POST", COLLECTION, body={"reopen": False})
    assert (response.status, response.members["state"]) == (200, "parked")
    response = api.call("POST", COLLECTION, body={"reopen": True})
    assert (response.status, response.members["state"]) == (200, "collected")
    assert "order_reopened" in app.log_events()


def test_order_leased_by_another_worker_is_202(api, app):
    api.call("PUT", AT)
    app.stores.orders.claim(
        app.load(ORDER),
        owner="another",
        lease=timedelta(seconds=30),
        urgency=Urgency.NOW,
        folder="2026/01/01/folder",
    )
    response = api.call("POST", COLLECTION)
    assert (response.status, response.headers["Retry-After"]) == (202, "1")
    assert response.members["state"] == "collecting"
    assert app.upstream.queries == {}


def test_open_breaker_delays_an_order(api, app):
    app.upstream.scripts["stops"] = [STOPPING]
    assert api.call("POST", "/v1/orders/stops/collection").members["state"] == "parked"
    response = api.call("POST", COLLECTION)
    assert (response.status, response.members["reason"]) == (202, "throttled")
    assert 300 <= int(response.headers["Retry-After"]) <= 305
    assert app.upstream.queries == {"stops": 1}


def test_order_without_time_only_becomes_due(api, app):
    response = api.call("POST", COLLECTION, seconds=1.5)
    assert (response.status, response.headers["Retry-After"]) == (202, "1")
    assert response.members["state"] == "registered"
    assert app.load(ORDER).due_at == START
    assert app.upstream.queries == {}


def test_call_takes_at_most_20_seconds(app):
    seen = []

    class Collector:
        def collect(self, expected, *, urgency, deadline):
            seen.append((urgency, deadline.seconds()))
            return app.load(expected.order.order_no)

    api = ApiClient(app, collector=Collector())
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
def test_respond_async_is_202_at_once(api, app, prefer):
    response = api.call("POST", COLLECTION, headers={"Prefer": prefer})
    assert response.status == 202
    assert response.headers["Preference-Applied"] == "respond-async"
    assert response.headers["Retry-After"] == "1"
    assert response.members["state"] == "registered"
    assert app.load(ORDER).due_at == START
    assert app.upstream.queries == {}
    (message,) = app.queue.receive(10, visibility_seconds=30)
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
def test_other_preferences_are_ignored(api, prefer):
    response = api.call("POST", COLLECTION, headers={"Prefer": prefer})
    assert response.status == 200
    assert "Preference-Applied" not in response.headers


def test_respond_async_without_a_queue_makes_the_order_due(app):
    api = ApiClient(app, queue=None)
    response = api.call("POST", COLLECTION, headers={"Prefer": "respond-async"})
    assert response.status == 202
    app.worker().sweeper.sweep(app.time())
    assert api.call("GET", AT).members["state"] == "collected"


def test_respond_async_survives_a_failing_queue(app):
    api = ApiClient(app, queue=Failing(StoreUnavailableError("canary")))
    response = api.call("POST", COLLECTION, headers={"Prefer": "respond-async"})
    assert response.status == 202
    assert app.load(ORDER).due_at == START
    assert ("enqueue_failed", {"order_no": ORDER}) in app.event_log.entries


def test_respond_async_for_a_final_order_is_200(api, app):
    api.call("POST", COLLECTION)
    app.queue.receive(10, visibility_seconds=30)
    response = api.call("POST", COLLECTION, headers={"Prefer": "respond-async"})
    assert response.status == 200
    assert app.queue.receive(10, visibility_seconds=30) == ()


# -- read


def test_get_returns_the_collected_order(api):
    collected = api.call("POST", COLLECTION)
    shown = api.call("GET", AT)
    assert (shown.status, shown.members) == (200, collected.members)


def test_unknown_order_is_404(api):
    response = api.call("GET", AT)
    assert (response.status, response.code) == (404, "unknown_order")


@pytest.mark.parametrize("kind", ["original", "cropped", "number"])
def test_photo_redirects_to_a_link_of_five_minutes(api, app, kind):
    api.call("POST", COLLECTION)
    photos = app.bodies()[0]["data"]["photos"]
    (uri,) = [photo["uri"] for photo in photos if photo["kind"] == kind]
    response = api.call("GET", f"{AT}/photos/{kind}")
    key = uri.removeprefix("file:///evidence/")
    ends_at = int(START.timestamp()) + 300
    assert response.status == 302
    assert response.headers["Location"] == f"memory:///{key}?expires={ends_at}"
    assert response.members is None
    assert key in app.evidence.objects


def test_missing_photos_have_identical_404_responses(api, app):
    script_replies(app, result_reply(ORDER, bankcardCropPhoto="", bankcardNoPhoto=""))
    app.upstream.scripts["waiting"] = [NOT_READY]
    app.upstream.scripts["rejected"] = [error_reply("-9012")]
    for order_no in (ORDER, "waiting", "rejected"):
        api.call("POST", f"/v1/orders/{order_no}/collection")
    responses = [
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
    assert {(response.status, response.code) for response in responses} == {
        (404, "unknown_photo")
    }
    assert len({json.dumps(response.raw) for response in responses}) == 1


# -- health and description


def test_health_of_a_new_app(api):
    assert api.call("GET", "/v1/health").members == {
        "ticket": None,
        "backlog": {"due": 0, "unsent": 0, "oldest_due_seconds": 0, "more": False},
        "paused": False,
    }


def test_health_has_ticket_backlog_and_pause(api, app):
    api.call("POST", COLLECTION)
    api.call("PUT", "/v1/orders/late")
    app.clock.sleep(700)
    response = api.call("GET", "/v1/health")
    assert response.members == {
        "ticket": {"generation": 1, "age_seconds": 700, "state": "fresh"},
        "backlog": {"due": 1, "unsent": 0, "oldest_due_seconds": 100, "more": False},
        "paused": False,
    }
    assert TICKET not in response.raw["body"]


@pytest.mark.parametrize(
    ("seconds", "state"), [(1139, "fresh"), (1140, "stale"), (3600, "expired")]
)
def test_health_has_the_ticket_state(api, app, seconds, state):
    api.call("POST", COLLECTION)
    app.clock.sleep(seconds)
    ticket = api.call("GET", "/v1/health").members["ticket"]
    assert ticket == {"generation": 1, "age_seconds": seconds, "state": state}


def test_health_counts_one_page_and_marks_more(api, app):
    for number in range(101):
        api.call("PUT", f"/v1/orders/late{number}")
    app.clock.sleep(601)
    backlog = api.call("GET", "/v1/health").members["backlog"]
    assert (backlog["due"], backlog["more"]) == (100, True)


def test_health_counts_unsent_events_and_has_an_open_breaker(app):
    app.sink = Failing(SinkUnavailableError())
    api = ApiClient(app)
    api.call("POST", COLLECTION)
    app.upstream.scripts["stopped"] = [STOPPING]
    api.call("POST", "/v1/orders/stopped/collection")
    app.clock.sleep(400)
    members = api.call("GET", "/v1/health").members
    assert members["backlog"]["unsent"] == 2
    assert members["paused"] is True


def test_openapi_description_is_served(api):
    response = api.call("GET", "/v1/openapi.json")
    assert (response.status, response.members) == (200, load_schema("openapi.json"))


# -- gateways


def test_gateway_prefixes_lead_to_the_same_order(api):
    first = api.send(sample_event("aws_http_api_v2"))
    again = api.send(sample_event("scf_function_url"))
    assert (first.status, again.status) == (201, 200)
    assert first.members == again.members


@pytest.mark.parametrize(
    "name",
    ["aws_sqs_batch", "aws_eventbridge_scheduled", "scf_ckafka_batch", "scf_timer"],
)
def test_event_of_another_trigger_is_400(api, name):
    response = api.send(sample_event(name))
    assert (response.status, response.code) == (400, "bad_request")


# -- rejections


@pytest.mark.parametrize(
    "path",
    ["/", "/v1", "/v1/", "/v2/health", "/v1/health/", "/v1/Health", "/v1/health\n",
     "//v1/health/x", "/v1/openapiXjson", "/v1/orders", "/v1/orders/", "/favicon.ico",
     "/v1/orders/a/b", "/v1/orders/a/photos", "/v1/orders/a/photos/original/x", ""],
)  # fmt: skip
def test_unknown_path_is_404(api, path):
    response = api.call("GET", path)
    assert (response.status, response.code) == (404, "unknown_path")


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
def test_unknown_method_is_405_with_allow(api, path, allowed):
    methods = ["GET", "HEAD", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "OTHER", "X"]
    for method in sorted(set(methods) - set(allowed)):
        response = api.call(method, path)
        assert (response.status, response.code) == (405, "method_not_allowed")
        assert response.headers["Allow"] == ", ".join(allowed)


@pytest.mark.parametrize("number", ["a b", "a%20b", "a-b", "_2", "a" * 33, "٤٥", "a\n"])
def test_malformed_order_no_is_400_on_every_route(api, number):
    for method, path in (
        ("PUT", f"/v1/orders/{number}"),
        ("GET", f"/v1/orders/{number}"),
        ("POST", f"/v1/orders/{number}/collection"),
        ("GET", f"/v1/orders/{number}/photos/original"),
    ):
        response = api.call(method, path)
        assert (response.status, response.code) == (400, "bad_order_no")


@pytest.mark.parametrize("number", ["v1", "orders", "photos", "health", "OTHER", "GET"])
def test_order_no_may_be_a_path_word(api, number):
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
def test_bad_body_is_rejected_without_effect(api, app, method, path, body, code):
    response = api.call(method, path, body=body)
    assert response.status == (413 if code == "body_too_large" else 400)
    assert response.code == code
    assert app.stores.orders.rows == {}


@pytest.mark.parametrize("reopen", [1, 0, "true", None, [], {}])
def test_reopen_must_be_a_boolean(api, reopen):
    response = api.call("POST", COLLECTION, body={"reopen": reopen})
    assert (response.status, response.code) == (400, "bad_member")


def test_reopen_is_only_accepted_for_a_collection(api):
    response = api.call("PUT", AT, body={"reopen": True})
    assert (response.status, response.code) == (400, "unknown_member")


def test_rejections_are_logged_with_their_problem_only(api, app):
    api.call("PUT", AT, body="[]")
    api.call("PUT", AT, headers={"x": "a\nb"})
    api.call("PUT", AT, headers={"x": "a" * 20_000})
    api.call("GET", "/nothing")
    api.call("DELETE", AT)
    api.call("GET", AT)
    assert app.event_log.entries == [
        ("request_refused", {"outcome": "bad_request", "problem": "bad_json"}),
        ("request_refused", {"outcome": "bad_request", "problem": "bad_headers"}),
        ("request_refused", {"outcome": "bad_request", "problem": "headers_too_large"}),
    ]


# -- failures


@pytest.mark.parametrize(
    "error", [StoreUnavailableError("canary"), NewerSchemaError("canary")]
)
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
def test_unavailable_store_is_503_with_retry_after(app, error, method, path):
    api = ApiClient(app)
    for name in ("register", "get", "list_due"):
        setattr(app.stores.orders, name, getattr(Failing(error), name))
    response = api.call(method, path)
    assert (response.status, response.code) == (503, error.code)
    assert int(response.headers["Retry-After"]) >= 1
    assert error.reason not in json.dumps(response.raw)
    fields = {"function": "orders_api", "error": error.code, "problem": error.reason}
    assert app.event_log.entries == [("handler_failed", fields)]


def test_unavailable_evidence_is_503(app):
    api = ApiClient(app, evidence=Failing(EvidenceUnavailableError("canary")))
    api.call("POST", COLLECTION)
    response = api.call("GET", f"{AT}/photos/original")
    assert (response.status, response.code) == (503, "evidence_unavailable")


def test_store_failure_while_collecting_leaves_the_order_due(app):
    api = ApiClient(app, collector=Failing(StoreUnavailableError()))
    assert api.call("POST", COLLECTION).status == 503
    assert app.load(ORDER).due_at == START


@pytest.mark.parametrize("error", [ValueError("canary"), KeyError("canary"), OSError()])
def test_unexpected_error_is_500_without_detail(app, error):
    api = ApiClient(app, register=Failing(error))
    response = api.call("PUT", AT)
    assert (response.status, response.code) == (500, "internal_error")
    assert "canary" not in json.dumps(response.raw)
    assert app.event_log.entries == [
        ("handler_failed", {"function": "orders_api", "error": type(error).__name__})
    ]


def test_library_debug_log_has_no_request_data(app, caplog):
    caplog.set_level("DEBUG")
    api = ApiClient(app, register=Failing(ValueError("canary")))
    api.call("PUT", AT)
    api.call("PUT", "/v1/orders/canary-canary")
    api.call("GET", "/canary")
    assert caplog.records, "the library's debug log is on"
    assert "canary" not in caplog.text
    assert ORDER not in caplog.text


def test_response_contains_no_photo(api):
    responses = [
        api.call("POST", COLLECTION),
        api.call("GET", AT),
        api.call("GET", f"{AT}/photos/original"),
    ]
    assert not any(PHOTO_BASE64 in json.dumps(response.raw) for response in responses)


def test_response_contains_no_upstream_text(api, app):
    script_replies(app, json_reply(b"<html>canary</html>"))
    response = api.call("POST", COLLECTION)
    assert response.members["reason"] == "transient"
    assert "canary" not in json.dumps(response.raw)
    assert app.load(ORDER).state is OrderState.WAITING
