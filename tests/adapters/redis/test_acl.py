"""The Redis rights in docs/operations.md are exactly those that the service needs."""

import re
from pathlib import Path

import pytest

from kycourier.adapters.registry import open_secret
from kycourier.core.errors import KycourierError
from kycourier_devkit.emulators.servers import find_free_port, start_redis_node
from support.rigs.redis_rig import (
    open_redis_stores,
    raw_client,
    redis_context,
    split_url,
)
from support.sample_records import APP, call_every_store_verb
from support.servers.emulators import EMULATOR_MARKS

pytestmark = [*EMULATOR_MARKS]
PAGE = (Path(__file__).parents[3] / "docs/operations.md").read_text()
PAGE = PAGE.replace("\\\n", "")
RULES = dict(re.findall(r"(?m)^ACL SETUSER (kycourier|ticket-reader) (.*)$", PAGE))
STATE, READER = RULES["kycourier"].split(), RULES["ticket-reader"].split()
COMMANDS = [rule for rule in STATE if rule.startswith("+")]


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    port = find_free_port()
    with start_redis_node(tmp_path_factory.mktemp("node"), port=port):
        yield f"127.0.0.1:{port}"


def allow(node: str, rules: list[str]) -> str:
    """Create a user with exactly these rights; return the URL that logs in as it."""
    client = raw_client(f"redis://{node}")
    client.flushall()
    client.execute_command("ACL", "DELUSER", "kycourier")
    client.execute_command("ACL", "SETUSER", "kycourier", *rules)
    return f"redis://kycourier:PASSWORD@{node}"


def test_documented_rights_suffice_for_every_verb(node):
    url = allow(node, STATE)

    call_every_store_verb(open_redis_stores(url))


@pytest.mark.parametrize("command", [rule for rule in COMMANDS if rule != "+info"])
def test_every_documented_command_is_needed(node, command):
    url = allow(node, [rule for rule in STATE if rule != command])

    with pytest.raises(KycourierError):
        call_every_store_verb(open_redis_stores(url))


def test_keys_of_another_app_are_denied(node):
    state = open_redis_stores(allow(node, STATE))

    with pytest.raises(KycourierError):
        state.breakers.get(f"{APP}0")


def test_documented_rights_suffice_to_read_a_foreign_ticket(node):
    url = allow(node, READER)
    raw_client(f"redis://{node}").set("their-ticket", "synthetic")

    source = open_secret("ticket", split_url(f"{url}#their-ticket"), redis_context())

    assert source.get().expose() == "synthetic"
