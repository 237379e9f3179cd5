"""Rejections and failures are problem responses that repeat nothing of the request."""

import json

import pytest

from kycourier.core.errors import (
    EvidenceUnavailableError,
    NewerSchemaError,
    StoreUnavailableError,
)
from kycourier.core.orders.record import OrderState
from support.failing_ports import FailingPort, raising
from support.fakes import START
from support.rigs.api_client import ApiClient
from support.rigs.fake_platform import PHOTO_BASE64, json_reply, result_reply

ORDER = "bankcardPic5923ab9a3bc34488b51"
AT = f"/v1/orders/{ORDER}"
COLLECTION, ORIGINAL = f"{AT}/collection", f"{AT}/photos/original"
DELIVERIES = f"{AT}/events/e1/deliveries"


def problem(response):
    return response.status, response.code


class TestRejections:
    @pytest.mark.parametrize(
        "path",
        ["", "/", "/v1", "/v2/health", "/v1/health/", "/v1/Health", "/v1/health\n",
         "//v1/health/x", "/v1/openapiXjson", "/v1/orders/",
         "/v1/orders/a/b", "/v1/orders/a/photos", "/v1/orders/a/photos/original/x"],
    )  # fmt: skip
    def test_unknown_path_is_404(self, api, path):
        assert problem(api.call("GET", path)) == (404, "unknown_path")

    @pytest.mark.parametrize(
        ("path", "allowed"),
        [
            ("/v1/health", ["GET", "HEAD"]),
            ("/v1/openapi.json", ["GET", "HEAD"]),
            (AT, ["GET", "HEAD", "PUT"]),
            (COLLECTION, ["POST"]),
            (ORIGINAL, ["GET", "HEAD"]),
            (DELIVERIES, ["POST"]),
        ],
    )
    def test_unknown_method_is_405_with_allow(self, api, path, allowed):
        methods = {"GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "X"}
        for method in methods - set(allowed):
            response = api.call(method, path)
            assert problem(response) == (405, "method_not_allowed")
            assert response.headers["Allow"] == ", ".join(allowed)
        assert (api.call("HEAD", path).status == 405) == ("HEAD" not in allowed)

    @pytest.mark.parametrize("number", ["a b", "a%20b", "a-b", "a" * 33, "a\n"])
    @pytest.mark.parametrize(
        ("method", "more"),
        [
            ("PUT", ""),
            ("GET", ""),
            ("POST", "/collection"),
            ("GET", "/photos/number"),
            ("POST", "/events/e1/deliveries"),
        ],
    )
    def test_malformed_order_no_is_400_on_every_route(self, api, number, method, more):
        response = api.call(method, f"/v1/orders/{number}{more}")
        assert problem(response) == (400, "bad_order_no")

    @pytest.mark.parametrize(
        ("body", "status", "code"),
        [
            ("[]", 400, "bad_json"),
            ('{"order_no":"a"}', 400, "unknown_member"),
            ('{"Document":"bank_card"}', 400, "unknown_member"),
            ('{"app_id":"OTHER"}', 400, "foreign_app"),
            ('{"document":"passport"}', 400, "unknown_document"),
            ("x" * 16_385, 413, "body_too_large"),
        ],
        ids=lambda value: str(value)[:40],
    )
    @pytest.mark.parametrize(("method", "path"), [("PUT", AT), ("POST", COLLECTION)])
    def test_bad_body_is_rejected_without_effect(
        self, api, app, method, path, body, status, code
    ):
        assert problem(api.call(method, path, body=body)) == (status, code)
        assert app.stores.orders.rows == {}

    @pytest.mark.parametrize("reopen", [1, "true"])
    def test_reopen_is_a_boolean_and_only_accepted_for_a_collection(self, api, reopen):
        response = api.call("POST", COLLECTION, body={"reopen": reopen})
        assert problem(response) == (400, "bad_member")
        response = api.call("PUT", AT, body={"reopen": True})
        assert problem(response) == (400, "unknown_member")

    def test_rejections_are_logged_with_their_problem_only(self, api, app):
        api.call("PUT", AT, body="[]")
        api.call("PUT", AT, headers={"x": "a\nb"})
        api.call("PUT", AT, headers={"x": "a" * 20_000})
        api.call("GET", "/nothing")
        api.call("DELETE", AT)
        api.call("GET", AT)
        assert app.event_log.entries == [
            ("request_refused", {"outcome": "bad_request", "problem": problem})
            for problem in ("bad_json", "bad_headers", "headers_too_large")
        ]


class TestFailures:
    @pytest.mark.parametrize(
        "error", [StoreUnavailableError("canary"), NewerSchemaError("canary")]
    )
    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("PUT", AT),
            ("POST", COLLECTION),
            ("GET", AT),
            ("GET", ORIGINAL),
            ("POST", DELIVERIES),
            ("GET", "/v1/health"),
        ],
    )
    def test_unavailable_store_is_503_with_retry_after(self, app, error, method, path):
        api = ApiClient(app)
        for name in ("register", "get", "list_due"):
            setattr(app.stores.orders, name, raising(error))
        response = api.call(method, path)
        assert problem(response) == (503, error.code)
        assert int(response.headers["Retry-After"]) >= 1
        assert "canary" not in json.dumps(response.raw)
        fields = {"function": "orders_api", "error": error.code, "problem": "canary"}
        assert app.event_log.entries == [("handler_failed", fields)]

    def test_unavailable_evidence_is_503(self, app):
        api = ApiClient(app, evidence=FailingPort(EvidenceUnavailableError("canary")))
        api.call("POST", COLLECTION)
        assert problem(api.call("GET", ORIGINAL)) == (503, "evidence_unavailable")

    def test_store_failure_while_collecting_leaves_the_order_due(self, app):
        api = ApiClient(app, collector=FailingPort(StoreUnavailableError()))
        assert api.call("POST", COLLECTION).status == 503
        assert app.load(ORDER).due_at == START

    def test_unexpected_error_is_500_without_detail(self, app):
        api = ApiClient(app, register=FailingPort(ValueError("canary")))
        response = api.call("PUT", AT)
        assert problem(response) == (500, "internal_error")
        assert "canary" not in json.dumps(response.raw)
        fields = {"function": "orders_api", "error": "ValueError"}
        assert app.event_log.entries == [("handler_failed", fields)]

    def test_library_debug_log_has_no_request_data(self, app, caplog):
        caplog.set_level("DEBUG")
        api = ApiClient(app, register=FailingPort(ValueError("canary")))
        for path in (AT, "/v1/orders/canary-canary", "/canary"):
            api.call("PUT", path)
        assert caplog.records, "the library's debug log is on"
        assert "canary" not in caplog.text
        assert ORDER not in caplog.text

    def test_response_contains_neither_photo_nor_upstream_text(self, api, app):
        app.upstream.scripts[ORDER] = [
            json_reply(b"<html>canary</html>"),
            result_reply(ORDER),
        ]
        waiting = api.call("POST", COLLECTION)
        assert waiting.members["reason"] == "transient"
        assert app.load(ORDER).state is OrderState.WAITING
        others = [("POST", COLLECTION), ("GET", AT), ("GET", ORIGINAL)]
        responses = [waiting, *(api.call(method, path) for method, path in others)]
        text = json.dumps([response.raw for response in responses])
        assert "canary" not in text
        assert PHOTO_BASE64 not in text
