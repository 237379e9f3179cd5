"""No ticket of the state reaches a log or an output at any log level."""

import subprocess
import sys
import traceback
from collections.abc import Iterator
from typing import Any

import pytest

from kycourier.adapters import registry
from kycourier.adapters.aws.credentials import noisy_loggers
from kycourier.core.errors import KycourierError
from kycourier.core.leases import Lease
from kycourier.core.tickets.pair import TicketPair
from kycourier.ports import Stores
from kycourier.settings.resource_url import ResourceUrl
from support.aws.aws_proxy import (
    AwsCall,
    AwsProxy,
    AwsResponse,
    Forward,
    drop_call,
    json_response,
    respond_error,
    respond_json,
)
from support.aws.clients import KEY, aws_context
from support.fakes import START
from support.leaks.leak_scan import find_leaks
from support.leaks.log_capture import LogCapture, capture_logs
from support.sample_records import APP, make_pair

pytestmark = pytest.mark.enable_socket

CANARIES = ("canaryToken-0123456789", "canaryTicket/9876543210", KEY)
PAIR = make_pair(token=CANARIES[0], ticket=CANARIES[1])
LEASE = Lease(owner="one", fence=1, seen_at=START, ends_at=START)


@pytest.fixture
def records() -> Iterator[LogCapture]:
    """Capture the root logger and each of the SDK's loggers from DEBUG."""
    with capture_logs(noisy_loggers()) as records:
        yield records


def open_stores(lone_proxy: AwsProxy) -> Stores:
    lone_proxy.plan("GetItem", respond_json())
    return registry.open_stores(
        ResourceUrl("dynamodb", "state"), aws_context(lone_proxy.url, left=60)
    )


def save_and_load(lone_proxy: AwsProxy, state: Stores) -> TicketPair | None:
    """Save the pair, then load it from the recorded request."""
    sent: list[Any] = []

    def keep(call: AwsCall, _: Forward) -> AwsResponse:
        sent.append(call.json)
        return json_response({})

    def give(*_: object) -> AwsResponse:
        values = sent[0]["ExpressionAttributeValues"].values()
        [pair] = [value for value in values if "B" in value]
        return json_response({"Item": {"pair": pair}})

    lone_proxy.plan("UpdateItem", drop_call, keep)
    lone_proxy.plan("GetItem", give)
    state.tickets.put(APP, PAIR, expected_generation=0, lease=LEASE)
    return state.tickets.get(APP)


def leaks(texts: list[str]) -> list[tuple[str, str]]:
    return find_leaks(CANARIES, {str(at): text for at, text in enumerate(texts)})


def test_saving_and_loading_a_pair_logs_nothing(
    lone_proxy: AwsProxy, records: LogCapture, capfd: pytest.CaptureFixture[str]
) -> None:
    loaded = save_and_load(lone_proxy, open_stores(lone_proxy))

    assert loaded == PAIR
    assert leaks(records.texts) == []
    assert records.texts == []
    assert tuple(capfd.readouterr()) == ("", "")


@pytest.mark.parametrize(
    "scripts",
    [
        [drop_call] * 4,  # a dead kept connection is replaced once
        [respond_error("AccessDeniedException")],
        [respond_error("InternalServerError", 500)] * 3,
    ],
    ids=["broken off", "denied", "failed"],
)
def test_failed_save_exposes_nothing(
    lone_proxy: AwsProxy,
    records: LogCapture,
    capfd: pytest.CaptureFixture[str],
    scripts: list[Any],
) -> None:
    state = open_stores(lone_proxy)
    lone_proxy.plan("UpdateItem", *scripts)

    with pytest.raises(KycourierError) as failure:
        state.tickets.put(APP, PAIR, expected_generation=0, lease=LEASE)

    error = failure.value
    shown = "".join(traceback.TracebackException.from_exception(error).format())
    assert leaks([*records.texts, str(error), repr(vars(error)), shown]) == []
    assert records.texts == []
    assert tuple(capfd.readouterr()) == ("", "")


IMPORTS_LATER = """
import importlib, logging
from contextlib import suppress
from kycourier.adapters.aws import credentials

credentials.mute_sdk()
credentials.mute_sdk()
for name in credentials.noisy_loggers():
    with suppress(ImportError):  # modules for other platforms
        importlib.import_module(name)
made = [name for name, one in logging.root.manager.loggerDict.items()
        if isinstance(one, logging.Logger)
        and name.partition(".")[0] in credentials.NOISY_PACKAGES]
unmuted = [one for one in made if len(logging.getLogger(one).filters) != 1]
print(len(made) > 100, unmuted)
"""
LISTS_LOGGERS = """
import sys
from kycourier.adapters.aws import credentials

loaded = {*credentials.NOISY_PACKAGES} & {*sys.modules}
print(len(credentials.noisy_loggers()) > 100, loaded)
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


def test_muting_covers_loggers_of_modules_imported_later() -> None:
    assert run(IMPORTS_LATER) == "True []"


def test_listing_the_loggers_imports_nothing() -> None:
    assert run(LISTS_LOGGERS) == "True set()"
