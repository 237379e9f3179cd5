"""Many orders, and many workers on one, in a real Redis."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from fakes import START
from kycourier.adapters.places import open_state
from kycourier.adapters.redis.address import parse_address
from kycourier.adapters.redis.orders import _READ, RedisOrderStore
from kycourier.adapters.redis.server import RedisServer
from kycourier.core.errors import StoreUnavailable
from kycourier.core.order_record import State
from records import APP, EVENT, claim, draft
from redis_bench import around, empty, look_into, open_server, place_of, stores_of
from stand_ins import IN_CLOUD

pytestmark = [*IN_CLOUD]
MANY = 1000
PAGE = 100


def test_a_thousand_due_orders_come_in_pages_the_longest_due_first(redis_url):
    orders = open_state(place_of(empty(redis_url)), around()).orders
    for number in range(MANY):
        due_at = START + timedelta(seconds=MANY - number)
        orders.register(draft(f"n{number:04}", due_at=due_at))

    found, after = [], None
    for _ in range(MANY // PAGE):
        page = orders.due(APP, limit=PAGE, after=after)
        found += [record.order_no for record in page.records]
        after = page.next

    assert after is None
    assert found == [f"n{number:04}" for number in reversed(range(MANY))]


def test_row_stands_in_the_list_of_its_last_write_alone(redis_url):
    orders = open_state(place_of(empty(redis_url)), around()).orders
    row = claim(orders).record
    later = row.due_at + timedelta(days=1)
    changes = [
        ({"state": State.COLLECTED, "events": (EVENT,)}, ["unsent"]),
        ({"due_at": later}, ["unsent"]),
        ({"events": ()}, ["due"]),
        ({"due_at": None}, []),
        ({"due_at": later, "state": State.WAITING}, ["due"]),
    ]
    for change, lists in changes:
        after = replace(row, version=row.version + 1, **change)
        orders.commit(after, expected=row)
        row = after

        assert listed(redis_url) == lists


def listed(url: str) -> list[str]:
    """Name the list of each entry there is."""
    client = look_into(url)
    return [
        name
        for name in ("due", "unsent")
        for key in client.keys(f"*:{name}")
        for _ in client.zrange(key, 0, -1)
    ]


class Contested(RedisServer):
    """A server where another writes each time between a read and the write after it."""

    def run(self, script, *, keys=(), values=()):
        answer = super().run(script, keys=keys, values=values)
        if script == _READ:
            self.call("HINCRBY", keys[0], "version", 1, key=keys[0])
        return answer


def test_row_that_changes_each_time_it_is_read_is_given_up_after_five(redis_url):
    stores_of(open_server(empty(redis_url), around())).orders.register(draft())
    contested = Contested(
        parse_address(place_of(redis_url)), around(), load_password=None
    )
    [(row, _)] = hashes(redis_url).items()

    with pytest.raises(StoreUnavailable, match="contended"):
        claim(RedisOrderStore(contested))

    assert hashes(redis_url)[row][b"version"] == b"6"
    assert RedisOrderStore(contested).load(draft().key) == draft()


def hashes(url: str) -> dict[bytes, dict[bytes, bytes]]:
    client = look_into(url)
    return {key: client.hgetall(key) for key in client.keys("*:order:*")}
