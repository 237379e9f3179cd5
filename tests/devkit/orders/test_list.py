"""`kycourier list` finds orders; `reindex` those that an older release ended."""

import json
import re
import sqlite3
from contextlib import closing

import pytest

from kycourier_devkit.sandbox import Sandbox
from support.rigs.redis_rig import flush, raw_client

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]


@pytest.fixture
def call(kycourier):
    """Run a command against a sandbox in which three orders were collected."""
    with Sandbox() as sandbox:

        def run(*arguments, **environ):
            return kycourier(*arguments, KYCOURIER_KYC_URL=sandbox.url, **environ)

        run("collect", "good1", "code66660013x", "http503x")
        yield run


def listed(result):
    head, *lines = result.out.splitlines()
    assert head.split() == ["ORDER", "STATE", "WHY", "REGISTERED"]
    return {line.split()[0]: line.split()[1] for line in lines}


def test_all_orders_are_listed(call):
    result = call("list")

    assert (result.code, result.err) == (0, "")
    assert listed(result) == {
        "good1": "collected",
        "code66660013x": "parked",
        "http503x": "waiting",
    }
    assert all(len(line) <= 80 for line in result.out.splitlines())


@pytest.mark.parametrize(
    ("options", "numbers"),
    [
        (["--state", "parked"], ["code66660013x"]),
        (["--cause", "http_status"], ["http503x"]),
        (["--since", "1d", "--state", "collected"], ["good1"]),
        (["--document", "bank_card", "--state", "waiting"], ["http503x"]),
    ],
)
def test_options_choose_orders(call, options, numbers):
    assert list(listed(call("list", *options))) == numbers


def test_no_match_is_said_and_is_no_failure(call):
    assert call("list", "--until", "2020-01-01") == (0, "No orders match.\n", "")


def test_json_has_the_orders_of_the_api(call):
    result = call("list", "--json")
    orders = [json.loads(line) for line in result.out.splitlines()]

    assert (result.code, result.err, len(orders)) == (0, "", 3)
    for order in orders:
        shown = call("show", order["order_no"], "--json")
        assert json.loads(shown.out) == order


def test_limit_is_kept_and_said(call):
    result = call("list", "--limit", "2")

    assert len(listed(result)) == 2
    assert result.err == "The newest 2 are shown: --all, or --limit.\n"
    assert len(listed(call("list", "--all"))) == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--state", "Parked"], "--state: must be registered, "),
        (["--cause", "x"], "--cause: must be resolve_failed, "),
        (["--document", "passport"], "--document: must be bank_card"),
        (["--since", "soon"], "--since: "),
        (["--since", ""], "--since: "),
        (["--until", ""], "--until: "),
        (["--limit", "0"], "--limit: must be 1 or more"),
    ],
)
def test_wrong_option_is_named(call, options, message):
    result = call("list", *options)

    assert (result.code, result.out) == (2, "")
    assert result.err.removeprefix("kycourier: ").startswith(message)


def test_unreadable_row_is_said(call, tmp_path):
    with closing(sqlite3.connect(tmp_path / ".kycourier/state.db")) as file, file:
        file.execute("UPDATE orders SET record = '{' WHERE order_no = 'good1'")

    result = call("list")
    assert (result.code, len(listed(result))) == (1, 2)
    assert result.err == "1 could not be read: damaged, or of a newer release\n"


def test_reindex_of_a_file_has_nothing_to_do(call):
    assert call("reindex") == (0, "0 orders indexed.\n", "")


def test_reindex_lets_list_find_what_an_older_release_ended(call, redis_url):
    state = {"KYCOURIER_STATE": flush(redis_url)}
    call("collect", "good2", "good3", **state)
    client = raw_client(redis_url)
    for key in client.keys("*:found:*"):
        client.delete(key)
    for key in client.keys("*:order:*"):
        client.hdel(key, "found")
    assert call("list", **state).out == "No orders match.\n"

    again = call("reindex", **state)
    assert again == (0, "2 orders indexed.\n", "")
    assert listed(call("list", **state)) == {"good2": "collected", "good3": "collected"}
    assert re.match("0 orders", call("reindex", **state).out)
