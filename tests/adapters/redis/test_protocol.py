"""Redis replies that are malformed, long, late or surplus."""

import time

import pytest

from kycourier.core.timing import REDIS_READ_SECONDS
from kycourier_devkit.emulators.servers import find_free_port, start_redis_node
from support.rigs.redis_rig import (
    open_redis_client,
    raw_client,
)
from support.servers.emulators import EMULATOR_MARKS

pytestmark = [*EMULATOR_MARKS]
NULL = b"$-1\r\n"  # GET's reply for a missing key


@pytest.fixture
def read_failure_of(failure_of):
    return lambda client: failure_of(lambda: client.call("GET", "absent", key="absent"))


def through(proxy, path: str = "", *, login: str = "", **options):
    return open_redis_client(f"redis://{login}127.0.0.1:{proxy.port}{path}", **options)


@pytest.mark.parametrize(
    "reply", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"%1\r\n*1\r\n:1\r\n:1\r\n"]
)
def test_foreign_reply_discards_the_connection(proxy, reply, read_failure_of):
    proxy.replacements = {NULL: reply}
    client = through(proxy)
    assert read_failure_of(client) == "unreadable response"
    proxy.replacements = {}

    assert client.call("GET", "absent", key="absent") is None
    assert proxy.connections == 2


def test_full_client_limit_is_retried(proxy, read_failure_of):
    proxy.replacements = {NULL: b"-ERR max number of clients reached\r\n"}

    assert read_failure_of(through(proxy)) == "unreachable"
    assert proxy.connections == 3


def test_surplus_reply_discards_the_connection(proxy):
    proxy.replacements = {NULL: NULL + b"$6\r\nsecond\r\n"}
    client = through(proxy)
    for number in range(1, 4):
        assert client.call("GET", "absent", key="absent") is None
        assert proxy.connections == number


@pytest.mark.parametrize("reply", [b"+OK\r\n$6\r\nsecond\r\n", b"*0\r\n", b"+NO\r\n"])
def test_unexpected_login_reply_is_unreadable(proxy, reply, read_failure_of):
    proxy.replacements = {b"-ERR SELECT is not allowed in cluster mode\r\n": reply}

    assert read_failure_of(through(proxy, "/1")) == "unreadable response"


def test_unfinished_reply_times_out(proxy, read_failure_of):
    proxy.replacements = {NULL: b"$100\r\nbegun"}
    begun = time.monotonic()
    client = through(proxy, seconds_left=lambda: 2.9)

    assert read_failure_of(client) == "timeout"
    assert time.monotonic() - begun < REDIS_READ_SECONDS + 1
    assert proxy.connections == 1


def test_long_reply_is_read_whole(proxy, redis_url):
    value = bytes(range(256)) * 4096
    raw_client(redis_url).set("long", value)

    assert through(proxy).call("GET", "long", key="long") == value


@pytest.mark.parametrize(
    ("path", "login", "reason"),
    [("/99", "", "ERR"), ("", ":synthetic@", "denied")],
    ids=["unknown database", "password for a server without one"],
)
def test_refused_login_fails_the_call(proxy, read_failure_of, path, login, reason):
    assert read_failure_of(through(proxy, path, login=login)) == reason


def test_databases_are_separate(tmp_path):
    port = find_free_port()
    with start_redis_node(tmp_path, "--databases", "2", port=port):
        raw_client(f"redis://127.0.0.1:{port}/1").set("key", "of the second")
        first, second = (
            open_redis_client(f"redis://127.0.0.1:{port}/{db}") for db in (0, 1)
        )

        assert first.call("GET", "key", key="key") is None
        assert second.call("GET", "key", key="key") == b"of the second"
