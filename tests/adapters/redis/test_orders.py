"""Indexes and contention of orders in a real Redis."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from kycourier.adapters.redis.client import RedisClient
from kycourier.adapters.redis.orders import _READ, RedisOrderStore
from kycourier.adapters.redis.urls import parse_redis_url
from kycourier.core.errors import StoreUnavailableError
from kycourier.core.orders.record import OrderState
from support.rigs.redis_rig import (
    flush,
    open_redis_client,
    open_redis_stores,
    raw_client,
    redis_context,
    split_url,
    stores_over,
)
from support.sample_records import EVENT, claim, draft
from support.servers.emulators import EMULATOR_MARKS

pytestmark = [*EMULATOR_MARKS]


def test_row_is_in_the_index_of_its_last_write_only(redis_url):
    orders = open_redis_stores(flush(redis_url)).orders
    row = claim(orders).record
    later = row.due_at + timedelta(days=1)
    changes = [
        ({"state": OrderState.COLLECTED, "events": (EVENT,)}, ["unsent"]),
        ({"due_at": later}, ["unsent"]),
        ({"events": ()}, ["due"]),
        ({"due_at": None}, []),
        ({"due_at": later, "state": OrderState.WAITING}, ["due"]),
    ]
    for change, lists in changes:
        after = replace(row, version=row.version + 1, **change)
        orders.commit(after, expected=row)
        row = after

        assert listed(redis_url) == lists


def listed(url: str) -> list[str]:
    """Return the index of each entry."""
    client = raw_client(url)
    return [
        name
        for name in ("due", "unsent")
        for key in client.keys(f"*:{name}")
        for _ in client.zrange(key, 0, -1)
    ]


class ContendedRedisClient(RedisClient):
    """A client on whose server another client writes after each read."""

    def run(self, script, *, keys=(), values=()):
        response = super().run(script, keys=keys, values=values)
        if script == _READ:
            self.call("HINCRBY", keys[0], "version", 1, key=keys[0])
        return response


def test_claim_gives_up_after_five_contended_reads(redis_url):
    stores_over(open_redis_client(flush(redis_url))).orders.register(draft())
    contested = ContendedRedisClient(
        parse_redis_url(split_url(redis_url)), redis_context(), load_password=None
    )
    [(row, _)] = hashes(redis_url).items()

    with pytest.raises(StoreUnavailableError, match="contended"):
        claim(RedisOrderStore(contested))

    assert hashes(redis_url)[row][b"version"] == b"6"
    assert RedisOrderStore(contested).get(draft().key) == draft()


def hashes(url: str) -> dict[bytes, dict[bytes, bytes]]:
    client = raw_client(url)
    return {key: client.hgetall(key) for key in client.keys("*:order:*")}
