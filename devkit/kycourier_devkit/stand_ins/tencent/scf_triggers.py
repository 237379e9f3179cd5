"""SCF's triggers: how each kind is described, and how it reads afterwards."""

import json
import re
from collections.abc import Collection

from kycourier_devkit.stand_ins.tencent.scf_forms import Members, demand
from kycourier_devkit.stand_ins.tencent.tc3 import Refusal

TYPES = {"cos", "cls", "timer", "ckafka", "http"}
_CHANGED = {"timer", "ckafka", "http"}
_FIELD = r"(\*|[0-9]+(-[0-9]+)?)(/[0-9]+)?(,[0-9]+(-[0-9]+)?)*"
_CRON = re.compile(rf"{_FIELD}( {_FIELD}){{6}}")
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}")
_SWITCH = {"OPEN": 1, "CLOSE": 0}
_UPDATED = {"maxMsgNum", "retry", "timeOut"}
_DESCRIPTION = "InvalidParameterValue.TriggerDesc"


def make_trigger(payload: Members, topics: Collection[str]) -> Members:
    """Give what is kept of a new trigger. Raises Refusal."""
    kind, name = payload.get("Type"), payload.get("TriggerName")
    demand(kind in TYPES, "InvalidParameterValue.Type")
    right = isinstance(name, str) and _NAME.fullmatch(name)
    demand(right, "InvalidParameterValue.TriggerName")
    if kind == "ckafka":
        demand(name in topics, "ResourceNotFound.Ckafka")
    return {
        "Type": kind,
        "TriggerName": name,
        "TriggerDesc": _read(str(kind), str(payload.get("TriggerDesc") or "")),
        "Enable": _switch(payload, "OPEN"),
        "Qualifier": payload.get("Qualifier") or "$LATEST",
        "Description": payload.get("Description") or "",
        "AvailableStatus": "Available",
        "CustomArgument": payload.get("CustomArgument"),
    }


def change_trigger(there: Members, payload: Members) -> None:
    """Change a trigger in place, as far as its kind allows. Raises Refusal."""
    demand(payload.get("Type") in _CHANGED, "InvalidParameterValue.Type")
    qualifier = payload.get("Qualifier") or "$LATEST"
    demand(qualifier == there["Qualifier"], "ResourceNotFound.Trigger")
    if "TriggerDesc" in payload:
        told = json.loads(_read(str(there["Type"]), payload["TriggerDesc"]))
        if there["Type"] == "ckafka":  # the rest is as it was made
            told = {key: told[key] for key in told.keys() & _UPDATED}
        there["TriggerDesc"] = json.dumps(json.loads(there["TriggerDesc"]) | told)
    if "Enable" in payload:
        there["Enable"] = _switch(payload, "")
    if "Description" in payload:
        there["Description"] = payload["Description"]


def _switch(payload: Members, default: str) -> int:
    switch = _SWITCH.get(payload.get("Enable", default))
    if switch is None:
        raise Refusal("InvalidParameterValue.Enable")
    return switch


def _read(kind: str, text: str) -> str:
    """Give a description as ListTriggers tells it."""
    if kind == "timer":
        right = _CRON.fullmatch(text)
        demand(right, "InvalidParameterValue.TriggerCronConfig")
        return json.dumps({"cron": text})
    told = _parse(text)
    if kind == "ckafka":
        return json.dumps(_read_ckafka(told))
    if kind == "http":
        return json.dumps(_read_http(told))
    raise Refusal("UnsupportedOperation.Trigger")  # cos, cls: not stood in for


def _parse(text: str) -> Members:
    try:
        told = json.loads(text)
    except ValueError:
        told = None
    if not isinstance(told, dict):
        raise Refusal(_DESCRIPTION)
    return told


def _read_ckafka(told: Members) -> Members:
    known = {"maxMsgNum", "offset", "retry", "timeOut"}
    right = told.keys() == known and all(isinstance(told[key], str) for key in known)
    demand(right, _DESCRIPTION)
    demand(told["offset"] in {"latest", "earliest"}, _DESCRIPTION)
    demand(1 <= int(told["timeOut"]) <= 60, _DESCRIPTION)  # noqa: PLR2004 - the page's
    return told | {"consumerGroupName": "made-by-scf"}


def _read_http(told: Members) -> Members:
    demand(told.get("AuthType") in {"NONE", "CAM"}, _DESCRIPTION)
    network = told.get("NetConfig")
    right = isinstance(network, dict) and network.keys() == {
        "EnableIntranet",
        "EnableExtranet",
    }
    demand(right, _DESCRIPTION)
    url = "https://stand-in.ap-guangzhou.tencentscf.example"
    return told | {"NetConfig": {**(network or {}), "ExtranetUrl": url}}
