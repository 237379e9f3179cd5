"""No ticket of the state reaches a log or an output, whatever is set to DEBUG."""

import subprocess
import sys
import traceback
from collections.abc import Iterator
from typing import Any

import pytest

from aws.access import KEY, surroundings
from aws.proxy import (
    Answer,
    AwsProxy,
    Call,
    Forward,
    answer_json,
    answering_json,
    cut,
    failing,
)
from fakes import START
from kycourier.adapters import places
from kycourier.adapters.aws.silence import loud_loggers
from kycourier.core.errors import KycourierError
from kycourier.core.models import Lease
from kycourier.core.ticket import TicketPair
from kycourier.ports import State
from kycourier.setting_forms import Place
from leak_scan import find_leaks
from loud import Records, listening
from records import APP, pair

pytestmark = pytest.mark.enable_socket

CANARIES = ("canaryToken-0123456789", "canaryTicket/9876543210", KEY)
PAIR = pair(token=CANARIES[0], ticket=CANARIES[1])
LEASE = Lease(owner="one", fence=1, seen_at=START, ends_at=START)


@pytest.fixture
def records() -> Iterator[Records]:
    """Listen at DEBUG to the root and to each of the SDK's loggers itself."""
    with listening(loud_loggers()) as records:
        yield records


def open_state(lone_proxy: AwsProxy) -> State:
    lone_proxy.plan("GetItem", answering_json())
    return places.open_state(
        Place("dynamodb", "state"), surroundings(lone_proxy.url, left=60)
    )


def save_and_load(lone_proxy: AwsProxy, state: State) -> TicketPair | None:
    """Save the pair, and load what was sent."""
    sent: list[Any] = []

    def keep(call: Call, _: Forward) -> Answer:
        sent.append(call.json)
        return answer_json({})

    def give(*_: object) -> Answer:
        values = sent[0]["ExpressionAttributeValues"].values()
        [pair] = [value for value in values if "B" in value]
        return answer_json({"Item": {"pair": pair}})

    lone_proxy.plan("UpdateItem", cut, keep)
    lone_proxy.plan("GetItem", give)
    state.tickets.save(APP, PAIR, expected_generation=0, lease=LEASE)
    return state.tickets.load(APP)


def leaks(texts: list[str]) -> list[tuple[str, str]]:
    return find_leaks(CANARIES, {str(at): text for at, text in enumerate(texts)})


def test_a_pair_saved_and_loaded_leaves_no_trace(
    lone_proxy: AwsProxy, records: Records, capfd: pytest.CaptureFixture[str]
) -> None:
    loaded = save_and_load(lone_proxy, open_state(lone_proxy))

    assert loaded == PAIR
    assert leaks(records.texts) == []
    assert records.texts == []
    assert tuple(capfd.readouterr()) == ("", "")


@pytest.mark.parametrize(
    "plays",
    [
        [cut] * 4,  # a kept connection is opened anew once
        [failing("AccessDeniedException")],
        [failing("InternalServerError", 500)] * 3,
    ],
    ids=["broken off", "denied", "failed"],
)
def test_a_failure_leaves_no_trace_either(
    lone_proxy: AwsProxy,
    records: Records,
    capfd: pytest.CaptureFixture[str],
    plays: list[Any],
) -> None:
    state = open_state(lone_proxy)
    lone_proxy.plan("UpdateItem", *plays)

    with pytest.raises(KycourierError) as failure:
        state.tickets.save(APP, PAIR, expected_generation=0, lease=LEASE)

    error = failure.value
    shown = "".join(traceback.TracebackException.from_exception(error).format())
    assert leaks([*records.texts, str(error), repr(vars(error)), shown]) == []
    assert records.texts == []
    assert tuple(capfd.readouterr()) == ("", "")


@pytest.mark.tells_secrets
def test_the_scan_finds_the_pair_in_what_is_sent(lone_proxy: AwsProxy) -> None:
    save_and_load(lone_proxy, open_state(lone_proxy))

    sent = [call.body.decode() for call in lone_proxy.calls]
    assert "base64" in {spelling.partition(" ")[0] for _, spelling in leaks(sent)}


LATE = """
import importlib, logging
from contextlib import suppress
from kycourier.adapters.aws import silence

silence.silence_libraries()
silence.silence_libraries()
for name in silence.loud_loggers():
    with suppress(ImportError):  # what another library or platform is needed for
        importlib.import_module(name)
made = [name for name, one in logging.root.manager.loggerDict.items()
        if isinstance(one, logging.Logger)
        and name.partition(".")[0] in silence.LOUD_PACKAGES]
loud = [one for one in made if len(logging.getLogger(one).filters) != 1]
print(len(made) > 100, loud)
"""
FIRST = """
import sys
from kycourier.adapters.aws import silence

print(len(silence.loud_loggers()) > 100, {*silence.LOUD_PACKAGES} & {*sys.modules})
"""


def run(program: str) -> str:
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        text=True,
        timeout=60,
    )
    return ended.stdout.strip()


def test_every_logger_is_shut_also_of_modules_that_are_imported_later() -> None:
    assert run(LATE) == "True []"


def test_naming_the_loggers_imports_nothing() -> None:
    assert run(FIRST) == "True set()"
