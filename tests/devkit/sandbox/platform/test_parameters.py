"""Query parameters of each call."""

from contextlib import nullcontext
from functools import partial
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kycourier_devkit.sandbox.platform.parameters import (
    Profile,
    parse_result_query,
    parse_ticket_call,
    parse_token_call,
)
from kycourier_devkit.sandbox.platform.result_codes import PlatformError

APP = "SANDBOX1"
TOKEN = {
    "app_id": APP,
    "secret": "s" * 64,
    "grant_type": "client_credential",
    "version": "1.0.0",
}
TICKET = {"app_id": APP, "access_token": "t" * 64, "type": "SIGN", "version": "1.0.0"}
RESULT = {
    "app_id": APP,
    "order_no": "order1",
    "get_file": "1",
    "nonce": "n" * 32,
    "version": "1.0.0",
    "sign": "0" * 40,
}
Changes = dict[str, str | None]


def query(valid: dict[str, str], changes: Changes) -> str:
    merged: dict[str, str | None] = {**valid, **changes}
    return urlencode({name: text for name, text in merged.items() if text is not None})


def test_valid_calls_are_parsed() -> None:
    token = parse_token_call(query(TOKEN, {}), app_id=APP, profile=None)
    ticket = parse_ticket_call(query(TICKET, {}), app_id=APP, profile=None)
    result = parse_result_query(query(RESULT, {}), app_id=APP)

    assert token.secret == TOKEN["secret"]
    assert (ticket.access_token, ticket.type) == (TICKET["access_token"], "SIGN")
    assert (result.order_no, result.with_photos) == ("order1", True)
    without = parse_result_query(query(RESULT, {"get_file": "0"}), app_id=APP)
    assert not without.with_photos


PARSERS = {
    "token": partial(parse_token_call, app_id=APP, profile=None),
    "ticket": partial(parse_ticket_call, app_id=APP, profile=None),
    "result": partial(parse_result_query, app_id=APP),
}
VALID = {"token": TOKEN, "ticket": TICKET, "result": RESULT}


@pytest.mark.parametrize(
    ("call", "changes", "code"),
    [
        ("token", {"app_id": None}, "66660013"),
        ("token", {"app_id": "SANDBOX2"}, "66660001"),
        ("token", {"appId": APP}, "66660013"),
        ("token", {"secret": None}, "66660013"),
        ("token", {"grant_type": None}, "66660013"),
        ("token", {"grant_type": "password"}, "66660013"),
        ("token", {"version": None}, "66660013"),
        ("token", {"version": "2.0.0"}, "400502"),
        ("ticket", {"access_token": None}, "66660013"),
        ("ticket", {"type": None}, "66660013"),
        ("ticket", {"type": "sign"}, "66660013"),
        ("ticket", {"version": "1"}, "400502"),
        ("ticket", {"app_id": "another1"}, "66660001"),
        ("result", {"app_id": None}, "400101"),
        ("result", {"app_id": None, "appId": APP}, "400101"),
        ("result", {"app_id": "SANDBOX2"}, "66660001"),
        ("result", {"version": None}, "400101"),
        ("result", {"version": "1.0"}, "400502"),
        ("result", {"order_no": None}, "66660013"),
        ("result", {"order_no": ""}, "66660000"),
        ("result", {"order_no": "a" * 33}, "-1304"),
        ("result", {"order_no": "a-b"}, "66660000"),
        ("result", {"order_no": "a\n"}, "66660000"),
        ("result", {"order_no": "１２３"}, "66660000"),
        ("result", {"get_file": None}, "66660013"),
        ("result", {"get_file": "11"}, "66660013"),
        ("result", {"nonce": None}, "66660013"),
        ("result", {"nonce": "n" * 31}, "66660013"),
        ("result", {"nonce": "n" * 31 + "-"}, "66660013"),
        ("result", {"sign": None}, "66660013"),
    ],
)
def test_invalid_call_is_rejected_with_documented_code(
    call: str, changes: Changes, code: str
) -> None:
    with pytest.raises(PlatformError, match=f"^{code}$"):
        PARSERS[call](query(VALID[call], changes))


@pytest.mark.parametrize(
    "text",
    [
        query(RESULT, {}) + "&order_no=order1",
        query(RESULT, {}) + "&unknown=1&unknown=1",
        query(RESULT, {}) + "&x=%ff",
        "&".join(f"p{number}=1" for number in range(51)),
    ],
    ids=["same value twice", "unknown name twice", "not UTF-8", "51 parameters"],
)
def test_malformed_query_string_is_rejected(text: str) -> None:
    with pytest.raises(PlatformError, match=r"^66660013$"):
        parse_result_query(text, app_id=APP)


@pytest.mark.parametrize(
    ("profile", "name", "accepted"),
    [
        (None, "app_id", True),
        (None, "appId", True),
        ("miniprogram", "app_id", True),
        ("miniprogram", "appId", False),
        ("kyc1", "appId", True),
        ("kyc1", "app_id", False),
    ],
)
def test_profile_accepts_only_its_name_of_app_id(
    profile: Profile | None, name: str, *, accepted: bool
) -> None:
    changes: Changes = {"app_id": None, name: APP}
    rejection = pytest.raises(PlatformError, match=r"^66660013$")
    with nullcontext() if accepted else rejection:
        parse_token_call(query(TOKEN, changes), app_id=APP, profile=profile)
    with nullcontext() if accepted else rejection:
        parse_ticket_call(query(TICKET, changes), app_id=APP, profile=profile)


@given(st.text(max_size=200))
def test_arbitrary_text_is_rejected_with_a_code(text: str) -> None:
    with pytest.raises(PlatformError):
        parse_result_query(text, app_id=APP)
