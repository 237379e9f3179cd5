"""Messages that come again by the thousand, and many workers on one order."""

import json
import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from houses import AT, TIMER, at_once, batch
from kycourier_devkit.functions.trigger_events import HttpCall, build_http_event
from outside import furnish
from stand_ins import IN_CLOUD
from watch import Watch

pytestmark = [*IN_CLOUD]
BATCH = 10


@pytest.mark.parametrize(
    ("kind", "messages"), [("sqlite", 10_000), ("redis", 10_000), ("dynalite", 1_000)]
)
def test_messages_redriven_by_the_thousand_ask_once_for_each_order(
    house, request, seed, figures, kind, messages
):
    draw = random.Random(f"{seed}/{kind}")  # noqa: S311 - repeatable on purpose
    stores = furnish(house, kind, request.getfixturevalue)
    orders = {f"order{at}": "collected" for at in range(270)}
    orders |= {f"codem9011x{at}": "rejected" for at in range(30)}
    wanted = [*orders, *draw.choices(list(orders), k=messages - len(orders))]
    draw.shuffle(wanted)
    house.start("refresh_ticket").invoke(TIMER)
    workers = house.start_many("collect_results", 3)
    batches = iter([wanted[at : at + BATCH] for at in range(0, messages, BATCH)])

    def work(process) -> Counter:
        done = Counter()
        for each in batches:
            answer = process.invoke(batch(*each))
            done["returned"] += len(answer["batchItemFailures"])
            done["delivered"] += len(each)
        return done

    with Watch(house, stores) as watch, ThreadPoolExecutor(3) as pool:
        done = sum(pool.map(work, workers), Counter())
    watch.judge(orders, tokens=1)
    assert done == {"delivered": messages}
    assert house.sandbox.report().queries_per_order == dict.fromkeys(orders, 1)
    assert watch.deliveries == {"first": len(orders)}
    figures("redriven messages", stores.kind, orders=len(orders), messages=messages)


@pytest.mark.parametrize("kind", ["sqlite", "redis", "dynamodb"])
def test_fifty_workers_and_the_api_on_one_order_have_one_effect(
    house, request, figures, kind
):
    """Ten processes with five threads each take the order; the API is a process too."""
    stores = furnish(house, kind, request.getfixturevalue)
    house.environ["KYCOURIER_MAX_IN_FLIGHT"] = "5"
    house.start("refresh_ticket").invoke(TIMER)
    workers = house.start_many("collect_results", 10)
    api = house.start("orders_api")
    api.wait_until_ready()
    order, slow = "order1", "slow1"
    house.sandbox.set_order(order, slow)
    call = HttpCall(method="POST", path=f"/v1/orders/{order}/collection")
    post = build_http_event(call, at=AT)
    calls = {each: batch(*[order] * 5) for each in workers} | {api: post}

    with Watch(house, stores) as watch:
        *batches, answer = at_once(lambda each: each.invoke(calls[each]), list(calls))
        assert api.invoke(post)["statusCode"] == 200
    watch.judge({order: "collected"}, tokens=1)

    assert batches == [{"batchItemFailures": []}] * len(workers)
    assert answer["statusCode"] in (200, 202)
    told = json.loads(answer["body"])["state"]
    assert told == ("collected" if answer["statusCode"] == 200 else "collecting")
    assert house.sandbox.report().queries_per_order == {order: 1}
    assert watch.deliveries == {"first": 1}
    figures("50 workers and the API on one order", stores.kind, orders=1, messages=51)
