"""Which Redis may keep the state, and what a wrong one is told at the start."""

import pytest

from cutting_proxy import cutting_proxy
from fakes import FakeClock
from kycourier.adapters.places import open_secret, open_state
from kycourier.core import order as rules
from kycourier.core.errors import SettingError, StoreUnavailable
from kycourier_devkit.stand_ins.servers import find_free_port, start_redis_node
from records import claim, draft, use_everything
from redis_bench import around, dump, look_into, place_of
from stand_ins import IN_CLOUD

pytestmark = [*IN_CLOUD]
WORD = "canary-of-a-password"


@pytest.fixture
def node(tmp_path):
    """Give the port of a Redis of this test's own."""
    port = find_free_port()
    with start_redis_node(tmp_path, port=port):
        yield port


def url_of(port: int, login: str = "") -> str:
    return f"redis://{login}127.0.0.1:{port}"


def open_at(url: str, **environ: str):
    return open_state(place_of(url), around(FakeClock(), environ))


def refusal(url: str, **environ: str) -> str:
    with pytest.raises(SettingError) as refused:
        open_at(url, **environ)
    assert refused.value.variable == "KYCOURIER_STATE"
    assert WORD not in str(refused.value)
    assert refused.value.__context__ is None
    return refused.value.why


def test_plain_redis_keeps_the_state(node):
    use_everything(open_at(url_of(node)))


@pytest.mark.parametrize("policy", ["allkeys-lru", "allkeys-random"])
def test_server_that_evicts_any_key_is_refused(node, policy):
    client = look_into(url_of(node))
    client.config_set("maxmemory-policy", policy)
    client.config_set("maxmemory", "100mb")

    assert "maxmemory-policy noeviction" in refusal(url_of(node))


@pytest.mark.parametrize(
    ("policy", "most"),
    [("allkeys-lru", "0"), ("volatile-lru", "100mb"), ("noeviction", "100mb")],
)
def test_server_that_evicts_no_key_of_the_state_is_taken(node, policy, most):
    client = look_into(url_of(node))
    client.config_set("maxmemory-policy", policy)
    client.config_set("maxmemory", most)

    assert open_at(url_of(node)).orders.load(draft().key) is None


def test_replica_is_refused(node):
    look_into(url_of(node)).execute_command("REPLICAOF", "127.0.0.1", "1")

    assert "replica" in refusal(url_of(node))


def test_release_that_is_too_old_is_refused(node):
    with cutting_proxy(node) as proxy:
        proxy.change = {b"redis_version:7.": b"redis_version:5."}

        assert "older than Redis 6.2" in refusal(url_of(proxy.port))


def test_server_that_may_not_be_asked_about_itself_is_taken(node):
    client = look_into(url_of(node))
    client.execute_command("ACL", "SETUSER", "default", "-info")

    assert open_at(url_of(node)).orders.load(draft().key) is None


def test_primary_that_became_a_replica_takes_nothing_until_it_is_one_again(node):
    client, state = look_into(url_of(node)), open_at(url_of(node))
    claimed = claim(state.orders).record
    due = rules.make_due(claimed, now=claimed.due_at)
    client.execute_command("REPLICAOF", "127.0.0.1", "1")

    with pytest.raises(StoreUnavailable) as failure:
        state.orders.commit(due, expected=claimed)

    assert failure.value.reason == "read only"
    client.execute_command("REPLICAOF", "NO", "ONE")
    state.orders.commit(due, expected=claimed)
    assert state.orders.load(due.key) == due


@pytest.mark.parametrize(
    "told", [b"-READONLY", b"-ERR Error running script: -READONLY"]
)
def test_connection_to_a_primary_that_became_a_replica_is_not_used_again(node, told):
    """Its name may lead to the new one by now. Redis 6 gives the error no class."""
    with cutting_proxy(node) as proxy:
        proxy.change = {b"-READONLY": told}
        state = open_at(url_of(proxy.port))
        look_into(url_of(node)).execute_command("REPLICAOF", "127.0.0.1", "1")
        with pytest.raises(StoreUnavailable):
            claim(state.orders)
        connections = proxy.connections

        state.orders.load(draft().key)

        assert proxy.connections == connections + 1


def test_full_server_refuses_and_leaves_nothing_half_done(node):
    client, state = look_into(url_of(node)), open_at(url_of(node))
    claimed = claim(state.orders).record
    due = rules.make_due(claimed, now=claimed.due_at)
    stands = dump(url_of(node))
    client.config_set("maxmemory", "1")

    for write in (
        lambda: claim(state.orders, "order2"),
        lambda: state.orders.commit(due, expected=claimed),
        lambda: state.orders.record_poison("A", source="queue", problem="p"),
        lambda: state.leases.acquire("trial/A", owner="one", seconds=5),
    ):
        with pytest.raises(StoreUnavailable, match="out of memory") as failure:
            write()
        assert failure.value.__context__ is None
    assert dump(url_of(node)) == stands
    assert state.orders.load(claimed.key) == claimed


@pytest.mark.parametrize("login", ["", f":{WORD}@", f"default:{WORD}@", f"u:{WORD}@"])
def test_wrong_or_missing_password_stops_the_start(node, login):
    look_into(url_of(node)).config_set("requirepass", "another")

    assert refusal(url_of(node, login)) == "cannot be used: denied"


def test_right_password_opens(node):
    look_into(url_of(node)).config_set("requirepass", f"{WORD}#@")

    use_everything(open_at(url_of(node, f":{WORD}%23%40@")))


def test_password_by_reference_is_read_again_after_a_refusal(node):
    client, environ = look_into(url_of(node)), {"WORD": WORD}
    client.config_set("requirepass", WORD)
    url = url_of(node) + "?password=env:WORD"
    state = open_state(place_of(url), around(FakeClock(), environ))
    client.config_set("requirepass", "another")
    client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    with pytest.raises(StoreUnavailable, match="denied"):
        state.orders.now()

    environ["WORD"] = "another"

    assert state.orders.load(draft().key) is None


def test_password_that_is_not_where_it_should_be_stops_the_start(node):
    url = url_of(node) + "?password=env:WORD"

    assert refusal(url) == "cannot be used: secret is missing or empty"


def test_ticket_of_a_full_or_evicting_server_or_a_replica_is_read_all_the_same(node):
    client = look_into(url_of(node))
    client.set("theirs", "synthetic-ticket")
    client.config_set("maxmemory-policy", "allkeys-lru")
    client.config_set("maxmemory", "1gb")
    client.execute_command("REPLICAOF", "127.0.0.1", "1")

    source = open_secret("ticket", place_of(url_of(node) + "#theirs"), around())

    assert source.load().reveal() == "synthetic-ticket"


def test_value_that_is_no_text_is_no_secret(node):
    client = look_into(url_of(node))
    client.set("bytes", b"\xff")
    client.hset("hash", "a", "b")

    for key in ("bytes", "hash", "absent"):
        with pytest.raises(SettingError) as refused:
            open_secret("ticket", place_of(f"{url_of(node)}#{key}"), around())
        assert refused.value.variable == "KYCOURIER_TICKET"
        assert refused.value.__context__ is None
