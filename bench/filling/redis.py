"""A Redis filled through `redis-cli --pipe`, Redis's own way in for much at once."""

import shutil
import subprocess
from collections.abc import Iterable, Iterator

from bench.processes import BenchFailed
from kycourier.adapters import due_index
from kycourier.adapters.redis.keys import list_key, order_key
from kycourier.core.order_record import OrderRecord, encode_record
from kycourier_devkit.errors import ToolMissing

WRITER = b"w" * 32
_PIECES = 500


def fill_redis(port: int, database: int, records: Iterable[OrderRecord]) -> None:
    """Write rows and lists. Raises BenchFailed, ToolMissing."""
    program = shutil.which("redis-cli")
    if program is None:
        raise ToolMissing("redis-cli is not on this machine: install redis-tools")
    command = [program, "-p", str(port), "-n", str(database), "--pipe"]
    with subprocess.Popen(  # noqa: S603 - our own list
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as piped:
        told, _ = _feed(piped, records)
    if b"errors: 0," not in told:
        raise BenchFailed("Redis did not take all rows")


def _feed(
    piped: "subprocess.Popen[bytes]", records: Iterable[OrderRecord]
) -> tuple[bytes, bytes]:
    if piped.stdin is not None:
        held: list[bytes] = []
        for record in records:
            held += _spell(record)
            if len(held) > _PIECES:
                piped.stdin.write(b"".join(held))
                held = []
        piped.stdin.write(b"".join(held))
    return piped.communicate()


def _spell(record: OrderRecord) -> Iterator[bytes]:
    """Spell the commands that write one row, as the adapter's script leaves it."""
    name = due_index.list_of(record)
    entry = (due_index.build_entry(record) or "").encode()
    yield _pack(
        b"HSET",
        order_key(record.key).encode(),
        *(b"version", b"%d" % record.version, b"fence", b"%d" % record.fence),
        *(b"writer", WRITER, b"list", (name or "").encode(), b"entry", entry),
        *(b"record", encode_record(record)),
    )
    if name is not None:
        shard = due_index.shard_of(record.order_no)
        key = list_key(record.app_id, shard, name).encode()
        yield _pack(b"ZADD", key, b"0", entry)


def _pack(*parts: bytes) -> bytes:
    spelled = b"".join(b"$%d\r\n%b\r\n" % (len(part), part) for part in parts)
    return b"*%d\r\n%b" % (len(parts), spelled)
