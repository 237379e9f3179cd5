"""The signature check on every route."""

import json
from datetime import timedelta

import pytest

from kycourier.core.errors import StoreUnavailableError
from kycourier.core.redaction import Secret
from kycourier.core.request_signature import SignedRequest, sign_request
from kycourier.triggers.http.event import parse_event
from support.rigs.api_client import ApiClient
from support.rigs.in_memory import MutableSecret
from support.sample_events import HTTP_SAMPLES, function_url_event, sample_event

FIRST, SECOND = "first-key-of-a-test", "second-key-of-a-test"
AT = "/v1/orders/bankcardPic5923ab9a3bc34488b51"
HEADER = "X-Kycourier-Signature"
REQUESTS = [
    ("PUT", AT),
    ("GET", AT),
    ("POST", f"{AT}/collection"),
    ("GET", f"{AT}/photos/original"),
    ("POST", f"{AT}/events/e1/deliveries"),
    ("GET", "/v1/health"),
    ("GET", "/v1/openapi.json"),
    ("GET", "/v1/nothing"),
    ("DELETE", AT),
    ("GET", "/v1/orders/a%20b"),
]


@pytest.fixture
def keys():
    return MutableSecret(FIRST)


@pytest.fixture
def api(app, keys):
    return ApiClient(app, keys=keys)


def signed(event, key=FIRST, *, at):
    """Add the signature that a partner's backend makes for this request."""
    request = parse_event(event)
    signature = sign_request(
        SignedRequest(
            method=request.method,
            path=request.path,
            query=request.query,
            body=request.body,
        ),
        key=Secret(key),
        at=at,
    )
    event["headers"][HEADER] = signature
    if event.get("multiValueHeaders"):
        event["multiValueHeaders"][HEADER] = [signature]
    return event


def status_of(api, key=FIRST, *, seconds=0):
    """Request /v1/health, signed `seconds` from now; return 200 or the problem."""
    at = api.app.clock.now() + timedelta(seconds=seconds)
    response = api.send(signed(function_url_event("GET", "/v1/health"), key, at=at))
    return response.status if response.status == 200 else response.code


def test_unsigned_head_request_is_refused_without_a_body(api):
    response = api.send(function_url_event("HEAD", "/v1/health"))
    assert (response.status, response.members) == (401, None)


@pytest.mark.parametrize("base", ["/base", "/api/v1/kyc", "/v1"])
@pytest.mark.parametrize(("method", "status"), [("PUT", 201), ("HEAD", 404)])
def test_request_is_signed_without_its_base_path(api, app, base, method, status):
    request = SignedRequest(method=method, path=AT)
    signature = sign_request(request, key=Secret(FIRST), at=app.clock.now())
    event = function_url_event(method, base + AT, headers={HEADER: signature})
    assert api.send(event).status == status


@pytest.mark.parametrize(("method", "path"), REQUESTS)
def test_unsigned_request_is_401(api, app, method, path):
    response = api.call(method, path)
    assert (response.status, response.code) == (401, "signature_missing")
    assert response.headers["WWW-Authenticate"] == "Kycourier-Signature"
    assert app.stores.orders.rows == {}
    assert api.refusals() == [("deny", "signature_missing")]


@pytest.mark.parametrize(("method", "path"), REQUESTS)
def test_signed_request_passes(api, app, method, path):
    event = signed(function_url_event(method, path), at=app.clock.now())
    assert api.send(event).status != 401


@pytest.mark.parametrize("name", HTTP_SAMPLES)
def test_signature_is_checked_for_every_gateway(api, app, name):
    assert api.send(sample_event(name)).status == 401
    event = signed(sample_event(name), at=app.clock.now())
    assert api.send(event).status in {200, 201, 202}


def test_authenticating_gateway_needs_no_signature(app):
    assert ApiClient(app, keys=None).call("GET", "/v1/health").status == 200


@pytest.mark.parametrize("name", HTTP_SAMPLES)
def test_gateway_auth_rejects_function_urls_of_scf(app, name):
    """A function URL of SCF is public, whatever its host name."""
    response = ApiClient(app, needs_gateway=True).send(sample_event(name))
    assert (response.status == 401) is name.startswith("scf_")
    assert response.status == 401 or response.status < 300


@pytest.mark.parametrize(
    ("key", "seconds", "problem"),
    [
        (SECOND, 0, "signature_mismatch"),
        (FIRST, -301, "signature_expired"),
        (FIRST, 301, "signature_expired"),
    ],
)
def test_wrong_key_or_time_is_denied(api, key, seconds, problem):
    assert status_of(api) == 200
    assert status_of(api, key, seconds=seconds) == problem
    assert api.refusals() == [("deny", problem)]


def test_signature_of_another_body_is_denied(api, app):
    event = signed(function_url_event("PUT", AT, body="{}"), at=app.clock.now())
    response = api.send(event | {"body": '{"document":"bank_card"}'})
    assert (response.status, response.code) == (401, "signature_mismatch")
    assert app.stores.orders.rows == {}


def test_two_signature_headers_are_denied_even_if_a_gateway_joins_them(api, app):
    event = signed(sample_event("aws_rest_api_v1"), at=app.clock.now())
    event["multiValueHeaders"][HEADER] *= 2
    assert api.send(event).code == "signature_malformed"
    event = signed(function_url_event("GET", "/v1/health"), at=app.clock.now())
    event["headers"][HEADER] = ",".join([event["headers"][HEADER]] * 2)
    assert api.send(event).code == "signature_malformed"


def test_keys_are_read_again_after_a_minute(api, app, keys):
    assert status_of(api, FIRST) == 200
    keys.value = f"{FIRST}\n{SECOND}\n"
    app.clock.sleep(59)
    assert status_of(api, SECOND) == "signature_mismatch"
    app.clock.sleep(1)
    assert [status_of(api, key) for key in (FIRST, SECOND)] == [200, 200]
    keys.value = SECOND
    app.clock.sleep(60)
    assert status_of(api, SECOND) == 200
    assert status_of(api, FIRST) == "signature_mismatch"


class FailingSecret(MutableSecret):
    """A secret store that fails while it has no value."""

    def get(self):
        if not self.value:
            raise StoreUnavailableError("canary")
        return super().get()


def test_missing_keys_are_503(app):
    response = ApiClient(app, keys=FailingSecret("")).call("GET", "/v1/health")
    assert (response.status, response.code) == (503, "store_unavailable")


def test_known_keys_stay_valid_while_their_store_fails(app):
    keys = FailingSecret(FIRST)
    api = ApiClient(app, keys=keys)
    assert status_of(api) == 200
    keys.value = ""
    app.clock.sleep(3600)
    assert status_of(api) == 200
    assert status_of(api, SECOND) == "signature_mismatch"


@pytest.mark.parametrize("kept", ["\n", "canary\ncanary\ncanary"])
def test_unusable_keys_are_503_and_not_exposed(app, kept):
    api = ApiClient(app, keys=MutableSecret(kept))
    assert status_of(api) == "store_unavailable"
    [(name, fields)] = app.event_log.entries
    assert (name, fields["error"]) == ("handler_failed", "store_unavailable")
    assert fields["problem"] == "no_usable_API_keys"
    response = api.call("GET", "/v1/health", headers={HEADER: "t=1"})
    assert response.status == 503
    assert "canary" not in json.dumps(response.raw)
