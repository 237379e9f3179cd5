"""Events on an event bus of Tencent Cloud's EventBridge, one in each call.

An answer of PutEvents speaks of the call alone, never of single events (its pages and
SDK: a RequestId, or an error). So no event shares a call with another, and each one's
failure is its own.
"""

from collections.abc import Mapping, Sequence

import msgspec

from kycourier.adapters.surroundings import Surroundings
from kycourier.adapters.tencent.calls import prove, run
from kycourier.adapters.tencent.clients import ApiClient, Done
from kycourier.adapters.tencent.resources import BUS, parse_resource
from kycourier.core.errors import SinkUnavailable, forgetful
from kycourier.core.hidden import shows
from kycourier.core.order_record import OutboxEvent
from kycourier.setting_forms import Place

MOST_BYTES = 64 * 1024  # of an event: tencentcloud.com/document/product/1108/42271
SOURCE = "kycourier"
API = "2021-04-16"


class EventBusSink:
    """The bus `tencent-eb://bus-id?region=…`; the whole event is an event's Data."""

    def __init__(self, place: Place, around: Surroundings) -> None:
        """Look whether the bus is there. Raises SinkUnavailable, SettingError."""
        resource = parse_resource(place, name=BUS, form="eb-…", failure=SinkUnavailable)
        self._bus = resource.name
        self._api = ApiClient("eb", API, resource.region, around)
        prove(
            lambda: self._api.ask("GetEventBus", {"EventBusId": self._bus}, Done),
            action="eb:GetEventBus",
            kind="bus",
            failure=SinkUnavailable,
        )

    @forgetful
    def publish(self, events: Sequence[OutboxEvent]) -> None:
        """Hand over all, in order. Raises SinkUnavailable if any was not taken."""
        for entry in [_build(event) for event in events]:
            run(
                lambda: self._put(entry),  # noqa: B023 - called at once
                action="eb:PutEvents",
                kind="bus",
                failure=SinkUnavailable,
            )

    def _put(self, entry: Mapping[str, str]) -> None:
        asked = {"EventBusId": self._bus, "EventList": [entry]}
        self._api.ask("PutEvents", asked, Done)


@shows()
class _About(msgspec.Struct):
    subject: str = ""


def _build(event: OutboxEvent) -> Mapping[str, str]:
    """Make what the bus takes of an event. Raises SinkUnavailable."""
    return {
        "Source": SOURCE,
        "Type": event.type,
        "Subject": _read(event).subject or SOURCE,
        "Id": event.id,
        "Data": event.body,
    }


def _read(event: OutboxEvent) -> _About:
    """Read what the bus must know of an event. Raises SinkUnavailable."""
    reason = "event is no JSON object"
    try:
        body = event.body.encode("utf-8")
        if len(body) <= MOST_BYTES:
            return msgspec.json.decode(body, type=_About)
        reason = "too large"
    except (UnicodeEncodeError, msgspec.DecodeError):
        pass  # raised below: the foreign error holds the text
    raise SinkUnavailable(reason)
