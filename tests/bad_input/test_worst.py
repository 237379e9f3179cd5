"""The worst of each class at full size: answered within a bound that a hang breaks.

How long each takes beside a good reply is bench/parse_bounds.py's to say.
"""

import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from bad_input.functions import Functions
from bad_input.worst import REPLIES, good
from bad_input.worst_events import BATCHES, REQUESTS
from kycourier.core.errors import MalformedReply
from kycourier.core.hidden import ReplyBody
from kycourier.core.models import Recognition
from kycourier.core.wire import parse_result_reply
from worlds import SecretInMemory, refusal

pytestmark = [pytest.mark.slow, pytest.mark.timeout(60)]
REPLY_BYTES, EVENT_BYTES = 16 * 2**20, 6 * 2**20
MOST_MEGABYTES = 160  # of parsing alone; the promise is 256 for all together
PARSER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from bad_input.worst import REPLIES, good
from kycourier.core.errors import MalformedReply
from kycourier.core.hidden import ReplyBody
from kycourier.core.wire import parse_result_reply

for name, make in {"good": good, **REPLIES}.items():
    body = make(16 * 2**20)
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak of making it
    try:
        parse_result_reply(ReplyBody(body))
    except MalformedReply:
        pass
    lines = Path("/proc/self/status").read_text().splitlines()
    peak = next(line.split()[1] for line in lines if line.startswith("VmHWM"))
    print(int(peak) // 1024, name)
"""


def test_a_good_reply_of_full_size_is_one():
    answer = parse_result_reply(ReplyBody(good(REPLY_BYTES)))
    assert isinstance(answer, Recognition)
    assert answer.missing() == ()


@pytest.mark.parametrize("name", REPLIES)
def test_the_worst_replies_end(name):
    body = REPLIES[name](REPLY_BYTES)
    assert len(body) > 0.9 * REPLY_BYTES
    try:
        parse_result_reply(ReplyBody(body))
    except MalformedReply as error:
        assert error.__context__ is None  # noqa: PT017 - either end will do


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc for memory")
def test_no_reply_fills_the_memory():
    tests = str(Path(__file__).parents[1])
    ended = subprocess.run(
        [sys.executable, "-c", PARSER, tests],
        env={},
        capture_output=True,
        text=True,
        timeout=55,
        check=False,
    )
    assert ended.stderr == ""
    peaks = [line.split(" ", 1) for line in ended.stdout.splitlines()]
    assert len(peaks) == len(REPLIES) + 1
    assert [name for peak, name in peaks if int(peak) > MOST_MEGABYTES] == []


@cache
def functions(*, signed):
    made = Functions(api_keys=SecretInMemory("a-key-of-a-test") if signed else None)
    made.world.upstream.scripts["a1"] = [refusal("66660011")]  # it stays open
    return made


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("name", REQUESTS)
def test_the_worst_requests_end(name, signed):
    called = functions(signed=signed).call("orders_api", REQUESTS[name](EVENT_BYTES))
    assert called.answer["statusCode"] < 500


@pytest.mark.parametrize("name", BATCHES)
def test_the_worst_batches_end(name):
    event = BATCHES[name](EVENT_BYTES)
    called = functions(signed=False).call("collect_results", event)
    returned = [each["itemIdentifier"] for each in called.answer["batchItemFailures"]]
    assert returned == [
        each["messageId"]
        for each in event["Records"]
        if isinstance(each, dict) and "messageId" in each
    ]
