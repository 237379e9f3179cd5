"""The four functions over in-memory adapters, wired as in bootstrap, with their log."""

import io
import json
from contextlib import redirect_stdout
from typing import Any, NamedTuple

import pytest

from bad_input.strategies import CANARY
from kycourier.core.errors import HandlerFailedError
from kycourier.logs import PowertoolsEventLog
from kycourier.ports import Sealer, SecretSource
from kycourier.triggers.function import Function
from kycourier.triggers.invocation import Invocation
from kycourier.triggers.timer import RefreshTimer, SweepTimer
from support.leaks.leak_scan import find_leaks
from support.openapi_check import check_response
from support.rigs.api_client import ApiClient
from support.rigs.in_memory import APP, InMemoryApp

_OUT = io.StringIO()  # shared: Powertools' logger has one stream per process


class Called(NamedTuple):
    """The response of an invocation, and all that it printed."""

    response: Any
    log: str


class Functions:
    """One function of each kind, with the real event log."""

    def __init__(
        self, *, api_keys: SecretSource | None = None, sealer: Sealer | None = None
    ) -> None:
        self.app = app = InMemoryApp()
        app.sealer = sealer
        app.event_log = PowertoolsEventLog(_OUT, app_id=APP)
        self.worker = worker = app.worker()
        refresh = RefreshTimer(
            APP, refresher=worker.refresher, stores=app.stores, deps=worker.deps
        )
        sweep = SweepTimer(worker.sweeper)
        handlers = {
            "refresh_ticket": lambda _, deadline: refresh.handle(deadline),
            "collect_results": worker.orders_queue().handle,
            "orders_api": ApiClient(app, keys=api_keys).api.handle,
            "sweep_orders": lambda _, deadline: sweep.handle(deadline),
        }
        self._functions = {
            name: Function(
                handler, Invocation(name, clock=app.clock, event_log=app.event_log)
            )
            for name, handler in handlers.items()
        }

    def call(self, name: str, event: object, context: object = None) -> Called:
        """Invoke a function, whose response must be JSON. Raises what it raises."""
        _OUT.seek(0)
        _OUT.truncate()
        with redirect_stdout(_OUT):
            response = self._functions[name].invoke(event, context)
        assert json.loads(json.dumps(response)) == response
        return Called(response, _OUT.getvalue())

    def fail(self, name: str, event: object) -> Called:
        """Invoke a function, which must raise; the response is its error's text."""
        _OUT.seek(0)
        _OUT.truncate()
        with redirect_stdout(_OUT), pytest.raises(HandlerFailedError) as caught:
            self._functions[name].invoke(event, None)
        return Called(str(caught.value), _OUT.getvalue())


def assert_no_leaks(called: Called, *canaries: str) -> None:
    """Check that neither the response nor the log repeats the input."""
    assert_no_canary(called, *canaries)
    assert "handler_failed" not in called.log


def assert_no_canary(called: Called, *canaries: str) -> None:
    """Check response and log, also of an invocation that failed."""
    sinks = {"response": json.dumps(called.response), "log": called.log}
    assert find_leaks(canaries, sinks) == []


def check_refused(
    functions: Functions, event: object, *, method: str = "GET", path: str = "/unknown"
) -> int:
    """Send a request, and check that it is refused with a 4xx; returns the status."""
    called = functions.call("orders_api", event)
    assert 400 <= called.response["statusCode"] < 500, called
    assert_no_leaks(called, CANARY)
    check_response(method, path, called.response)
    assert functions.app.stores.orders.rows == {}
    return called.response["statusCode"]
