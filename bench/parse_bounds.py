"""How long the worst input of each class takes beside a good one, in one run.

Prints for each: milliseconds at 16 MiB (events: 6 MiB, all that Lambda takes), the
multiple of a good 16 MiB reply, and how much more than a quarter of it costs (4 is
linear; less where it is refused early). `python bench/parse_bounds.py`
"""

import gc
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from bad_input.functions import Functions
from bad_input.worst import REPLIES, good
from bad_input.worst_events import BATCHES, REQUESTS
from kycourier.core.errors import MalformedReply
from kycourier.core.hidden import ReplyBody
from kycourier.core.wire import parse_result_reply
from worlds import SecretInMemory, refusal

REPLY_BYTES, EVENT_BYTES = 16 * 2**20, 6 * 2**20
TRIES = 3
ROW = "{:<10} {:<28} {:>9} {:>7} {:>7}"


def parse(body: bytes) -> None:
    """Parse a reply, whatever comes of it."""
    try:
        parse_result_reply(ReplyBody(body))
    except MalformedReply:
        return


def cost(work: Callable[[], object]) -> float:
    """Give the least milliseconds of CPU of a few tries."""
    gc.collect()
    found = []
    for _ in range(TRIES):
        begun = time.process_time()
        work()
        found.append((time.process_time() - begun) * 1000)
    return min(found)


def main() -> None:
    """Measure and print."""
    api, signed = Functions(), Functions(api_keys=SecretInMemory("a-key-of-a-test"))

    api.world.upstream.scripts["a1"] = [refusal("66660011")]  # it stays open

    def request(event: object) -> None:
        for functions in (api, signed):
            functions.call("orders_api", event)

    kinds = [
        ("reply", {"a good one": good, **REPLIES}, parse, REPLY_BYTES),
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
            small, large = cost(lambda: work(few)), cost(lambda: work(many))  # noqa: B023 - called at once
            base = base or large
            shown = (f"{large:.1f}", f"{large / base:.2f}", f"{large / small:.1f}")
            print(ROW.format(kind, name, *shown), flush=True)


if __name__ == "__main__":
    main()
