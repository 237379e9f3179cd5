"""Which Redis servers the state accepts, and how unsuitable ones are rejected."""

import pytest

from kycourier.adapters.registry import open_secret, open_stores
from kycourier.core.errors import SettingError, StoreUnavailableError
from kycourier.core.orders import state_machine as rules
from kycourier_devkit.emulators.servers import find_free_port, start_redis_node
from support.fakes import FakeClock
from support.rigs.redis_rig import dump_redis, raw_client, redis_context, split_url
from support.sample_records import call_every_store_verb, claim, draft
from support.servers.emulators import EMULATOR_MARKS
from support.servers.faulty_proxy import open_faulty_proxy

pytestmark = [*EMULATOR_MARKS]
WORD = "canary-of-a-password"


@pytest.fixture
def node(tmp_path):
    """Return the port of the test's own Redis."""
    port = find_free_port()
    with start_redis_node(tmp_path, port=port):
        yield port


def url_of(port: int, login: str = "") -> str:
    return f"redis://{login}127.0.0.1:{port}"


def open_at(url: str, **environ: str):
    return open_stores(split_url(url), redis_context(FakeClock(), environ))


def refusal(url: str, **environ: str) -> str:
    with pytest.raises(SettingError) as refused:
        open_at(url, **environ)
    assert refused.value.variable == "KYCOURIER_STATE"
    assert WORD not in str(refused.value)
    assert refused.value.__context__ is None
    return refused.value.why


def test_standalone_redis_is_accepted(node):
    call_every_store_verb(open_at(url_of(node)))


@pytest.mark.parametrize("policy", ["allkeys-lru", "allkeys-random"])
def test_evicting_server_is_rejected(node, policy):
    client = raw_client(url_of(node))
    client.config_set("maxmemory-policy", policy)
    client.config_set("maxmemory", "100mb")

    assert "maxmemory-policy noeviction" in refusal(url_of(node))


@pytest.mark.parametrize(
    ("policy", "limit"),
    [("allkeys-lru", "0"), ("volatile-lru", "100mb"), ("noeviction", "100mb")],
)
def test_server_that_evicts_no_state_key_is_accepted(node, policy, limit):
    client = raw_client(url_of(node))
    client.config_set("maxmemory-policy", policy)
    client.config_set("maxmemory", limit)

    assert open_at(url_of(node)).orders.get(draft().key) is None


def test_replica_is_rejected(node):
    raw_client(url_of(node)).execute_command("REPLICAOF", "127.0.0.1", "1")

    assert "replica" in refusal(url_of(node))


def test_old_release_is_rejected(node):
    with open_faulty_proxy(node) as proxy:
        proxy.replacements = {b"redis_version:7.": b"redis_version:5."}

        assert "older than Redis 6.2" in refusal(url_of(proxy.port))


def test_denied_info_command_is_accepted(node):
    client = raw_client(url_of(node))
    client.execute_command("ACL", "SETUSER", "default", "-info")

    assert open_at(url_of(node)).orders.get(draft().key) is None


def test_demoted_primary_rejects_writes_until_promoted(node):
    client, state = raw_client(url_of(node)), open_at(url_of(node))
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
    with open_faulty_proxy(node) as proxy:
        proxy.replacements = {b"-READONLY": error}
        state = open_at(url_of(proxy.port))
        raw_client(url_of(node)).execute_command("REPLICAOF", "127.0.0.1", "1")
        with pytest.raises(StoreUnavailableError):
            claim(state.orders)
        connections = proxy.connections

        state.orders.get(draft().key)

        assert proxy.connections == connections + 1


def test_full_server_rejects_writes_whole(node):
    client, state = raw_client(url_of(node)), open_at(url_of(node))
    claimed = claim(state.orders).record
    due = rules.make_due(claimed, now=claimed.due_at)
    content = dump_redis(url_of(node))
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
    assert dump_redis(url_of(node)) == content
    assert state.orders.get(claimed.key) == claimed


@pytest.mark.parametrize("login", ["", f":{WORD}@", f"default:{WORD}@", f"u:{WORD}@"])
def test_wrong_or_missing_password_stops_the_start(node, login):
    raw_client(url_of(node)).config_set("requirepass", "another")

    assert refusal(url_of(node, login)) == "cannot be used: denied"


def test_right_password_opens(node):
    raw_client(url_of(node)).config_set("requirepass", f"{WORD}#@")

    call_every_store_verb(open_at(url_of(node, f":{WORD}%23%40@")))


def test_referenced_password_is_read_again_after_denial(node):
    client, environ = raw_client(url_of(node)), {"WORD": WORD}
    client.config_set("requirepass", WORD)
    url = url_of(node) + "?password=env:WORD"
    state = open_stores(split_url(url), redis_context(FakeClock(), environ))
    client.config_set("requirepass", "another")
    client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    with pytest.raises(StoreUnavailableError, match="denied"):
        state.orders.now()

    environ["WORD"] = "another"

    assert state.orders.get(draft().key) is None


def test_missing_referenced_password_stops_the_start(node):
    url = url_of(node) + "?password=env:WORD"

    assert refusal(url) == "cannot be used: secret is missing or empty"


def test_foreign_ticket_is_read_from_an_unsuitable_server(node):
    client = raw_client(url_of(node))
    client.set("theirs", "synthetic-ticket")
    client.config_set("maxmemory-policy", "allkeys-lru")
    client.config_set("maxmemory", "1gb")
    client.execute_command("REPLICAOF", "127.0.0.1", "1")

    source = open_secret("ticket", split_url(url_of(node) + "#theirs"), redis_context())

    assert source.get().expose() == "synthetic-ticket"


def test_secret_that_is_not_text_is_rejected(node):
    client = raw_client(url_of(node))
    client.set("bytes", b"\xff")
    client.hset("hash", "a", "b")

    for key in ("bytes", "hash", "absent"):
        with pytest.raises(SettingError) as refused:
            open_secret("ticket", split_url(f"{url_of(node)}#{key}"), redis_context())
        assert refused.value.variable == "KYCOURIER_TICKET"
        assert refused.value.__context__ is None
