"""Publishes events to an event bus of Tencent Cloud's EventBridge, one per call.

The response of PutEvents reports the call, not single events (by its documentation and
SDK: a RequestId, or an error). With one event per call each failure belongs to one.
"""

from collections.abc import Mapping, Sequence

from kycourier.adapters.context import AdapterContext
from kycourier.adapters.http.api_calls import prove, run
from kycourier.adapters.tencent.client import EmptyResponse, TencentClient
from kycourier.adapters.tencent.errors import explain, is_inconclusive
from kycourier.adapters.tencent.urls import BUS, parse_resource
from kycourier.core.errors import SinkUnavailableError
from kycourier.core.orders.record import OutboxEvent
from kycourier.core.redaction import scrub_traceback
from kycourier.settings.resource_url import ResourceUrl

MAX_BYTES = 64 * 1024  # of an event: tencentcloud.com/document/product/1108/42271
SOURCE = "kycourier"
API = "2021-04-16"


class EventBusSink:
    """The bus `tencent-eb://bus-id?region=…`; the whole event is an event's Data."""

    def __init__(self, url: ResourceUrl, context: AdapterContext) -> None:
        """Checks that the bus exists. Raises SinkUnavailableError, SettingError."""
        resource = parse_resource(
            url, name=BUS, form="eb-…", failure=SinkUnavailableError
        )
        self._bus = resource.name
        self._api = TencentClient("eb", API, resource.region, context)
        prove(
            lambda: self._api.call(
                "GetEventBus", {"EventBusId": self._bus}, EmptyResponse
            ),
            action="eb:GetEventBus",
            kind="bus",
            explain=explain,
            failure=SinkUnavailableError,
            is_inconclusive=is_inconclusive,
        )

    @scrub_traceback
    def publish(self, events: Sequence[OutboxEvent]) -> None:
        """Publishes all, in order. Raises SinkUnavailableError if any was refused."""
        for entry in [_build(event) for event in events]:
            run(
                lambda: self._put(entry),  # noqa: B023 - called at once
                action="eb:PutEvents",
                kind="bus",
                explain=explain,
                failure=SinkUnavailableError,
            )

    def _put(self, entry: Mapping[str, str]) -> None:
        parameters = {"EventBusId": self._bus, "EventList": [entry]}
        self._api.call("PutEvents", parameters, EmptyResponse)


def _build(event: OutboxEvent) -> Mapping[str, str]:
    """Builds an entry of PutEvents. Raises SinkUnavailableError if it is too large."""
    if len(event.body.encode("utf-8")) > MAX_BYTES:
        raise SinkUnavailableError("too large")
    return {
        "Source": SOURCE,
        "Type": event.type,
        "Subject": event.subject or SOURCE,
        "Id": event.id,
        "Data": event.body,
    }
