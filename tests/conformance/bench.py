"""The four functions over a world in memory, called as one cloud calls them."""

import json
from datetime import timedelta

from bad_input.functions import Functions
from canaries import API_KEY
from conformance.clouds import Cloud, Event, HttpCall, as_json
from kycourier.core.errors import HandlerFailed
from kycourier.core.hidden import Secret
from kycourier.core.request_signature import HEADER, SignedRequest, sign_request
from worlds import SecretInMemory

LIMIT_SECONDS = 30.0


class Bench:
    """`answers` holds what HTTP and timer events were answered with, in their order."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self._functions = Functions(api_keys=SecretInMemory(API_KEY))
        self.world = self._functions.world
        self.answers: list[object] = []

    def deliver(self, *bodies: str, seconds: float = LIMIT_SECONDS) -> list[str]:
        """Hand a batch over; give the bodies that come again."""
        try:
            event = self.cloud.queue(bodies)
            answer = self._call("collect_results", event, seconds)
        except HandlerFailed:
            return list(bodies)
        returned = {each["itemIdentifier"] for each in answer["batchItemFailures"]}
        return [body for at, body in enumerate(bodies) if f"m{at}" in returned]

    def ask(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        key: str | None = API_KEY,
        headers: dict[str, str] | None = None,
    ) -> Event:
        """Send a request, signed unless `key` is None; give the answer whole."""
        return self.send(self.sign(method, path, body, key=key, headers=headers))

    def sign(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        key: str | None = API_KEY,
        headers: dict[str, str] | None = None,
    ) -> HttpCall:
        """Build a request that its sender signs now."""
        sent = dict(headers or {})
        if key is not None:
            request = SignedRequest(method=method, path=path, body=body)
            at = self.world.clock.now()
            sent[HEADER] = sign_request(request, key=Secret(key), at=at)
        return HttpCall(method, path, sent, body)

    def send(self, call: HttpCall) -> Event:
        answer = self._call("orders_api", self.cloud.http(call), LIMIT_SECONDS)
        assert isinstance(answer["body"], str)
        assert answer["isBase64Encoded"] is False
        self.answers.append(answer)
        return answer

    def tick(self, name: str, *, after: timedelta = timedelta()) -> Event:
        """Let time pass, then a timer come."""
        self.world.clock.sleep(after.total_seconds())
        answer = self._call(name, self.cloud.timer(), LIMIT_SECONDS)
        self.answers.append(answer)
        return answer

    def state(self, order_no: str) -> str:
        """Name the order's state, as its row has it."""
        return self.world.load(order_no).state.value

    def outcome(self) -> dict[str, object]:
        """Give all that came of it, in what everybody else sees."""
        return {
            "answers": self.answers,
            "rows": self.world.state.orders.rows,
            "events": [event.body for event in self.world.sink.events],
            "objects": self.world.evidence.objects,
            "asked upstream": dict(self.world.upstream.asked),
            "tickets": self.world.state.tickets.records,
        }

    def _call(self, name: str, event: Event, seconds: float) -> Event:
        context = self.cloud.context(seconds)
        return self._functions.call(name, as_json(event), context).answer


def message(order_no: str) -> str:
    return json.dumps({"order_no": order_no})
