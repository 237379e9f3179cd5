"""Emulates the event buses of EventBridge, per region; it runs no rules.

https://cloud.tencent.com/document/product/1359 (API 2021-04-16).
"""

import json
import re
from itertools import count
from typing import NamedTuple

from kycourier_devkit.emulators.tencent.api import Members, pick
from kycourier_devkit.emulators.tencent.tc3 import CallRefusedError

MAX_BYTES = 64 * 1024
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,58}[A-Za-z0-9]")
_REQUIRED = ("Source", "Data", "Type", "Subject")
_KNOWN = {*_REQUIRED, "Time", "Region", "Status", "Id", "TagList"}


class AcceptedEvent(NamedTuple):
    """An event that a bus accepted."""

    bus: str
    event: Members


class EventBridge:
    """The service; `taken` holds the accepted events of all buses, in order."""

    name, version = "eb", "2021-04-16"

    def __init__(self) -> None:
        self.buses: dict[tuple[str, str], str] = {}  # (region, id): the bus's name
        self.taken: list[AcceptedEvent] = []
        self._numbers = count(1)

    def call(self, action: str, payload: Members, region: str) -> Members:
        """Performs one action. Raises CallRefusedError."""
        actions = {
            "CreateEventBus": self._create,
            "DeleteEventBus": self._delete,
            "GetEventBus": self._get,
            "ListEventBuses": self._list,
            "PutEvents": self._put,
        }
        perform = pick(actions, action)
        return perform(payload, region)

    def _create(self, payload: Members, region: str) -> Members:
        name = payload.get("EventBusName")
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise CallRefusedError("InvalidParameterValue.EventBusName", "EventBusName")
        id_ = f"eb-{next(self._numbers):08}"
        self.buses[region, id_] = name
        return {"EventBusId": id_}

    def _get(self, payload: Members, region: str) -> Members:
        id_ = self._find(payload, region)
        return {"EventBusId": id_, "EventBusName": self.buses[region, id_]}

    def _list(self, _: Members, region: str) -> Members:
        found = [
            {"EventBusId": id_, "EventBusName": name}
            for (bus_region, id_), name in self.buses.items()
            if bus_region == region
        ]
        return {"EventBuses": found, "TotalCount": len(found)}

    def _delete(self, payload: Members, region: str) -> Members:
        del self.buses[region, self._find(payload, region)]
        return {}

    def _put(self, payload: Members, region: str) -> Members:
        """Accepts all events or none: the response covers the whole call."""
        bus, events = self._find(payload, region), payload.get("EventList")
        if not isinstance(events, list) or not events:
            raise CallRefusedError("MissingParameter", "EventList")
        for event in events:
            _check(event)
        self.taken += [AcceptedEvent(bus, event) for event in events]
        return {}

    def _find(self, payload: Members, region: str) -> str:
        id_ = payload.get("EventBusId")
        if not isinstance(id_, str) or not id_.startswith("eb-"):
            raise CallRefusedError("InvalidParameterValue.EventBusId", "EventBusId")
        if (region, id_) not in self.buses:
            raise CallRefusedError("ResourceNotFound.EventBus", "no such bus")
        return id_


def _check(event: object) -> None:
    if not isinstance(event, dict) or event.keys() - _KNOWN:
        raise CallRefusedError("InvalidParameterValue.InvalidEvent", "unknown members")
    for name in _REQUIRED:
        if not isinstance(event.get(name), str) or not event[name]:
            raise CallRefusedError("MissingParameter", name)
    if len(event["Data"].encode()) > MAX_BYTES:
        raise CallRefusedError("InvalidParameter.Payload", "Data is too large")
    try:
        json.loads(event["Data"])
    except ValueError:
        data = None
    else:
        data = event["Data"]
    if data is None:
        raise CallRefusedError("InvalidParameter.Payload", "Data is not JSON")
