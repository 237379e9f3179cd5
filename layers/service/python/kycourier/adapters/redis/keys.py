"""Builds Redis keys; the keys of one script share a hash tag, so one cluster slot.

An app's tickets, leases, breaker and poison counts share one tag; its orders are
spread over shards.
"""

from binascii import crc_hqx

from kycourier.adapters.stores import found_index
from kycourier.adapters.stores.due_index import DUE, UNSENT, shard_of
from kycourier.core.orders.record import OrderKey

SLOTS = 16384


def app_key(app_id: str, kind: str) -> str:
    """Returns the key of an app's record of this kind."""
    return f"{{kycourier:{app_id}}}:{kind}"


def lease_key(name: str) -> str:
    """Returns a lease's key; the app is what follows the last slash of its name."""
    return app_key(name.rpartition("/")[2], f"lease:{name}")


def order_key(order: OrderKey) -> str:
    """Returns the key of an order's row."""
    return _shard_key(order.app_id, shard_of(order.order_no), f"order:{order.order_no}")


def list_key(app_id: str, shard: int, name: str) -> str:
    """Returns the key of a shard's part of the list `due` or `unsent`."""
    return _shard_key(app_id, shard, name)


def found_key(app_id: str, shard: int, name: str) -> str:
    """Returns the key of a shard's part of a list of found orders."""
    return _shard_key(app_id, shard, f"found:{name}")


def row_keys(order: OrderKey) -> tuple[str, ...]:
    """Returns the keys of a row and of its possible lists: `due`, `unsent`, found."""
    app_id, shard = order.app_id, shard_of(order.order_no)
    return (
        order_key(order),
        list_key(app_id, shard, DUE),
        list_key(app_id, shard, UNSENT),
        *(found_key(app_id, shard, name) for name in found_index.LISTS),
    )


def _shard_key(app_id: str, shard: int, kind: str) -> str:
    return f"{{kycourier:{app_id}:{shard}}}:{kind}"


def find_slot(key: str) -> int:
    """Returns a key's cluster slot, from its `{tag}` if that is not empty."""
    name = key.encode()
    _, _, rest = name.partition(b"{")
    tag, end, _ = rest.partition(b"}")
    return crc_hqx(tag if tag and end else name, 0) % SLOTS
