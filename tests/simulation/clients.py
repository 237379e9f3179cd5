"""Who calls from outside: the partner's backend, its queue, and the operator."""

import json
from random import Random

from fakes import FakeNonces, MemoryJournal
from kycourier.ports import Ambient, State
from kycourier.usecases.heed_brake import BrakeGuard
from simulation.fleet import API, Fleet
from simulation.plan import Plan
from simulation.world import RunWorld
from worlds import APP

MOST_POLLS = 6


class Clients:
    """Sends every order on its way, and polls as the API asks to."""

    def __init__(
        self, world: RunWorld, fleet: Fleet, plan: Plan, *, dice: Random
    ) -> None:
        self._world, self._fleet, self._plan, self._dice = world, fleet, plan, dice
        self.waiting = 0
        self.answers: list[dict[str, object]] = []

    def come(self) -> None:
        """Let every order come, each at its moment and by its way."""
        clockwork, dice = self._world.clockwork, self._dice
        for scan in self._plan.scans:
            at = self._plan.arrival_from + dice.uniform(0, self._plan.arrival_seconds)
            way = dice.choice(self._plan.ways)
            clockwork.at(at, lambda o=scan.order_no, w=way: self._send(o, w))
        for body in self._plan.poison:
            at = self._plan.arrival_from + dice.uniform(0, self._plan.arrival_seconds)
            clockwork.at(at, lambda b=body: self._poison(b))

    def _send(self, order_no: str, way: str) -> None:
        if self._plan.api_besides:
            self._call("POST", f"/v1/orders/{order_no}/collection", order_no)
        if way == "queue":
            self._announce(order_no)
        elif way == "api":
            self._call("POST", f"/v1/orders/{order_no}/collection", order_no)
        else:
            self._call("PUT", f"/v1/orders/{order_no}", order_no)

    def _announce(self, order_no: str) -> None:
        """Send the message, and its copies: the same one again, or as new ones."""
        body = json.dumps({"order_no": order_no})
        self._plan.accepted.add(order_no)
        first = self._world.queue.send(body)
        for _ in range(self._plan.duplicates):
            longest = 0 if self._plan.copies_come_at_once else 40
            delay = self._dice.uniform(0, longest)
            same = None if self._plan.new_ids else first
            self._world.queue.send(body, delay, same_id=same)
            self._world.verdict.see("duplicate delivered")

    def _poison(self, body: str) -> None:
        self._plan.poison_ids.add(self._world.queue.send(body))

    def _call(self, method: str, path: str, order_no: str, tries: int = 0) -> None:
        self.waiting += 1

        def done(answer: object | None) -> None:
            self.waiting -= 1
            self._take(answer, method, path, order_no, tries)

        self._fleet.invoke(API, http_event(method, path), done)

    def _take(
        self, answer: object | None, method: str, path: str, order_no: str, tries: int
    ) -> None:
        """Heed an answer: ask again after a failure, or as `Retry-After` says."""
        clockwork = self._world.clockwork
        status = answer["statusCode"] if isinstance(answer, dict) else 500
        if isinstance(answer, dict):
            self._world.sinks.append(json.dumps(answer))
            if status not in {200, 201, 202, 503}:
                self._world.verdict.violate("API", f"{method} answered {status}")
        if status in {200, 201, 202}:
            self._plan.accepted.add(order_no)
            self._world.verdict.see(f"API answered {status}")
            if status == 202 and tries < MOST_POLLS:
                seconds = float(answer["headers"]["Retry-After"])
                clockwork.after(
                    seconds, lambda: self._call(method, path, order_no, tries + 1)
                )
        elif tries < 3 * MOST_POLLS:
            clockwork.after(
                self._dice.uniform(1, 10),
                lambda: self._call(method, path, order_no, tries + 1),
            )

    def redrive(self) -> None:
        """Send dead letters again, but for those that cannot be used."""
        if self._world.queue.redrive():
            self._world.verdict.see("dead letter redriven")

    def resume_app(self) -> None:
        """End a pause that only a person may end."""
        state = State(
            tickets=self._world.stores.tickets,
            leases=self._world.stores.leases,
            orders=self._world.stores.orders,
            brakes=self._world.stores.brakes,
        )
        if self._world.stores.brakes.load(APP).until_resumed:
            ambient = Ambient(
                clock=self._world.stores.clock,
                nonces=FakeNonces(0),
                journal=MemoryJournal(),
            )
            BrakeGuard(APP, state=state, ambient=ambient).resume()
            self._world.verdict.see("app resumed by a person")

    def reopen_parked(self) -> None:
        """Reopen what was parked, as a person does."""
        for row in self._world.stores.rows():
            if row.state.value == "parked":
                self._world.judge.orders.reopened.add(row.order_no)
                path = f"/v1/orders/{row.order_no}/collection"
                self.waiting += 1
                self._fleet.invoke(
                    API, http_event("POST", path, '{"reopen": true}'), self._reopened
                )

    def _reopened(self, answer: object | None) -> None:
        self.waiting -= 1
        self._world.sinks.append(json.dumps(answer))


def http_event(method: str, path: str, body: str = "") -> dict[str, object]:
    """Spell a request as API Gateway's HTTP API hands it over."""
    http = {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "::1"}
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"content-type": "application/json"},
        "requestContext": {"http": http, "stage": "$default"},
        "body": body,
        "isBase64Encoded": False,
    }
