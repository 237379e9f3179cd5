"""Which Redis servers the state accepts, and how unsuitable ones are rejected."""

import pytest

from kycourier.adapters.registry import open_secret
from kycourier.core.errors import SettingError, StoreUnavailableError
from kycourier.core.orders import state_machine as rules
from support.rigs.redis_rig import (
    dump_redis,
    open_redis_stores,
    port_of,
    raw_client,
    redis_context,
    split_url,
)
from support.sample_records import call_every_store_verb, claim, draft
from support.servers.emulators import EMULATOR_MARKS
from support.servers.faulty_proxy import open_faulty_proxy

pytestmark = [*EMULATOR_MARKS]
WORD = "canary-of-a-password"
EVICTION = "maxmemory-policy noeviction"


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("CONFIG SET maxmemory 100mb maxmemory-policy allkeys-lru", EVICTION),
        ("CONFIG SET maxmemory 100mb maxmemory-policy allkeys-random", EVICTION),
        ("REPLICAOF 127.0.0.1 1", "replica"),
    ],
)
def test_unsuitable_server_is_rejected(node, start_failure_of, command, why):
    raw_client(node).execute_command(*command.split())

    assert why in start_failure_of(node)


@pytest.mark.parametrize(
    "command",
    [
        "CONFIG SET maxmemory 0 maxmemory-policy allkeys-lru",
        "CONFIG SET maxmemory 100mb maxmemory-policy volatile-lru",
        "CONFIG SET maxmemory 100mb maxmemory-policy noeviction",
        "ACL SETUSER default -info",
    ],
)
def test_server_that_evicts_no_state_key_or_denies_info_is_accepted(node, command):
    raw_client(node).execute_command(*command.split())

    call_every_store_verb(open_redis_stores(node))


def test_old_release_is_rejected(node, start_failure_of):
    with open_faulty_proxy(port_of(node)) as proxy:
        proxy.replacements = {b"redis_version:7.": b"redis_version:5."}

        assert "older than Redis 6.2" in start_failure_of(
            f"redis://127.0.0.1:{proxy.port}"
        )


def test_demoted_primary_rejects_writes_until_promoted(node):
    client, state = raw_client(node), open_redis_stores(node)
    claimed = claim(state.orders).record
    due = rules.make_due(claimed, now=claimed.due_at)
    client.execute_command("REPLICAOF", "127.0.0.1", "1")

    with pytest.raises(StoreUnavailableError) as failure:
        state.orders.commit(due, expected=claimed)

    assert failure.value.reason == "read only"
    client.execute_command("REPLICAOF", "NO", "ONE")
    state.orders.commit(due, expected=claimed)
    assert state.orders.get(due.key) == due


@pytest.mark.parametrize(
    "error", [b"-READONLY", b"-ERR Error running script: -READONLY"]
)
def test_connection_to_a_demoted_primary_is_discarded(node, error):
    """Its host name may resolve to the new primary. Redis 6 gives no error code."""
    with open_faulty_proxy(port_of(node)) as proxy:
        proxy.replacements = {b"-READONLY": error}
        state = open_redis_stores(f"redis://127.0.0.1:{proxy.port}")
        raw_client(node).execute_command("REPLICAOF", "127.0.0.1", "1")
        with pytest.raises(StoreUnavailableError):
            claim(state.orders)
        connections = proxy.connections

        state.orders.get(draft().key)

        assert proxy.connections == connections + 1


def test_full_server_rejects_writes_whole(node):
    client, state = raw_client(node), open_redis_stores(node)
    claimed = claim(state.orders).record
    due = rules.make_due(claimed, now=claimed.due_at)
    content = dump_redis(node)
    client.config_set("maxmemory", "1")

    for write in (
        lambda: claim(state.orders, "order2"),
        lambda: state.orders.commit(due, expected=claimed),
        lambda: state.orders.record_poison("A", source="queue", problem="p"),
        lambda: state.leases.acquire("trial/A", owner="one", seconds=5),
    ):
        with pytest.raises(StoreUnavailableError, match="out of memory") as failure:
            write()
        assert failure.value.__context__ is None
    assert dump_redis(node) == content
    assert state.orders.get(claimed.key) == claimed


def with_login(node: str, login: str) -> str:
    return node.replace("redis://", f"redis://{login}")


@pytest.mark.parametrize("login", ["", f":{WORD}@", f"default:{WORD}@", f"u:{WORD}@"])
def test_wrong_or_missing_password_stops_the_start(node, start_failure_of, login):
    raw_client(node).config_set("requirepass", "another")

    assert start_failure_of(with_login(node, login)) == "denied"


def test_right_password_opens(node):
    raw_client(node).config_set("requirepass", f"{WORD}#@")

    call_every_store_verb(open_redis_stores(with_login(node, f":{WORD}%23%40@")))


def test_referenced_password_is_read_again_after_denial(node):
    client, environ = raw_client(node), {"WORD": WORD}
    client.config_set("requirepass", WORD)
    state = open_redis_stores(f"{node}?password=env:WORD", environ=environ)
    client.config_set("requirepass", "another")
    client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    with pytest.raises(StoreUnavailableError, match="denied"):
        state.orders.now()

    environ["WORD"] = "another"

    assert state.orders.get(draft().key) is None


def test_missing_referenced_password_stops_the_start(node, start_failure_of):
    url = f"{node}?password=env:WORD"

    assert start_failure_of(url) == "secret is missing or empty"


def test_foreign_ticket_is_read_from_an_unsuitable_server(node):
    client = raw_client(node)
    client.set("theirs", "synthetic-ticket")
    client.config_set("maxmemory-policy", "allkeys-lru")
    client.config_set("maxmemory", "1gb")
    client.execute_command("REPLICAOF", "127.0.0.1", "1")

    source = open_secret("ticket", split_url(f"{node}#theirs"), redis_context())

    assert source.get().expose() == "synthetic-ticket"


def test_secret_that_is_not_text_is_rejected(node):
    client = raw_client(node)
    client.set("bytes", b"\xff")
    client.hset("hash", "a", "b")

    for key in ("bytes", "hash", "absent"):
        with pytest.raises(SettingError) as refused:
            open_secret("ticket", split_url(f"{node}#{key}"), redis_context())
        assert refused.value.variable == "KYCOURIER_TICKET"
        assert refused.value.__context__ is None
