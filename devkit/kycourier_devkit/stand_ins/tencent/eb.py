"""EventBridge's buses as their pages describe them, per region; no rule is run.

https://cloud.tencent.com/document/product/1359 (API 2021-04-16).
"""

import json
import re
from itertools import count
from typing import Any, NamedTuple

from kycourier_devkit.stand_ins.tencent.tc3 import Refusal

MOST_BYTES = 64 * 1024
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,58}[A-Za-z0-9]")
_NEEDED = ("Source", "Data", "Type", "Subject")
_TAKEN = {*_NEEDED, "Time", "Region", "Status", "Id", "TagList"}
Members = dict[str, Any]


class Taken(NamedTuple):
    """An event that a bus took."""

    bus: str
    event: Members


class EventBridge:
    """The service; `taken` are the events of all buses in the order they came."""

    name, version = "eb", "2021-04-16"

    def __init__(self) -> None:
        self.buses: dict[tuple[str, str], str] = {}  # (region, id): the bus's name
        self.taken: list[Taken] = []
        self._numbers = count(1)

    def call(self, action: str, payload: Members, region: str) -> Members:
        """Do one action. Raises Refusal."""
        actions = {
            "CreateEventBus": self._create,
            "DeleteEventBus": self._delete,
            "GetEventBus": self._give,
            "ListEventBuses": self._list,
            "PutEvents": self._put,
        }
        if action not in actions:
            raise Refusal("InvalidAction", "the action does not exist")
        if not region:
            raise Refusal("MissingParameter", "Region")
        return actions[action](payload, region)

    def _create(self, payload: Members, region: str) -> Members:
        name = payload.get("EventBusName")
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise Refusal("InvalidParameterValue.EventBusName", "EventBusName")
        id_ = f"eb-{next(self._numbers):08}"
        self.buses[region, id_] = name
        return {"EventBusId": id_}

    def _give(self, payload: Members, region: str) -> Members:
        id_ = self._find(payload, region)
        return {"EventBusId": id_, "EventBusName": self.buses[region, id_]}

    def _list(self, _: Members, region: str) -> Members:
        found = [
            {"EventBusId": id_, "EventBusName": name}
            for (where, id_), name in self.buses.items()
            if where == region
        ]
        return {"EventBuses": found, "TotalCount": len(found)}

    def _delete(self, payload: Members, region: str) -> Members:
        del self.buses[region, self._find(payload, region)]
        return {}

    def _put(self, payload: Members, region: str) -> Members:
        """Take all events or none: the answer speaks of no single one."""
        bus, events = self._find(payload, region), payload.get("EventList")
        if not isinstance(events, list) or not events:
            raise Refusal("MissingParameter", "EventList")
        for event in events:
            _check(event)
        self.taken += [Taken(bus, event) for event in events]
        return {}

    def _find(self, payload: Members, region: str) -> str:
        id_ = payload.get("EventBusId")
        if not isinstance(id_, str) or not id_.startswith("eb-"):
            raise Refusal("InvalidParameterValue.EventBusId", "EventBusId")
        if (region, id_) not in self.buses:
            raise Refusal("ResourceNotFound.EventBus", "no such bus")
        return id_


def _check(event: object) -> None:
    if not isinstance(event, dict) or event.keys() - _TAKEN:
        raise Refusal("InvalidParameterValue.InvalidEvent", "unknown members")
    for name in _NEEDED:
        if not isinstance(event.get(name), str) or not event[name]:
            raise Refusal("MissingParameter", name)
    if len(event["Data"].encode()) > MOST_BYTES:
        raise Refusal("InvalidParameter.Payload", "Data is too large")
    try:
        json.loads(event["Data"])
    except ValueError:
        data = None
    else:
        data = event["Data"]
    if data is None:
        raise Refusal("InvalidParameter.Payload", "Data is no JSON")
