"""Fills a Redis through `redis-cli --pipe`, its protocol for mass insertion."""

import shutil
import subprocess
from collections.abc import Iterable, Iterator

from bench.errors import BenchError
from kycourier.adapters.redis.keys import found_key, list_key, order_key
from kycourier.adapters.stores import due_index, found_index
from kycourier.core.orders.record import OrderRecord, encode_record
from kycourier_devkit.errors import ToolUnavailableError

WRITER = b"w" * 32
_BUFFERED_COMMANDS = 500


def fill_redis(port: int, database: int, records: Iterable[OrderRecord]) -> None:
    """Writes rows and lists. Raises BenchError, ToolUnavailableError."""
    program = shutil.which("redis-cli")
    if program is None:
        raise ToolUnavailableError(
            "redis-cli is not on this machine: install redis-tools"
        )
    command = [program, "-p", str(port), "-n", str(database), "--pipe"]
    with subprocess.Popen(  # noqa: S603 - our own command
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as piped:
        output, _ = _feed(piped, records)
    if b"errors: 0," not in output:
        raise BenchError("Redis did not accept all rows")


def _feed(
    piped: "subprocess.Popen[bytes]", records: Iterable[OrderRecord]
) -> tuple[bytes, bytes]:
    if piped.stdin is not None:
        buffer: list[bytes] = []
        for record in records:
            buffer += _encode(record)
            if len(buffer) > _BUFFERED_COMMANDS:
                piped.stdin.write(b"".join(buffer))
                buffer = []
        piped.stdin.write(b"".join(buffer))
    return piped.communicate()


def _encode(record: OrderRecord) -> Iterator[bytes]:
    """Yields the commands that write one row as the adapter's script does."""
    name, state = due_index.list_of(record), found_index.list_of(record)
    entry = (due_index.build_entry(record) or "").encode()
    yield _pack(
        b"HSET",
        order_key(record.key).encode(),
        *(b"version", b"%d" % record.version, b"fence", b"%d" % record.fence),
        *(b"writer", WRITER, b"list", (name or "").encode(), b"entry", entry),
        *(b"record", encode_record(record)),
        *(b"found", b"%d" % (found_index.LISTS.index(state) + 1)),
    )
    shard = due_index.shard_of(record.order_no)
    found = found_key(record.app_id, shard, state).encode()
    yield _pack(b"ZADD", found, b"0", found_index.build_entry(record).encode())
    if name is not None:
        key = list_key(record.app_id, shard, name).encode()
        yield _pack(b"ZADD", key, b"0", entry)


def _pack(*parts: bytes) -> bytes:
    encoded = b"".join(b"$%d\r\n%b\r\n" % (len(part), part) for part in parts)
    return b"*%d\r\n%b" % (len(parts), encoded)
