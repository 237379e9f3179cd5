"""The worst input of each class at full size gets a response, within bounded memory.

bench/parse_bounds.py measures the time of each.
"""

import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from bad_input.functions import Functions
from bad_input.worst_events import BATCHES, REQUESTS
from bad_input.worst_replies import REPLIES, good_reply
from kycourier.core.documents.bank_card import BankCard
from kycourier.core.documents.recognition import Recognition
from kycourier.core.errors import MalformedReplyError
from kycourier.core.redaction import ReplyBody
from support.rigs.fake_platform import error_reply
from support.rigs.in_memory import MutableSecret

pytestmark = [pytest.mark.slow, pytest.mark.timeout(60)]
REPLY_BYTES, EVENT_BYTES = 16 * 2**20, 6 * 2**20
MAX_MEGABYTES = 160  # of parsing alone; a whole function may use 256
PARSER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from bad_input.worst_replies import REPLIES, good_reply
from kycourier.core.errors import MalformedReplyError
from kycourier.core.redaction import ReplyBody
from kycourier.core.documents.bank_card import BankCard

for name, make in {"good": good_reply, **REPLIES}.items():
    body = make(16 * 2**20)
    Path("/proc/self/clear_refs").write_text("5")  # reset the peak
    try:
        BankCard().parse_reply(ReplyBody(body))
    except MalformedReplyError:
        pass
    lines = Path("/proc/self/status").read_text().splitlines()
    peak = next(line.split()[1] for line in lines if line.startswith("VmHWM"))
    print(int(peak) // 1024, name)
"""


def test_good_reply_of_full_size_is_complete():
    recognition = BankCard().parse_reply(ReplyBody(good_reply(REPLY_BYTES)))
    assert isinstance(recognition, Recognition)
    assert recognition.photos_missing == ()


@pytest.mark.parametrize("name", REPLIES)
def test_worst_replies_are_parsed_or_refused(name):
    body = REPLIES[name](REPLY_BYTES)
    assert len(body) > 0.9 * REPLY_BYTES
    try:
        BankCard().parse_reply(ReplyBody(body))
    except MalformedReplyError as error:
        assert error.__context__ is None  # noqa: PT017 - parsing may succeed as well


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc for memory")
def test_parsing_any_reply_stays_under_160_mb():
    tests = str(Path(__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", PARSER, tests],
        env={},
        capture_output=True,
        text=True,
        timeout=55,
        check=False,
    )
    assert done.stderr == ""
    peaks = [line.split(" ", 1) for line in done.stdout.splitlines()]
    assert len(peaks) == len(REPLIES) + 1
    assert [name for peak, name in peaks if int(peak) > MAX_MEGABYTES] == []


@cache
def shared_functions(*, signed):
    functions = Functions(api_keys=MutableSecret("a-key-of-a-test") if signed else None)
    functions.app.upstream.scripts["a1"] = [error_reply("66660011")]  # not ready
    return functions


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("name", REQUESTS)
def test_worst_requests_get_a_response_below_500(name, signed):
    called = shared_functions(signed=signed).call(
        "orders_api", REQUESTS[name](EVENT_BYTES)
    )
    assert called.response["statusCode"] < 500


@pytest.mark.parametrize("name", BATCHES)
def test_worst_batches_return_each_record_or_fail_without_any_id(name):
    event, functions = BATCHES[name](EVENT_BYTES), shared_functions(signed=False)
    ids = [
        each["messageId"]
        for each in event["Records"]
        if isinstance(each, dict) and "messageId" in each
    ]
    if not ids:
        assert functions.fail("collect_results", event).log
        return
    failures = functions.call("collect_results", event).response["batchItemFailures"]
    assert [each["itemIdentifier"] for each in failures] == ids
