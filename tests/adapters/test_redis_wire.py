"""Answers of Redis that are odd, long, late or too many."""

import time

import pytest

from cutting_proxy import cutting_proxy
from fakes import FakeClock
from kycourier.adapters.redis.server import READ_SECONDS
from kycourier.core.errors import StoreUnavailable
from kycourier_devkit.stand_ins.servers import find_free_port, start_redis_node
from redis_bench import around, empty, look_into, open_server, port_of
from stand_ins import IN_CLOUD

pytestmark = [*IN_CLOUD]
NULL = b"$-1\r\n"  # the answer of GET for a key that is not there


@pytest.fixture
def proxy(redis_url):
    with cutting_proxy(port_of(empty(redis_url))) as proxy:
        yield proxy


def through(proxy):
    return open_server(f"redis://127.0.0.1:{proxy.port}", around(FakeClock()))


def refusal_of(server) -> str:
    with pytest.raises(StoreUnavailable) as failure:
        server.call("GET", "absent", key="absent")
    assert failure.value.__context__ is None
    return failure.value.reason


@pytest.mark.parametrize(
    "said", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"%1\r\n*1\r\n:1\r\n:1\r\n"]
)
def test_what_is_no_answer_is_unreadable_and_its_connection_is_used_no_more(
    proxy, said
):
    proxy.change = {NULL: said}
    server = through(proxy)
    assert refusal_of(server) == "unreadable answer"
    proxy.change = {}

    assert server.call("GET", "absent", key="absent") is None
    assert proxy.connections == 2


def test_a_server_that_has_no_room_is_asked_again(proxy):
    proxy.change = {NULL: b"-ERR max number of clients reached\r\n"}

    assert refusal_of(through(proxy)) == "unreachable"
    assert proxy.connections == 3


def test_a_connection_that_said_too_much_is_used_no_more(proxy):
    proxy.change = {NULL: NULL + b"$6\r\nsecond\r\n"}
    server = through(proxy)
    for number in range(1, 4):
        assert server.call("GET", "absent", key="absent") is None
        assert proxy.connections == number


@pytest.mark.parametrize("said", [b"+OK\r\n$6\r\nsecond\r\n", b"*0\r\n", b"+NO\r\n"])
def test_a_connection_that_begins_with_another_word_than_ok_answers_nothing(
    proxy, said
):
    proxy.change = {b"-ERR SELECT is not allowed in cluster mode\r\n": said}
    server = open_server(f"redis://127.0.0.1:{proxy.port}/1", around(FakeClock()))

    assert refusal_of(server) == "unreadable answer"


def test_an_answer_that_does_not_end_is_given_up_in_time(proxy):
    proxy.change = {NULL: b"$100\r\nbegun"}
    begun = time.monotonic()
    server = open_server(
        f"redis://127.0.0.1:{proxy.port}",
        around(FakeClock(), seconds_left=lambda: 2.9),
    )

    assert refusal_of(server) == "timeout"
    assert time.monotonic() - begun < READ_SECONDS + 1
    assert proxy.connections == 1


def test_a_long_answer_comes_whole(proxy, redis_url):
    value = bytes(range(256)) * 4096
    look_into(redis_url).set("long", value)

    assert through(proxy).call("GET", "long", key="long") == value


def test_a_database_that_is_not_there_is_refused(proxy):
    server = open_server(f"redis://127.0.0.1:{proxy.port}/99", around(FakeClock()))

    assert refusal_of(server) == "ERR"


def test_a_password_where_none_is_set_is_refused(proxy):
    url = f"redis://:synthetic@127.0.0.1:{proxy.port}"
    server = open_server(url, around(FakeClock()))

    assert refusal_of(server) == "denied"


def test_databases_are_kept_apart(tmp_path):
    port = find_free_port()
    with start_redis_node(tmp_path, "--databases", "2", port=port):
        look_into(f"redis://127.0.0.1:{port}/1").set("key", "of the second")
        first, second = (
            open_server(f"redis://127.0.0.1:{port}/{db}", around(FakeClock()))
            for db in (0, 1)
        )

        assert first.call("GET", "key", key="key") is None
        assert second.call("GET", "key", key="key") == b"of the second"
