"""Secrets as people store them: one reader for every setting and cloud."""

import json

import pytest

from kycourier.adapters.context import AdapterContext
from kycourier.adapters.registry import open_secret, open_ticket
from kycourier.core.errors import SettingError, StoreUnavailableError
from kycourier.core.redaction import Secret
from kycourier.settings.parsers import secret_reference
from kycourier.settings.resource_url import ResourceUrl, split_member
from kycourier.settings.secret_values import decode_secret, unwrap_secret
from support.fakes import FakeClock

VALUE = "s3cret value with = and {"


def context(environ):
    return AdapterContext(clock=FakeClock(), environ=environ)


def unwrap(text, member=None):
    return unwrap_secret(decode_secret(text), member=member).expose()


@pytest.mark.parametrize(
    "stored",
    [
        VALUE,
        f"{VALUE}\n",
        f"  {VALUE}\r\n\r\n",
        f"\ufeff{VALUE}",
        f"\ufeff{VALUE}\r\n".encode(),
        json.dumps({"app-secret": VALUE}),
        f" {json.dumps({'any': f'{VALUE} '})}\n",
    ],
)
def test_what_editors_and_consoles_add_is_dropped(stored):
    assert unwrap(stored) == VALUE


def test_member_chooses_one_of_several():
    stored = json.dumps({"id": "x", "secret": VALUE})
    assert unwrap(stored, "secret") == VALUE


@pytest.mark.parametrize("text", ["{not JSON", "}{", "{0}-random", "[1]"])
def test_text_that_is_no_json_object_is_the_secret_itself(text):
    assert unwrap(text) == text


@pytest.mark.parametrize(
    ("stored", "member", "reason"),
    [
        ("", None, "empty"),
        (" \r\n", None, "empty"),
        ('{"a": ""}', None, "empty"),
        (b"\xac\xed\x00\x05t", None, "not UTF-8"),
        ('{"a": "1", "b": "2"}', None, "choose one with ?key=member"),
        ("{}", None, "several members"),
        ('{"a": 5}', None, "no such text member"),
        ('{"a": "1"}', "b", "no such text member"),
        ('{"a": "1"', None, "not the JSON object"),
        ("plain", "b", "not the JSON object"),
    ],
)
def test_any_other_form_is_refused_without_its_value(stored, member, reason):
    with pytest.raises(StoreUnavailableError) as caught:
        unwrap(stored, member)
    assert reason in str(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        ("NAME", ("NAME", None)),
        ("NAME?key=a", ("NAME", "a")),
        ("name?region=r&key=a%2Fb", ("name?region=r", "a/b")),
        ("name?key=a&region=r", ("name?region=r", "a")),
        ("/path?x", ("/path?x", None)),
        ("name?key=a&key=b", ("name?key=a&key=b", None)),
    ],
)
def test_member_is_split_off_the_reference(rest, expected):
    assert split_member(rest) == expected


def test_setting_reads_the_member_through_every_step():
    environ = {"STORED": json.dumps({"one": "1", "two": VALUE})}
    url = secret_reference("env:STORED?key=two")
    source = open_secret("app_secret", url, context(environ))
    assert url == ResourceUrl("env", "STORED", "two")
    assert source.get() == Secret(VALUE)


def test_wrong_form_stops_the_start_with_the_setting_s_name():
    environ = {"STORED": '{"one": "canary1", "two": "canary2"}'}
    with pytest.raises(SettingError) as caught:
        open_secret("app_secret", secret_reference("env:STORED"), context(environ))
    assert caught.value.variable == "KYCOURIER_APP_SECRET"
    assert "canary" not in str(caught.value)


def test_kept_ticket_of_any_form_does_not_stop_the_start():
    source = open_ticket(secret_reference("env:ABSENT"), context({}))
    with pytest.raises(StoreUnavailableError):
        source.get()
