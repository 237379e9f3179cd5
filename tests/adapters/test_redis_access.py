"""The rights that docs/operations.md lists are those that the service needs."""

import re
from pathlib import Path

import pytest

from fakes import FakeClock
from kycourier.adapters.places import open_secret, open_state
from kycourier.core.errors import KycourierError
from kycourier_devkit.stand_ins.servers import find_free_port, start_redis_node
from records import APP, use_everything
from redis_bench import around, look_into, place_of
from stand_ins import IN_CLOUD

pytestmark = [*IN_CLOUD]
PAGE = (Path(__file__).parents[2] / "docs/operations.md").read_text()
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
    """Give a user exactly these rights; give the URL that logs in as it."""
    client = look_into(f"redis://{node}")
    client.flushall()
    client.execute_command("ACL", "DELUSER", "kycourier")
    client.execute_command("ACL", "SETUSER", "kycourier", *rules)
    return f"redis://kycourier:PASSWORD@{node}"


def test_user_with_the_documented_rights_can_do_everything(node):
    url = allow(node, STATE)

    use_everything(open_state(place_of(url), around(FakeClock())))


@pytest.mark.parametrize("command", [rule for rule in COMMANDS if rule != "+info"])
def test_no_documented_command_is_there_for_nothing(node, command):
    url = allow(node, [rule for rule in STATE if rule != command])

    with pytest.raises(KycourierError):
        use_everything(open_state(place_of(url), around(FakeClock())))


def test_another_app_is_out_of_reach(node):
    state = open_state(place_of(allow(node, STATE)), around(FakeClock()))

    with pytest.raises(KycourierError):
        state.brakes.load(f"{APP}0")


def test_reader_of_a_ticket_needs_one_command(node):
    url = allow(node, READER)
    look_into(f"redis://{node}").set("their-ticket", "synthetic")

    source = open_secret("ticket", place_of(f"{url}#their-ticket"), around(FakeClock()))

    assert source.load().reveal() == "synthetic"
