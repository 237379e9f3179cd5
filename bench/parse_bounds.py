"""Measures how long the worst input of each class takes to parse.

`python bench/parse_bounds.py` prints for each: milliseconds at 16 MiB (6 MiB for
events, Lambda's limit), the multiple of a good 16 MiB reply, and the multiple of a
quarter of the input (4 is linear; less if the input is refused early).
"""

import gc
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from bad_input.functions import Functions
from bad_input.worst_events import BATCHES, REQUESTS
from bad_input.worst_replies import REPLIES, good_reply
from kycourier.core.documents.bank_card import BankCard
from kycourier.core.errors import MalformedReplyError
from kycourier.core.redaction import ReplyBody
from support.rigs.fake_platform import error_reply
from support.rigs.in_memory import MutableSecret

REPLY_BYTES, EVENT_BYTES = 16 * 2**20, 6 * 2**20
TRIES = 3
ROW = "{:<10} {:<28} {:>9} {:>7} {:>7}"


def parse(body: bytes) -> None:
    """Parses a reply, valid or not."""
    try:
        BankCard().parse_reply(ReplyBody(body))
    except MalformedReplyError:
        return


def cpu_milliseconds(work: Callable[[Any], object], value: object) -> float:
    """Returns the fewest milliseconds of CPU of several tries."""
    gc.collect()
    milliseconds = []
    for _ in range(TRIES):
        started = time.process_time()
        work(value)
        milliseconds.append((time.process_time() - started) * 1000)
    return min(milliseconds)


def main() -> None:
    """Measures and prints."""
    api, signed = Functions(), Functions(api_keys=MutableSecret("a-key-of-a-test"))

    api.world.upstream.scripts["a1"] = [error_reply("66660011")]  # the order stays open

    def request(event: object) -> None:
        for functions in (api, signed):
            functions.call("orders_api", event)

    kinds = [
        ("reply", {"a good one": good_reply, **REPLIES}, parse, REPLY_BYTES),
        ("request", REQUESTS, request, EVENT_BYTES),
        (
            "batch",
            BATCHES,
            lambda event: api.call("collect_results", event),
            EVENT_BYTES,
        ),
    ]
    print(ROW.format("", "", "ms", "x good", "x 1/4"))
    base = None
    for kind, classes, work, size in kinds:
        for name, make in classes.items():
            few, many = make(size // 4), make(size)
            small, large = (cpu_milliseconds(work, each) for each in (few, many))
            base = base or large
            shown = (f"{large:.1f}", f"{large / base:.2f}", f"{large / small:.1f}")
            print(ROW.format(kind, name, *shown), flush=True)


if __name__ == "__main__":
    main()
