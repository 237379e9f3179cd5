"""A process frozen past its lease: whoever took over is right, and it is told so.

What such a process was about to write is kept on its way meanwhile: in SQLite by the
file's lock, elsewhere by a proxy that lets it go once another has taken over.
"""

import fcntl
import os
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from typing import NamedTuple

import pytest

from aws.proxy import AwsProxy
from cutting_proxy import cutting_proxy
from fleet import invoke_patiently, stopped, wait_until
from houses import TIMER, House, batch, open_house
from kycourier_devkit.sandbox import Sandbox
from outside import FINAL, Stores, furnish
from redis_bench import port_of
from stand_ins import IN_CLOUD
from watch import Watch

pytestmark = [*IN_CLOUD]
LIMIT = 4.0
REFUSED = "stale_owner_refused"
TOLD = {  # DynamoDB's refusal is looked into, for which there may be no time any more
    "sqlite": {REFUSED},
    "redis": {REFUSED},
    "dynamodb": {REFUSED, "record_returned", "handler_failed"},
}
COMMIT, SAVE = b"'list', 'entry'", b"'ticket generation'"  # as Redis's scripts say them


class Way(NamedTuple):
    """The way of one process to the store; `environ` is what leads it there.

    `hold` keeps the next write that says so; `let_go` lets it on. Where `is_shared` the
    others must wait meanwhile.
    """

    environ: dict[str, str]
    hold: Callable[[bytes], None]
    is_held: Callable[[], bool]
    let_go: Callable[[], None]
    is_shared: bool = False


@pytest.fixture
def scene(house, request, kind):
    with set_scene(house, kind, request) as given:
        yield given


@contextmanager
def set_scene(house: House, kind: str, request) -> Iterator[tuple[Stores, Way]]:
    """Furnish a house; give the outside's view, and a way that can be held."""
    stores = furnish(house, kind, request.getfixturevalue)
    if kind == "sqlite":
        state = house.folder / "state.db"
        with closing(sqlite3.connect(state, check_same_thread=False)) as other:
            yield stores, through_lock(other)
    elif kind == "redis":
        url = house.environ["KYCOURIER_STATE"]
        with cutting_proxy(port_of(url)) as proxy:
            yield stores, through_redis(proxy)
    else:
        with closing(AwsProxy(house.environ["AWS_ENDPOINT_URL"])) as proxy:
            yield stores, through_aws(proxy)


def through_lock(other) -> Way:
    """Hold by taking the file's lock; SQLite waits for it for two seconds."""
    held_at = []

    def hold(_: bytes) -> None:
        other.execute("BEGIN IMMEDIATE")
        held_at.append(time.monotonic())

    def is_held() -> bool:
        return time.monotonic() > held_at[0] + 2

    return Way({}, hold, is_held, other.rollback, is_shared=True)


def through_redis(proxy) -> Way:
    def hold(what: bytes) -> None:
        proxy.hold = what

    def let_go() -> None:
        before = proxy.answers
        proxy.let_go.set()
        wait_until(lambda: proxy.answers > before, seconds=20, what="an answer")

    environ = {"KYCOURIER_STATE": f"redis://127.0.0.1:{proxy.port}"}
    return Way(environ, hold, proxy.held.is_set, let_go)


def through_aws(proxy) -> Way:
    held, gone = threading.Event(), threading.Event()

    def keep(call, forward):
        held.set()
        gone.wait(60)
        return forward(call)

    def let_go() -> None:
        before = len(proxy.answers)
        gone.set()
        wait_until(lambda: len(proxy.answers) > before, seconds=20, what="an answer")

    names = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB")
    environ = dict.fromkeys(names, proxy.url)
    return Way(environ, lambda _: proxy.plan("UpdateItem", keep), held.is_set, let_go)


def is_well_answered(reply: dict) -> bool:
    """Tell whether its message is gone, or all or this one are delivered again.

    Either is right: the order is at its end. Which it is depends on what wakes first.
    """
    returned = [[], [{"itemIdentifier": "m0"}]]
    answers = [{"answer": {"batchItemFailures": each}} for each in returned]
    return reply in ({"error": "out_of_time"}, *answers)


@pytest.mark.parametrize("kind", TOLD)
def test_commit_of_an_owner_frozen_past_its_lease_changes_nothing(
    house, scene, figures
):
    stores, way = scene
    house.start("refresh_ticket").invoke(TIMER)
    late = house.start("collect_results", **way.environ)
    sweep = house.start("sweep_orders")
    for process in (late, sweep):
        process.wait_until_ready()  # nobody opens a state that is held
    house.sandbox.set_order("order1", "slow1")
    with Watch(house, stores) as watch, ThreadPoolExecutor(1) as pool:
        answer = pool.submit(
            invoke_patiently, late, batch("order1"), limit=LIMIT, patience=40
        )
        asked = house.sandbox.report
        wait_until(lambda: asked().queries_total, seconds=20, what="it has asked")
        house.sandbox.set_order("order1", "changing")  # another card from now on
        way.hold(COMMIT)
        wait_until(way.is_held, seconds=20, what="it is about to commit")
        with stopped(late):
            if way.is_shared:
                way.let_go()

            def is_taken_over() -> bool:
                sweep.invoke(TIMER)
                return stores.rows()["order1"].state in FINAL

            wait_until(is_taken_over, seconds=30, what="another has collected it")
            stands = stores.rows()["order1"]
            if not way.is_shared:
                way.let_go()
                time.sleep(0.2)  # from the proxy into its socket
        assert is_well_answered(answer.result())
        wait_until(
            lambda: TOLD[stores.kind] & house.facts().keys(),
            seconds=20,
            what="it is told",
        )
    watch.judge({"order1": "collected"}, tokens=1)
    assert stands.attempts == 2
    assert stores.rows()["order1"].events == stands.events
    figures("an owner frozen past its lease", stores.kind, orders=1, freezes=1)


def test_save_of_a_refresher_frozen_past_its_lease_is_refused(
    tmp_path, request, figures
):
    """On all stores at once, as most of it is waiting."""
    with ExitStack() as stack, ThreadPoolExecutor(len(TOLD)) as pool:
        houses = []
        for kind in TOLD:
            folder = tmp_path / kind
            folder.mkdir()
            house = stack.enter_context(open_house(folder, Sandbox()))
            scene = stack.enter_context(set_scene(house, kind, request))
            houses.append((house, *scene))
        list(pool.map(lambda given: freeze_refresher(*given, figures), houses))


def freeze_refresher(house: House, stores: Stores, way: Way, figures) -> None:
    late = house.start("refresh_ticket", **way.environ)
    other, collect = house.start("refresh_ticket"), house.start("collect_results")
    for process in (late, other, collect):
        process.wait_until_ready()
    house.sandbox.set_fault("ticket", "slow1")
    with Watch(house, stores) as watch, ThreadPoolExecutor(1) as pool:
        answer = pool.submit(invoke_patiently, late, TIMER, limit=60, patience=1)
        asked = house.sandbox.report
        wait_until(lambda: asked().ticket_calls, seconds=20, what="it has asked")
        way.hold(SAVE)
        wait_until(way.is_held, seconds=20, what="it is about to save")
        with stopped(late):
            if way.is_shared:
                way.let_go()
            wait_until(
                lambda: other.invoke(TIMER)["generation"] == 1,
                seconds=40,
                what="another has refreshed",
            )
            if not way.is_shared:
                way.let_go()
                time.sleep(0.2)  # from the proxy into its socket
        assert answer.result()["answer"]["generation"] == 1
        assert collect.invoke({"order_no": "order1"})["state"] == "collected"
    watch.judge({"order1": "collected"}, tokens=2)
    assert house.facts()["ticket_save_refused"] == 1
    figures("a refresher frozen past its lease", stores.kind, orders=1, freezes=1)


@pytest.mark.parametrize("kind", ["sqlite"])
def test_sender_frozen_past_its_lease_sends_the_same_again(house, scene, figures):
    stores, _ = scene
    late, sweep = house.start("collect_results"), house.start("sweep_orders")
    path = house.folder / "events.jsonl"
    house.start("refresh_ticket").invoke(TIMER)
    for process in (late, sweep):
        process.wait_until_ready()
    with Watch(house, stores) as watch, ThreadPoolExecutor(1) as pool:
        with path.open("ab") as events:
            fcntl.flock(events, fcntl.LOCK_EX)
            answer = pool.submit(
                invoke_patiently, late, batch("order1"), limit=LIMIT, patience=40
            )
            rows = stores.rows
            wait_until(lambda: _is_final(rows(), "order1"), seconds=20, what="its end")
            time.sleep(0.2)  # from its commit to the file's lock
            os.kill(late.pid, signal.SIGSTOP)
        wait_until(
            lambda: sweep.invoke(TIMER)["unsent"], seconds=30, what="another has sent"
        )
        os.kill(late.pid, signal.SIGCONT)
        assert is_well_answered(answer.result())
        wait_until(lambda: len(house.events()) == 2, seconds=20, what="it has sent")
    watch.judge({"order1": "collected"}, tokens=1)
    assert watch.deliveries == {"first": 1, "again": 1}
    figures("a sender frozen past its lease", stores.kind, orders=1, freezes=1)


def _is_final(rows, order: str) -> bool:
    return order in rows and rows[order].state in FINAL
