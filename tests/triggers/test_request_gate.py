"""Who gets past the signature check, on every route."""

import json
from datetime import timedelta

import pytest

from api_caller import ApiCaller, sample, v2_event
from kycourier.adapters.triggers.http_event import parse_event
from kycourier.core.errors import StoreUnavailable
from kycourier.core.hidden import Secret
from kycourier.core.request_signature import SignedRequest, sign_request
from worlds import SecretInMemory, World

FIRST, SECOND = "first-key-of-a-test", "second-key-of-a-test"
AT = "/v1/orders/bankcardPic5923ab9a3bc34488b51"
EVERYTHING = [
    ("PUT", AT),
    ("GET", AT),
    ("POST", f"{AT}/collection"),
    ("GET", f"{AT}/photos/original"),
    ("GET", "/v1/health"),
    ("GET", "/v1/openapi.json"),
    ("GET", "/v1/nothing"),
    ("DELETE", AT),
    ("GET", "/v1/orders/a%20b"),
]


@pytest.fixture
def world():
    return World()


@pytest.fixture
def keys():
    return SecretInMemory(FIRST)


@pytest.fixture
def api(world, keys):
    return ApiCaller(world, keys=keys)


def signed(event, key=FIRST, *, at):
    """Add the signature that a partner's backend would make for this request."""
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
    event["headers"]["X-Kycourier-Signature"] = signature
    if event.get("multiValueHeaders"):
        event["multiValueHeaders"]["X-Kycourier-Signature"] = [signature]
    return event


def ask(api, key=FIRST, *, seconds=0):
    """Ask for the health with a signature made `seconds` later than now."""
    at = api.world.clock.now() + timedelta(seconds=seconds)
    answer = api.send(signed(v2_event("GET", "/v1/health"), key, at=at))
    return answer.status if answer.status == 200 else answer.code


@pytest.mark.parametrize(("method", "path"), EVERYTHING)
def test_nothing_is_answered_without_a_signature(api, world, method, path):
    answer = api.call(method, path)
    assert (answer.status, answer.code) == (401, "signature_missing")
    assert answer.headers["WWW-Authenticate"] == "Kycourier-Signature"
    assert world.state.orders.rows == {}
    assert api.refusals() == [("deny", "signature_missing")]


@pytest.mark.parametrize(("method", "path"), EVERYTHING)
def test_everything_is_answered_with_one(api, world, method, path):
    event = signed(v2_event(method, path), at=world.clock.now())
    assert api.send(event).status != 401


HTTP_SAMPLES = (
    "aws_http_api_v2",
    "aws_rest_api_v1",
    "aws_function_url",
    "aws_function_url_base64",
    "scf_function_url",
    "scf_function_url_no_body",
)


@pytest.mark.parametrize("name", HTTP_SAMPLES)
def test_a_signature_is_checked_in_every_gateways_event(api, world, name):
    assert api.send(sample(name)).status == 401
    event = signed(sample(name), at=world.clock.now())
    assert api.send(event).status in {200, 201, 202}


def test_the_gateways_hand_the_same_signed_request_over(world):
    path = "/v1/orders/bankcardPic5923ab9a3bc34488b51/collection"
    v1 = signed(sample("aws_rest_api_v1"), at=world.clock.now())
    url = signed(sample("aws_function_url_base64"), at=world.clock.now())
    assert parse_event(v1).path == parse_event(url).path == path
    name = "X-Kycourier-Signature"
    assert v1["headers"][name] == url["headers"][name]


def test_gateways_that_authenticate_need_no_signature(world):
    assert ApiCaller(world, keys=None).call("GET", "/v1/health").status == 200


@pytest.mark.parametrize("name", HTTP_SAMPLES)
def test_where_a_gateway_authenticates_only_what_it_hands_over_is_answered(world, name):
    """A function URL of SCF is public, whatever its host calls itself."""
    answer = ApiCaller(world, needs_gateway=True).send(sample(name))
    assert (answer.status == 401) is name.startswith("scf_")
    assert answer.status == 401 or answer.status < 300


def test_another_key_and_another_time_are_denied(api):
    assert ask(api) == 200
    assert ask(api, SECOND) == "signature_mismatch"
    assert ask(api, seconds=-301) == "signature_expired"
    assert ask(api, seconds=301) == "signature_expired"
    assert api.refusals() == [
        ("deny", "signature_mismatch"),
        ("deny", "signature_expired"),
        ("deny", "signature_expired"),
    ]


def test_a_body_that_was_changed_is_denied(api, world):
    event = signed(v2_event("PUT", AT, body="{}"), at=world.clock.now())
    answer = api.send(event | {"body": '{"document":"bank_card"}'})
    assert (answer.status, answer.code) == (401, "signature_mismatch")
    assert world.state.orders.rows == {}


def test_two_signature_headers_are_denied(api, world):
    event = signed(sample("aws_rest_api_v1"), at=world.clock.now())
    event["multiValueHeaders"]["X-Kycourier-Signature"] *= 2
    assert api.send(event).code == "signature_malformed"


def test_two_signatures_joined_by_a_gateway_are_denied(api, world):
    event = signed(v2_event("GET", "/v1/health"), at=world.clock.now())
    sent = event["headers"]["X-Kycourier-Signature"]
    event["headers"]["X-Kycourier-Signature"] = f"{sent},{sent}"
    assert api.send(event).code == "signature_malformed"


def test_two_keys_live_side_by_side(api, keys):
    keys.value = f"{FIRST}\n{SECOND}\n"
    assert [ask(api, key) for key in (FIRST, SECOND)] == [200, 200]


def test_a_new_key_counts_within_a_minute_and_a_removed_one_no_longer(api, world, keys):
    assert ask(api, FIRST) == 200
    keys.value = SECOND
    world.clock.sleep(59)
    assert ask(api, SECOND) == "signature_mismatch"
    world.clock.sleep(1)
    assert ask(api, SECOND) == 200
    assert ask(api, FIRST) == "signature_mismatch"


class Flaky(SecretInMemory):
    """A secret store that fails while it has no value."""

    def load(self):
        if not self.value:
            raise StoreUnavailable("canary")
        return super().load()


def test_without_keys_nobody_gets_in_and_it_is_503(world):
    api = ApiCaller(world, keys=Flaky(""))
    answer = api.call("GET", "/v1/health", headers={"x-kycourier-signature": "t=1"})
    assert (answer.status, answer.code) == (503, "store_unavailable")


def test_keys_that_were_read_serve_on_while_their_store_fails(world):
    keys = Flaky(FIRST)
    api = ApiCaller(world, keys=keys)
    assert ask(api) == 200
    keys.value = ""
    world.clock.sleep(3600)
    assert ask(api) == 200
    assert ask(api, SECOND) == "signature_mismatch"


@pytest.mark.parametrize("kept", ["a\nb\nc", "\n", "canary\n\ncanary"])
def test_keys_that_cannot_be_used_let_nobody_in_and_are_not_shown(world, kept):
    api = ApiCaller(world, keys=SecretInMemory(kept))
    answer = api.send(signed(v2_event("GET", "/v1/health"), "a", at=world.clock.now()))
    assert (answer.status, answer.code) == (503, "store_unavailable")
    [(fact, fields)] = world.journal.notes
    assert (fact, fields["error"]) == ("handler_failed", "store_unavailable")
    assert fields["problem"] == "no_usable_API_keys"
    assert "canary" not in json.dumps(answer.response)
