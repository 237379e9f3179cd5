"""No secret leaves the Redis adapters, with every logger at DEBUG."""

import logging
import traceback

import pytest

from kycourier.core.errors import KycourierError
from kycourier_devkit.emulators.servers import find_free_port
from support.leaks.leak_scan import find_leaks
from support.rigs.redis_rig import open_redis_stores, port_of, raw_client
from support.sample_records import TICKET, TOKEN, call_every_store_verb, claim, draft
from support.servers.emulators import EMULATOR_MARKS
from support.servers.faulty_proxy import open_faulty_proxy

pytestmark = [*EMULATOR_MARKS]
PASSWORD, USER = "Canary0Password0Not0Real", "Canary0User0Not0Real"
SECRETS = [PASSWORD, PASSWORD[::-1], TICKET, TOKEN]


def open_at(port: int, password: str = PASSWORD):
    return open_redis_stores(f"redis://{USER}:{password}@127.0.0.1:{port}")


def render_failure(work) -> str:
    """Return a failure in every text form that a trigger or an operator can see."""
    with pytest.raises(KycourierError) as failure:
        work()
    error = failure.value
    chain = traceback.format_exception(type(error), error, error.__traceback__.tb_next)
    shown = [line for line in chain if not line.lstrip().startswith("File")]
    return "\n".join([repr(error), str(error), *error.args, *shown])


def test_failures_and_logs_contain_no_secret(node, caplog):
    caplog.set_level(logging.DEBUG)
    client, port = raw_client(node), port_of(node)
    client.execute_command("ACL", "SETUSER", USER, "on", f">{PASSWORD}", "+@all", "~*")
    texts = {
        "unreachable": render_failure(lambda: open_at(find_free_port())),
        "wrong password": render_failure(lambda: open_at(port, PASSWORD[::-1])),
    }
    with open_faulty_proxy(port) as proxy:
        state = open_at(proxy.port)
        call_every_store_verb(state)
        proxy.drop_responses = set(range(proxy.responses + 1, proxy.responses + 100))
        texts["lost"] = render_failure(lambda: claim(state.orders, "order3"))
    texts["gone"] = render_failure(lambda: state.tickets.get("SANDBOX1"))
    direct = open_at(port)
    client.config_set("maxmemory", "1")
    texts["full"] = render_failure(lambda: claim(direct.orders, "order3"))
    shown = "\n".join(repr(each) for each in parts_of(direct))
    texts |= {"log": caplog.text, "shown": shown}

    assert direct.orders.get(draft().key) is not None
    assert "127.0.0.1" in shown
    assert find_leaks(SECRETS, texts) == []


def parts_of(state) -> list[object]:
    """Return the objects inside a store that a debugger might print."""
    client = state.orders._client
    pools = client._pools.values()
    idle = [connection for pool in pools for connection in pool._idle]
    parts = [client, client._login, *pools, *idle]
    return [state, state.orders, *parts, *map(vars, parts)]
