"""Nothing secret leaves the Redis adapters, with every logger turned up."""

import logging
import traceback

import pytest

from cutting_proxy import cutting_proxy
from fakes import FakeClock
from kycourier.adapters.places import open_state
from kycourier.core.errors import KycourierError
from kycourier_devkit.stand_ins.servers import find_free_port, start_redis_node
from leak_scan import find_leaks
from records import TICKET, TOKEN, claim, draft, use_everything
from redis_bench import around, look_into, place_of
from stand_ins import IN_CLOUD

pytestmark = [*IN_CLOUD]
PASSWORD, USER = "Canary0Password0Not0Real", "Canary0User0Not0Real"
SECRETS = [PASSWORD, TICKET, TOKEN]


@pytest.fixture
def log(caplog):
    """Hear whatever is logged from now on."""
    caplog.set_level(logging.DEBUG)
    return caplog


@pytest.fixture
def node(tmp_path):
    port = find_free_port()
    with start_redis_node(tmp_path, port=port):
        client = look_into(f"redis://127.0.0.1:{port}")
        client.execute_command("ACL", "SETUSER", USER, "on", f">{PASSWORD}", "+@all")
        client.execute_command("ACL", "SETUSER", USER, "~*")
        yield port


def url_of(port: int, password: str = PASSWORD) -> str:
    return f"redis://{USER}:{password}@127.0.0.1:{port}"


def told_by(work) -> str:
    """Spell out a failure as a trigger or an operator may ever see it."""
    with pytest.raises(KycourierError) as failure:
        work()
    error = failure.value
    chain = traceback.format_exception(type(error), error, error.__traceback__.tb_next)
    shown = [line for line in chain if not line.lstrip().startswith("File")]
    return "\n".join([repr(error), str(error), *error.args, *shown])


def test_no_failure_and_no_log_line_holds_a_secret(node, log):
    told = {
        "unreachable": told_by(
            lambda: open_state(place_of(url_of(find_free_port())), around(FakeClock()))
        ),
        "wrong password": told_by(
            lambda: open_state(place_of(url_of(node, PASSWORD[::-1])), around())
        ),
    }
    with cutting_proxy(node) as proxy:
        state = open_state(place_of(url_of(proxy.port)), around(FakeClock()))
        use_everything(state)
        proxy.lose = set(range(proxy.answers + 1, proxy.answers + 100))
        told["lost"] = told_by(lambda: claim(state.orders, "order3"))
    told["gone"] = told_by(lambda: state.tickets.load("SANDBOX1"))
    direct = open_state(place_of(url_of(node)), around(FakeClock()))
    look_into(f"redis://127.0.0.1:{node}").config_set("maxmemory", "1")
    told["full"] = told_by(lambda: claim(direct.orders, "order3"))
    shown = "\n".join(repr(each) for each in spread(direct))
    told |= {"log": log.text, "shown": shown}

    assert direct.orders.load(draft().key) is not None
    assert "127.0.0.1" in shown
    assert find_leaks([*SECRETS, PASSWORD[::-1]], told) == []


def spread(state) -> list[object]:
    """Give what a debugger might print of a store's insides."""
    server = state.orders._server
    nodes = server._nodes.values()
    idle = [connection for node in nodes for connection in node._idle]
    parts = [server, server._login, *nodes, *idle]
    return [state, state.orders, *parts, *map(vars, parts)]


def test_the_scan_is_not_blind(node):
    assert find_leaks(SECRETS, {"url": url_of(node)}) != []
