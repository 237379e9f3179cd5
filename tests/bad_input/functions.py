"""The four functions over a world in memory, as bootstrap wires them, and their log."""

import io
import json
from contextlib import redirect_stdout
from typing import Any, NamedTuple

from kycourier.adapters.triggers.invocation import Invocation
from kycourier.adapters.triggers.orders_api import OrdersApi
from kycourier.adapters.triggers.timer import RefreshTimer, SweepTimer
from kycourier.assembly import Function
from kycourier.logs import PowertoolsJournal
from kycourier.ports import SecretSource
from leak_scan import find_leaks
from worlds import APP, URI, World

_OUT = io.StringIO()  # one for all: Powertools' logger has one stream a process


class Called(NamedTuple):
    """What came of a call: the answer, and every line it printed."""

    answer: Any
    log: str


class Functions:
    """One of each; `calls` are as the platform's, with the real journal's lines."""

    def __init__(self, *, api_keys: SecretSource | None = None) -> None:
        self.world = world = World()
        world.journal = PowertoolsJournal(_OUT, app_id=APP)
        self.worker = worker = world.worker()
        shared = {"state": world.state, "ambient": worker.ambient}
        refresh = RefreshTimer(APP, refresher=worker.refresher, **shared)
        sweep = SweepTimer(worker.sweeper)
        queue = worker.orders_queue()
        api = OrdersApi(
            APP,
            api_keys=api_keys,
            evidence_uri=URI,
            register=worker.register,
            collector=worker.collector,
            brake=worker.brake,
            evidence=world.evidence,
            queue=world.queue,
            **shared,
        )
        answers = {
            "refresh_ticket": lambda _, time_left: refresh.answer(time_left),
            "collect_results": queue.answer,
            "orders_api": api.answer,
            "sweep_orders": lambda _, time_left: sweep.answer(time_left),
        }
        self._functions = {
            name: Function(
                answer, Invocation(name, clock=world.clock, journal=world.journal)
            )
            for name, answer in answers.items()
        }

    def call(self, name: str, event: object, context: object = None) -> Called:
        """Call one; what it answers must be JSON. Raises what leaves its handler."""
        _OUT.seek(0)
        _OUT.truncate()
        with redirect_stdout(_OUT):
            answer = self._functions[name].invoke(event, context)
        assert json.loads(json.dumps(answer)) == answer
        return Called(answer, _OUT.getvalue())


def assert_silent(called: Called, *canaries: str) -> None:
    """Make sure that neither the answer nor the log repeats what was sent."""
    sinks = {"answer": json.dumps(called.answer), "log": called.log}
    assert find_leaks(canaries, sinks) == []
    assert "handler_failed" not in called.log
