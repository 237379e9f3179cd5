"""The HTTP API over the real use cases of an in-memory app."""

import json
from datetime import timedelta

import pytest

from kycourier.core.errors import (
    SinkUnavailableError,
    StoreUnavailableError,
    TransportError,
)
from kycourier.core.orders.state_machine import Urgency
from support.failing_ports import FailingPort
from support.fakes import START
from support.leaks.canaries import NUMBER, TICKET
from support.openapi_check import load_schema
from support.rigs.api_client import ApiClient
from support.rigs.fake_platform import error_reply, json_reply, result_reply
from support.rigs.in_memory import APP

ORDER = "bankcardPic5923ab9a3bc34488b51"
AT = f"/v1/orders/{ORDER}"
COLLECTION, ORIGINAL = f"{AT}/collection", f"{AT}/photos/original"
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
ASYNC = {"Prefer": "respond-async"}
NOT_READY = error_reply("66660020")
STOPPING = error_reply("66660001")


def script_replies(app, *replies):
    app.upstream.scripts[ORDER] = list(replies)


class TestRegister:
    def test_new_order_is_201_and_repeated_200(self, api, app):
        first, again = api.call("PUT", AT), api.call("PUT", AT)
        assert (first.status, again.status) == (201, 200)
        assert first.members == again.members
        assert first.members == {
            "app_id": APP,
            "order_no": ORDER,
            "document": "bank_card",
            "state": "registered",
            "reason": None,
            "last_problem": None,
            "attempts": 0,
            "version": 1,
            "registered_at": "2026-01-01T00:00:00Z",
            "updated_at": "2026-01-01T00:00:00Z",
            "due_at": "2026-01-01T00:10:00Z",
            "deadline_at": "2026-01-03T00:00:00Z",
            "event_id": None,
            "delivery": None,
            "result": None,
        }
        assert app.upstream.queries == {}

    @pytest.mark.parametrize(
        "body", [None, "", {}, {"document": "bank_card", "app_id": APP}]
    )
    def test_body_is_optional_and_may_name_document_and_app(self, api, body):
        assert api.call("PUT", AT, body=body).status == 201

    def test_traceparent_is_carried_into_the_event(self, api, app):
        api.call("PUT", AT, headers={"Traceparent": TRACE})
        api.call("POST", COLLECTION)
        assert app.bodies()[0]["traceparent"] == TRACE

    @pytest.mark.parametrize("sent", ["", "00-garbage", TRACE + "," + TRACE])
    def test_malformed_traceparent_is_ignored(self, api, app, sent):
        response = api.call("POST", COLLECTION, headers={"traceparent": sent})
        assert response.status == 200
        assert "traceparent" not in app.bodies()[0]

    @pytest.mark.parametrize("number", ["v1", "orders", "photos", "health", "GET"])
    def test_order_no_may_be_a_path_word(self, api, number):
        assert api.call("PUT", f"/v1/orders/{number}").members["order_no"] == number
        assert api.call("POST", f"/v1/orders/{number}/collection").status == 200
        assert api.call("GET", f"/v1/orders/{number}/photos/original").status == 302


class TestCollect:
    def test_ready_order_is_collected_at_once_and_then_returned(self, api, app):
        response = api.call("POST", COLLECTION)
        assert (response.status, response.members["state"]) == (200, "collected")
        [event] = app.bodies()
        assert response.members["event_id"] == event["id"]
        assert response.members["result"] == {
            name: value
            for name, value in event["data"].items()
            if name not in {"app_id", "order_no"}
        }
        assert NUMBER not in json.dumps(response.raw)
        for method, path in [("POST", COLLECTION), ("GET", AT)]:
            again = api.call(method, path)
            assert (again.status, again.members) == (200, response.members)
        assert app.upstream.queries == {ORDER: 1}
        assert len(app.bodies()) == 1

    def test_order_that_is_not_ready_is_202_with_retry_after(self, api, app):
        script_replies(app, NOT_READY)
        response = api.call("POST", COLLECTION)
        assert (response.status, response.headers["Retry-After"]) == (202, "5")
        members = response.members
        assert (members["state"], members["reason"]) == ("waiting", "not_ready")
        assert members["due_at"] == "2026-01-01T00:00:05Z"

    def test_retry_after_is_rounded_up(self, api, app):
        script_replies(app, TransportError("connection_reset"))
        response = api.call("POST", COLLECTION)
        due_in = (app.load(ORDER).due_at - START).total_seconds()
        seconds = int(response.headers["Retry-After"])
        assert seconds - 1 < max(due_in, 0.5)
        assert due_in <= seconds

    def test_rejected_order_is_200_with_its_reason(self, api, app):
        script_replies(app, error_reply("-9012"))
        response = api.call("POST", COLLECTION)
        assert (response.status, response.members["state"]) == (200, "rejected")
        reason = response.members["result"]["reason"]
        assert reason == {"code": "-9012", "name": response.members["reason"]}

    def test_parked_order_stays_parked_until_reopened(self, api, app):
        script_replies(app, error_reply("400502"), result_reply(ORDER))
        for body in (None, None, {"reopen": False}):
            response = api.call("POST", COLLECTION, body=body)
            assert (response.status, response.members["state"]) == (200, "parked")
        response = api.call("POST", COLLECTION, body={"reopen": True})
        assert (response.status, response.members["state"]) == (200, "collected")
        assert "order_reopened" in app.log_events()

    def test_order_leased_by_another_worker_is_202(self, api, app):
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

    def test_failed_attempt_is_shown_with_its_cause(self, api, app):
        page = b"<html>no such page</html>"
        script_replies(app, json_reply(page, status=404))
        members = api.call("POST", COLLECTION).members
        assert (members["reason"], members["attempts"]) == ("transient", 1)
        assert members["last_problem"] == {
            "cause": "http_status",
            "code": None,
            "http_status": 404,
            "at": "2026-01-01T00:00:00Z",
            "count": 1,
        }
        script_replies(app, result_reply(ORDER, originBankcardPhoto="%"))
        problem = api.call("POST", COLLECTION).members["last_problem"]
        assert (problem["cause"], problem["detail"]) == ("photo_unreadable", "original")
        script_replies(app, NOT_READY)
        assert api.call("POST", COLLECTION).members["last_problem"] is None

    @pytest.mark.parametrize(
        ("code", "reason", "problem", "longest"),
        [
            ("66660001", "app_stopped", ("app_stopped", "66660001"), 305),
            ("66660012", "paused", ("breaker_open", None), 10),
        ],
    )
    def test_paused_app_delays_an_order(self, api, app, code, reason, problem, longest):
        app.upstream.scripts["first"] = [error_reply(code)]
        api.call("POST", "/v1/orders/first/collection")
        response = api.call("POST", COLLECTION)
        assert (response.status, response.members["reason"]) == (202, reason)
        last = response.members["last_problem"]
        assert (last["cause"], last["code"]) == problem
        assert 1 <= int(response.headers["Retry-After"]) <= longest
        assert app.upstream.queries == {"first": 1}

    def test_order_without_time_only_becomes_due(self, api, app):
        response = api.call("POST", COLLECTION, seconds=1.5)
        assert (response.status, response.headers["Retry-After"]) == (202, "1")
        assert response.members["state"] == "registered"
        assert app.load(ORDER).due_at == START
        assert app.upstream.queries == {}

    @pytest.mark.parametrize(("left", "used"), [(900, 20), (7, 7)])
    def test_call_takes_at_most_20_seconds(self, app, left, used):
        calls = []

        class Collector:
            def collect(self, expected, *, urgency, deadline):
                calls.append((urgency, deadline.seconds()))
                return app.load(expected.order.order_no)

        ApiClient(app, collector=Collector()).call("POST", COLLECTION, seconds=left)
        assert calls == [(Urgency.NOW, used)]


class TestRespondAsync:
    @pytest.mark.parametrize(
        "prefer",
        [
            "Respond-Async",
            "wait=10, respond-async",
            "respond-async; x=1, wait=10",
            ' \trespond-async , foo="a,b"',
        ],
    )
    def test_order_is_enqueued_and_202_at_once(self, api, app, prefer):
        response = api.call("POST", COLLECTION, headers={"Prefer": prefer})
        assert (response.status, response.headers["Retry-After"]) == (202, "1")
        assert response.headers["Preference-Applied"] == "respond-async"
        assert response.members["state"] == "registered"
        assert app.load(ORDER).due_at == START
        assert app.upstream.queries == {}
        (message,) = app.queue.receive(10, visibility_seconds=30)
        assert json.loads(message.body)["order_no"] == ORDER

    @pytest.mark.parametrize(
        "prefer", ["", "respond-asynchronously", 'a="b, respond-async"']
    )
    def test_other_preferences_are_ignored(self, api, prefer):
        response = api.call("POST", COLLECTION, headers={"Prefer": prefer})
        assert response.status == 200
        assert "Preference-Applied" not in response.headers

    @pytest.mark.parametrize(
        ("queue", "failures"),
        [(None, 0), (FailingPort(StoreUnavailableError("canary")), 1)],
        ids=["absent", "failing"],
    )
    def test_order_is_collected_by_the_sweep_without_a_queue(
        self, app, queue, failures
    ):
        api = ApiClient(app, queue=queue)
        assert api.call("POST", COLLECTION, headers=ASYNC).status == 202
        assert app.log_events().count("enqueue_failed") == failures
        app.worker().sweeper.sweep(app.time())
        assert api.call("GET", AT).members["state"] == "collected"

    def test_final_order_is_200_and_not_enqueued(self, api, app):
        api.call("POST", COLLECTION)
        app.queue.receive(10, visibility_seconds=30)
        assert api.call("POST", COLLECTION, headers=ASYNC).status == 200
        assert app.queue.receive(10, visibility_seconds=30) == ()


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
    assert (response.status, response.members) == (302, None)
    assert response.headers["Location"] == f"memory:///{key}?expires={ends_at}"
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
            "waiting/photos/manifest",
            "rejected/photos/original",
            "unknown/photos/original",
        )
    ]
    assert {(each.status, each.code) for each in responses} == {(404, "unknown_photo")}
    assert len({json.dumps(response.raw) for response in responses}) == 1


def test_photo_of_a_waiting_order_is_409_with_its_state(api, app):
    script_replies(app, NOT_READY)
    for method, path, state in [
        ("PUT", AT, "registered"),
        ("POST", COLLECTION, "waiting"),
    ]:
        api.call(method, path)
        response = api.call("GET", ORIGINAL)
        assert (response.status, response.code) == (409, "photo_pending")
        assert response.members["state"] == state


def test_deleted_photo_is_410_and_shown_in_its_order(api, app):
    collected = api.call("POST", COLLECTION).members
    (key,) = [key for key in app.evidence.objects if "/original-" in key]
    del app.evidence.objects[key]
    for _ in range(2):
        response = api.call("GET", ORIGINAL)
        assert (response.status, response.code) == (410, "photo_gone")
    members = api.call("GET", AT).members
    assert members["result"] == collected["result"] | {"photos_gone": ["original"]}
    assert (members["state"], len(app.bodies())) == ("collected", 1)
    assert api.call("GET", f"{AT}/photos/number").status == 302


@pytest.mark.parametrize(
    "path", [AT, ORIGINAL, "/v1/health", "/v1/openapi.json", f"{AT}unknown"]
)
def test_head_is_get_without_the_body(api, path):
    api.call("POST", COLLECTION)
    head, get = api.call("HEAD", path), api.call("GET", path)
    assert (head.status, head.headers) == (get.status, get.headers)
    assert head.raw["body"] == ""


class TestHealth:
    def health(self, api):
        return api.call("GET", "/v1/health").members

    def test_new_app_has_neither_ticket_nor_backlog(self, api):
        assert self.health(api) == {
            "ticket": None,
            "last_refresh_failure": None,
            "backlog": {
                "due": 0,
                "due_by_cause": {},
                "failing_seconds": 0,
                "unsent": 0,
                "oldest_due_seconds": 0,
                "more": False,
            },
            "breaker": {"state": "closed", "problem": None, "open_until": None},
        }

    @pytest.mark.parametrize(
        ("seconds", "state"), [(1139, "fresh"), (1140, "stale"), (3600, "expired")]
    )
    def test_ticket_is_shown_by_its_age_and_backlog_by_its_oldest_order(
        self, api, app, seconds, state
    ):
        api.call("POST", COLLECTION)
        api.call("PUT", "/v1/orders/late")
        app.clock.sleep(seconds)
        response = api.call("GET", "/v1/health")
        ticket = {"generation": 1, "age_seconds": seconds, "state": state}
        backlog = {
            "due": 1,
            "due_by_cause": {"registered": 1},
            "failing_seconds": 0,
            "unsent": 0,
            "oldest_due_seconds": seconds - 600,
            "more": False,
        }
        assert response.members["ticket"] == ticket
        assert response.members["backlog"] == backlog
        assert TICKET not in response.raw["body"]

    def test_backlog_is_counted_up_to_one_page(self, api, app):
        for number in range(101):
            api.call("PUT", f"/v1/orders/late{number}")
        app.clock.sleep(601)
        backlog = self.health(api)["backlog"]
        assert (backlog["due"], backlog["more"]) == (100, True)

    def test_unsent_events_and_a_stopped_app_are_shown(self, app):
        app.sink = FailingPort(SinkUnavailableError)
        api = ApiClient(app)
        api.call("POST", COLLECTION)
        app.upstream.scripts["stopped"] = [STOPPING]
        api.call("POST", "/v1/orders/stopped/collection")
        app.clock.sleep(400)
        health = self.health(api)
        problem = {"cause": "app_stopped", "code": "66660001"}
        assert health["backlog"]["unsent"] == 2
        assert health["breaker"] == {
            "state": "stopped",
            "problem": problem,
            "open_until": None,
        }

    def test_due_orders_are_counted_by_cause_and_failing_time(self, api, app):
        for order_no, reply in [
            ("reset", TransportError("connection_reset")),
            ("page", json_reply(b"<html>", status=200)),
            ("late", NOT_READY),
        ]:
            app.upstream.scripts[order_no] = [reply]
            api.call("POST", f"/v1/orders/{order_no}/collection")
            app.clock.sleep(10)
        app.clock.sleep(30)
        backlog = self.health(api)["backlog"]
        causes = {"connection_reset": 1, "reply_not_json": 1, "not_ready": 1}
        assert backlog["due_by_cause"] == causes
        assert backlog["failing_seconds"] == 60

    def test_breaker_shows_why_it_is_open_until_it_closes(self, api, app):
        script_replies(app, error_reply("400504"))
        api.call("POST", COLLECTION)
        problem = {"cause": "code_throttled", "code": "400504"}
        breaker = self.health(api)["breaker"]
        assert (breaker["state"], breaker["problem"]) == ("open", problem)
        app.clock.set(app.stores.breakers.get(APP).open_until)
        assert self.health(api)["breaker"]["state"] == "half_open"

    def test_refused_refresh_is_shown_until_one_succeeds(self, api, app):
        timer = app.worker().refresh_timer()
        app.upstream.token_reply = error_reply("400101")
        for count in (1, 2):
            timer.handle(app.time())
            failure = self.health(api)["last_refresh_failure"]
            assert failure == {
                "cause": "refresh_refused",
                "code": "400101",
                "http_status": None,
                "at": "2026-01-01T00:00:00Z",
                "count": count,
            }
        app.upstream.token_reply = None
        timer.handle(app.time())
        assert self.health(api)["last_refresh_failure"] is None


def test_openapi_description_is_served(api):
    response = api.call("GET", "/v1/openapi.json")
    assert (response.status, response.members) == (200, load_schema("openapi.json"))


def test_null_members_count_as_absent(api):
    body = {"reopen": None, "document": None, "app_id": None}
    response = api.call("POST", f"{AT}/collection", body=body)
    assert (response.status, response.members["state"]) == (200, "collected")
