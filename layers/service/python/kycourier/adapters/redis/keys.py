"""How keys are named: what one script touches has one tag, so one slot of a cluster.

An app's tickets, leases, brake and poison lie together; its orders in shards.
"""

from kycourier.adapters.due_index import DUE, UNSENT, shard_of
from kycourier.core.models import OrderKey


def app_key(app_id: str, kind: str) -> str:
    """Name what an app has one of, or several by `kind`."""
    return f"{{kycourier:{app_id}}}:{kind}"


def lease_key(name: str) -> str:
    """Name a lease's key; what follows the last slash of its name is the app."""
    return app_key(name.rpartition("/")[2], f"lease:{name}")


def order_key(order: OrderKey) -> str:
    """Name an order's row."""
    return _shard_key(order.app_id, shard_of(order.order_no), f"order:{order.order_no}")


def list_key(app_id: str, shard: int, name: str) -> str:
    """Name a shard's part of the list `due` or `unsent`."""
    return _shard_key(app_id, shard, name)


def row_keys(order: OrderKey) -> tuple[str, str, str]:
    """Name a row and the lists that it may stand in: `due`, `unsent`."""
    app_id, shard = order.app_id, shard_of(order.order_no)
    return (
        order_key(order),
        list_key(app_id, shard, DUE),
        list_key(app_id, shard, UNSENT),
    )


def _shard_key(app_id: str, shard: int, kind: str) -> str:
    return f"{{kycourier:{app_id}:{shard}}}:{kind}"
