"""Redis replies that are malformed, long, late or surplus."""

import time

import pytest

from kycourier.core.errors import StoreUnavailableError
from kycourier.core.timing import REDIS_READ_SECONDS
from kycourier_devkit.emulators.servers import find_free_port, start_redis_node
from support.fakes import FakeClock
from support.rigs.redis_rig import (
    flush,
    open_server,
    port_of,
    raw_client,
    redis_context,
)
from support.servers.emulators import EMULATOR_MARKS
from support.servers.faulty_proxy import open_faulty_proxy

pytestmark = [*EMULATOR_MARKS]
NULL = b"$-1\r\n"  # GET's reply for a missing key


@pytest.fixture
def proxy(redis_url):
    with open_faulty_proxy(port_of(flush(redis_url))) as proxy:
        yield proxy


def through(proxy):
    return open_server(f"redis://127.0.0.1:{proxy.port}", redis_context(FakeClock()))


def refusal_of(client) -> str:
    with pytest.raises(StoreUnavailableError) as failure:
        client.call("GET", "absent", key="absent")
    assert failure.value.__context__ is None
    return failure.value.reason


@pytest.mark.parametrize(
    "reply", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"%1\r\n*1\r\n:1\r\n:1\r\n"]
)
def test_foreign_reply_discards_the_connection(proxy, reply):
    proxy.replacements = {NULL: reply}
    client = through(proxy)
    assert refusal_of(client) == "unreadable response"
    proxy.replacements = {}

    assert client.call("GET", "absent", key="absent") is None
    assert proxy.connections == 2


def test_full_client_limit_is_retried(proxy):
    proxy.replacements = {NULL: b"-ERR max number of clients reached\r\n"}

    assert refusal_of(through(proxy)) == "unreachable"
    assert proxy.connections == 3


def test_surplus_reply_discards_the_connection(proxy):
    proxy.replacements = {NULL: NULL + b"$6\r\nsecond\r\n"}
    client = through(proxy)
    for number in range(1, 4):
        assert client.call("GET", "absent", key="absent") is None
        assert proxy.connections == number


@pytest.mark.parametrize("reply", [b"+OK\r\n$6\r\nsecond\r\n", b"*0\r\n", b"+NO\r\n"])
def test_unexpected_login_reply_is_unreadable(proxy, reply):
    proxy.replacements = {b"-ERR SELECT is not allowed in cluster mode\r\n": reply}
    client = open_server(
        f"redis://127.0.0.1:{proxy.port}/1", redis_context(FakeClock())
    )

    assert refusal_of(client) == "unreadable response"


def test_unfinished_reply_times_out(proxy):
    proxy.replacements = {NULL: b"$100\r\nbegun"}
    begun = time.monotonic()
    client = open_server(
        f"redis://127.0.0.1:{proxy.port}",
        redis_context(FakeClock(), seconds_left=lambda: 2.9),
    )

    assert refusal_of(client) == "timeout"
    assert time.monotonic() - begun < REDIS_READ_SECONDS + 1
    assert proxy.connections == 1


def test_long_reply_is_read_whole(proxy, redis_url):
    value = bytes(range(256)) * 4096
    raw_client(redis_url).set("long", value)

    assert through(proxy).call("GET", "long", key="long") == value


def test_unknown_database_is_rejected(proxy):
    client = open_server(
        f"redis://127.0.0.1:{proxy.port}/99", redis_context(FakeClock())
    )

    assert refusal_of(client) == "ERR"


def test_password_for_a_server_without_one_is_denied(proxy):
    url = f"redis://:synthetic@127.0.0.1:{proxy.port}"
    client = open_server(url, redis_context(FakeClock()))

    assert refusal_of(client) == "denied"


def test_databases_are_separate(tmp_path):
    port = find_free_port()
    with start_redis_node(tmp_path, "--databases", "2", port=port):
        raw_client(f"redis://127.0.0.1:{port}/1").set("key", "of the second")
        first, second = (
            open_server(f"redis://127.0.0.1:{port}/{db}", redis_context(FakeClock()))
            for db in (0, 1)
        )

        assert first.call("GET", "key", key="key") is None
        assert second.call("GET", "key", key="key") == b"of the second"
