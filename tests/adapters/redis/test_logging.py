"""No secret leaves the Redis adapters, with every logger at DEBUG."""

import logging
import traceback

import pytest

from kycourier.adapters.registry import open_stores
from kycourier.core.errors import KycourierError
from kycourier_devkit.emulators.servers import find_free_port, start_redis_node
from support.fakes import FakeClock
from support.leaks.leak_scan import find_leaks
from support.rigs.redis_rig import raw_client, redis_context, split_url
from support.sample_records import TICKET, TOKEN, call_every_store_verb, claim, draft
from support.servers.emulators import EMULATOR_MARKS
from support.servers.faulty_proxy import open_faulty_proxy

pytestmark = [*EMULATOR_MARKS]
PASSWORD, USER = "Canary0Password0Not0Real", "Canary0User0Not0Real"
SECRETS = [PASSWORD, TICKET, TOKEN]


@pytest.fixture
def log(caplog):
    """Capture the log from DEBUG."""
    caplog.set_level(logging.DEBUG)
    return caplog


@pytest.fixture
def node(tmp_path):
    port = find_free_port()
    with start_redis_node(tmp_path, port=port):
        client = raw_client(f"redis://127.0.0.1:{port}")
        client.execute_command("ACL", "SETUSER", USER, "on", f">{PASSWORD}", "+@all")
        client.execute_command("ACL", "SETUSER", USER, "~*")
        yield port


def url_of(port: int, password: str = PASSWORD) -> str:
    return f"redis://{USER}:{password}@127.0.0.1:{port}"


def render_failure(work) -> str:
    """Return a failure in every text form that a trigger or an operator can see."""
    with pytest.raises(KycourierError) as failure:
        work()
    error = failure.value
    chain = traceback.format_exception(type(error), error, error.__traceback__.tb_next)
    shown = [line for line in chain if not line.lstrip().startswith("File")]
    return "\n".join([repr(error), str(error), *error.args, *shown])


def test_failures_and_logs_contain_no_secret(node, log):
    texts = {
        "unreachable": render_failure(
            lambda: open_stores(
                split_url(url_of(find_free_port())), redis_context(FakeClock())
            )
        ),
        "wrong password": render_failure(
            lambda: open_stores(
                split_url(url_of(node, PASSWORD[::-1])), redis_context()
            )
        ),
    }
    with open_faulty_proxy(node) as proxy:
        state = open_stores(split_url(url_of(proxy.port)), redis_context(FakeClock()))
        call_every_store_verb(state)
        proxy.drop_responses = set(range(proxy.responses + 1, proxy.responses + 100))
        texts["lost"] = render_failure(lambda: claim(state.orders, "order3"))
    texts["gone"] = render_failure(lambda: state.tickets.get("SANDBOX1"))
    direct = open_stores(split_url(url_of(node)), redis_context(FakeClock()))
    raw_client(f"redis://127.0.0.1:{node}").config_set("maxmemory", "1")
    texts["full"] = render_failure(lambda: claim(direct.orders, "order3"))
    shown = "\n".join(repr(each) for each in parts_of(direct))
    texts |= {"log": log.text, "shown": shown}

    assert direct.orders.get(draft().key) is not None
    assert "127.0.0.1" in shown
    assert find_leaks([*SECRETS, PASSWORD[::-1]], texts) == []


def parts_of(state) -> list[object]:
    """Return the objects inside a store that a debugger might print."""
    client = state.orders._client
    pools = client._pools.values()
    idle = [connection for pool in pools for connection in pool._idle]
    parts = [client, client._login, *pools, *idle]
    return [state, state.orders, *parts, *map(vars, parts)]
