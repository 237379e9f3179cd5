"""The four functions over an in-memory app, called with one cloud's events."""

import json
from datetime import timedelta

from bad_input.functions import Functions
from conformance.cloud_events import Cloud, Event, HttpCall, as_json
from kycourier.core.errors import HandlerFailedError
from kycourier.core.redaction import Secret
from kycourier.core.request_signature import HEADER, SignedRequest, sign_request
from support.leaks.canaries import API_KEY
from support.rigs.in_memory import MutableSecret

LIMIT_SECONDS = 30.0


class CloudRig:
    """`responses` holds the responses to HTTP and timer events in order."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self._functions = Functions(api_keys=MutableSecret(API_KEY))
        self.app = self._functions.app
        self.responses: list[object] = []

    def deliver(self, *bodies: str, seconds: float = LIMIT_SECONDS) -> list[str]:
        """Deliver a batch; return the bodies that would be redelivered."""
        try:
            event = self.cloud.queue(bodies)
            response = self._call("collect_results", event, seconds)
        except HandlerFailedError:
            return list(bodies)
        returned = {each["itemIdentifier"] for each in response["batchItemFailures"]}
        return [body for at, body in enumerate(bodies) if f"m{at}" in returned]

    def call(
        self, method: str, path: str, body: bytes = b"", **options: object
    ) -> Event:
        """Send a request, signed as by `sign`; return the whole response."""
        return self.send(self.sign(method, path, body, **options))

    def sign(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        key: str | None = API_KEY,
        headers: dict[str, str] | None = None,
    ) -> HttpCall:
        """Build a request, signed now unless `key` is None."""
        sent = dict(headers or {})
        if key is not None:
            request = SignedRequest(method=method, path=path, body=body)
            at = self.app.clock.now()
            sent[HEADER] = sign_request(request, key=Secret(key), at=at)
        return HttpCall(method, path, sent, body)

    def send(self, call: HttpCall) -> Event:
        response = self._call("orders_api", self.cloud.http(call), LIMIT_SECONDS)
        assert isinstance(response["body"], str)
        assert response["isBase64Encoded"] is False
        self.responses.append(response)
        return response

    def tick(self, name: str, *, after: timedelta = timedelta()) -> Event:
        """Let time pass, then send a timer event."""
        self.app.clock.sleep(after.total_seconds())
        response = self._call(name, self.cloud.timer(), LIMIT_SECONDS)
        self.responses.append(response)
        return response

    def state(self, order_no: str) -> str:
        """Return the state in the order's row."""
        return self.app.load(order_no).state.value

    def outcome(self) -> dict[str, object]:
        """Return every effect that is visible outside the functions."""
        return {
            "responses": self.responses,
            "rows": self.app.stores.orders.rows,
            "events": [event.body for event in self.app.sink.events],
            "objects": self.app.evidence.objects,
            "upstream queries": dict(self.app.upstream.queries),
            "tickets": self.app.stores.tickets.records,
        }

    def _call(self, name: str, event: Event, seconds: float) -> Event:
        context = self.cloud.context(seconds)
        return self._functions.call(name, as_json(event), context).response


def message(order_no: str, **members: str) -> str:
    return json.dumps({"order_no": order_no, **members})
