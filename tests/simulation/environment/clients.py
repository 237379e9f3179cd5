"""The clients of the service: the partner's backend and the operator."""

import json
from random import Random

from kycourier.ports import RuntimeDeps
from kycourier.usecases.circuit_breaker import CircuitBreaker
from simulation.engine.context import RunContext
from simulation.engine.plan import Plan
from simulation.environment.functions import API
from simulation.environment.runtime import FunctionRuntime
from support.fakes import FakeRandom, MemoryEventLog
from support.rigs.in_memory import APP
from support.sample_events import function_url_event

MAX_POLLS = 6
MAX_RESENT = 2


class Clients:
    """Announces every order, and polls the API at the intervals of `Retry-After`."""

    def __init__(
        self, context: RunContext, runtime: FunctionRuntime, plan: Plan, *, rng: Random
    ) -> None:
        self._context, self._runtime = context, runtime
        self._plan, self._rng = plan, rng
        self.pending = 0

    def schedule_arrivals(self) -> None:
        """Schedule the arrival of every order, each at its time and by its channel."""
        scheduler, rng = self._context.scheduler, self._rng
        for scan in self._plan.all_scans:
            at = self._plan.arrival_from + rng.uniform(0, self._plan.arrival_seconds)
            channel = rng.choice(self._plan.channels)
            scheduler.at(at, lambda o=scan.order_no, c=channel: self._announce(o, c))
        for body in self._plan.unprocessable:
            at = self._plan.arrival_from + rng.uniform(0, self._plan.arrival_seconds)
            scheduler.at(at, lambda b=body: self._send_unprocessable(b))

    def _announce(self, order_no: str, channel: str) -> None:
        if self._plan.also_by_api:
            self._call("POST", f"/v1/orders/{order_no}/collection", order_no)
        if channel == "queue":
            self._enqueue(order_no)
        elif channel == "api":
            self._call("POST", f"/v1/orders/{order_no}/collection", order_no)
        else:
            self._call("PUT", f"/v1/orders/{order_no}", order_no)

    def _enqueue(self, order_no: str) -> None:
        """Send a message and its copies, with the same message id or with new ones."""
        body = json.dumps({"order_no": order_no, **self._document(order_no)})
        self._plan.accepted.add(order_no)
        first = self._context.queue.send(body)
        for _ in range(self._plan.duplicates):
            max_delay = 0 if self._plan.copies_at_once else 40
            delay = self._rng.uniform(0, max_delay)
            same = None if self._plan.new_ids else first
            self._context.queue.send(body, delay, same_id=same)
            self._context.findings.observe("duplicate delivered")

    def _send_unprocessable(self, body: str) -> None:
        self._plan.unprocessable_ids.add(self._context.queue.send(body))

    def _call(self, method: str, path: str, order_no: str, tries: int = 0) -> None:
        self.pending += 1

        def done(response: object | None) -> None:
            self.pending -= 1
            self._handle_response(response, method, path, order_no, tries)

        body = json.dumps(self._document(order_no))
        self._runtime.invoke(API, function_url_event(method, path, body=body), done)

    def _document(self, order_no: str) -> dict[str, str]:
        """Return what names the order's document; a bank card need not be named."""
        document = self._context.platform.scans[order_no].document
        return {} if document == "bank_card" else {"document": document}

    def _handle_response(
        self, response: object | None, method: str, path: str, order_no: str, tries: int
    ) -> None:
        """Call again after a failure, or at the time of `Retry-After`."""
        scheduler = self._context.scheduler
        status = response["statusCode"] if isinstance(response, dict) else 500
        if isinstance(response, dict):
            self._context.responses.append(json.dumps(response))
            if status not in {200, 201, 202, 503}:
                self._context.findings.report("API", f"{method} returned {status}")
        if status in {200, 201, 202}:
            self._plan.accepted.add(order_no)
            self._context.findings.observe(f"API returned {status}")
            if status == 202 and tries < MAX_POLLS:
                seconds = float(response["headers"]["Retry-After"])
                scheduler.after(
                    seconds, lambda: self._call(method, path, order_no, tries + 1)
                )
        elif tries < 3 * MAX_POLLS:
            scheduler.after(
                self._rng.uniform(1, 10),
                lambda: self._call(method, path, order_no, tries + 1),
            )

    def redrive(self) -> None:
        """Send dead letters again, as an operator does."""
        if self._context.queue.redrive():
            self._context.findings.observe("dead letter redriven")

    def resume_app(self) -> None:
        """Close a circuit breaker that only an operator may close."""
        stores = self._context.stores
        if stores.breakers.get(APP).until_resumed:
            deps = RuntimeDeps(
                clock=stores.clock, random=FakeRandom(0), event_log=MemoryEventLog()
            )
            CircuitBreaker(APP, stores=stores, deps=deps).resume()
            self._context.findings.observe("app resumed by an operator")

    def reopen_parked(self) -> None:
        """Reopen every parked order."""
        for row in self._context.stores.rows():
            if row.state.value == "parked":
                self._context.checker.orders.reopened.add(row.order_no)
                path = f"/v1/orders/{row.order_no}/collection"
                self.pending += 1
                self._runtime.invoke(
                    API,
                    function_url_event("POST", path, body='{"reopen": true}'),
                    self._reopened,
                )

    def resend_events(self) -> None:
        """Send the newest event of some orders again, sent or not."""
        rows = [row for row in self._context.stores.rows() if row.events]
        for row in rows[:MAX_RESENT]:
            path = f"/v1/orders/{row.order_no}/events/{row.events[-1].id}/deliveries"
            self.pending += 1
            self._runtime.invoke(API, function_url_event("POST", path), self._resent)

    def _resent(self, response: object | None) -> None:
        self.pending -= 1
        self._context.responses.append(json.dumps(response))
        if isinstance(response, dict) and response["statusCode"] == 200:
            self._context.findings.observe("event resent by an operator")

    def _reopened(self, response: object | None) -> None:
        self.pending -= 1
        self._context.responses.append(json.dumps(response))
