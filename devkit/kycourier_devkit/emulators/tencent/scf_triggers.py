"""Emulates SCF's triggers: validates a description, and returns it as SCF lists it."""

import json
import re
from collections.abc import Collection

from kycourier_devkit.emulators.tencent.scf_parameters import Members, require
from kycourier_devkit.emulators.tencent.tc3 import CallRefusedError

TYPES = {"cos", "cls", "timer", "ckafka", "http"}
_UPDATABLE = {"timer", "ckafka", "http"}
_FIELD = r"(\*|[0-9]+(-[0-9]+)?)(/[0-9]+)?(,[0-9]+(-[0-9]+)?)*"
_CRON = re.compile(rf"{_FIELD}( {_FIELD}){{6}}")
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}")
_SWITCH = {"OPEN": 1, "CLOSE": 0}
_UPDATABLE_CKAFKA = {"maxMsgNum", "retry", "timeOut"}
_DESCRIPTION = "InvalidParameterValue.TriggerDesc"


def create_trigger(payload: Members, topics: Collection[str]) -> Members:
    """Returns the stored members of a new trigger. Raises CallRefusedError."""
    kind, name = payload.get("Type"), payload.get("TriggerName")
    require(kind in TYPES, "InvalidParameterValue.Type")
    valid = isinstance(name, str) and _NAME.fullmatch(name)
    require(valid, "InvalidParameterValue.TriggerName")
    if kind == "ckafka":
        require(name in topics, "ResourceNotFound.Ckafka")
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


def update_trigger(stored: Members, payload: Members) -> None:
    """Updates a stored trigger as far as its kind allows. Raises CallRefusedError."""
    require(payload.get("Type") in _UPDATABLE, "InvalidParameterValue.Type")
    qualifier = payload.get("Qualifier") or "$LATEST"
    require(qualifier == stored["Qualifier"], "ResourceNotFound.Trigger")
    if "TriggerDesc" in payload:
        description = json.loads(_read(str(stored["Type"]), payload["TriggerDesc"]))
        if stored["Type"] == "ckafka":  # the rest cannot be changed
            changed = description.keys() & _UPDATABLE_CKAFKA
            description = {key: description[key] for key in changed}
        before = json.loads(stored["TriggerDesc"])
        stored["TriggerDesc"] = json.dumps(before | description)
    if "Enable" in payload:
        stored["Enable"] = _switch(payload, "")
    if "Description" in payload:
        stored["Description"] = payload["Description"]


def _switch(payload: Members, default: str) -> int:
    switch = _SWITCH.get(payload.get("Enable", default))
    if switch is None:
        raise CallRefusedError("InvalidParameterValue.Enable")
    return switch


def _read(kind: str, text: str) -> str:
    """Returns a description as ListTriggers shows it."""
    if kind == "timer":
        valid = _CRON.fullmatch(text)
        require(valid, "InvalidParameterValue.TriggerCronConfig")
        return json.dumps({"cron": text})
    members = _parse(text)
    if kind == "ckafka":
        return json.dumps(_read_ckafka(members))
    if kind == "http":
        return json.dumps(_read_http(members))
    raise CallRefusedError("UnsupportedOperation.Trigger")  # cos, cls: not emulated


def _parse(text: str) -> Members:
    try:
        members = json.loads(text)
    except ValueError:
        members = None
    if not isinstance(members, dict):
        raise CallRefusedError(_DESCRIPTION)
    return members


def _read_ckafka(members: Members) -> Members:
    known = {"maxMsgNum", "offset", "retry", "timeOut"}
    valid = members.keys() == known and all(
        isinstance(members[key], str) for key in known
    )
    require(valid, _DESCRIPTION)
    require(members["offset"] in {"latest", "earliest"}, _DESCRIPTION)
    require(1 <= int(members["timeOut"]) <= 60, _DESCRIPTION)  # noqa: PLR2004 - the page's
    return members | {"consumerGroupName": "made-by-scf"}


def _read_http(members: Members) -> Members:
    require(members.get("AuthType") in {"NONE", "CAM"}, _DESCRIPTION)
    network = members.get("NetConfig")
    valid = isinstance(network, dict) and network.keys() == {
        "EnableIntranet",
        "EnableExtranet",
    }
    require(valid, _DESCRIPTION)
    url = "https://emulator.ap-guangzhou.tencentscf.example"
    return members | {"NetConfig": {**(network or {}), "ExtranetUrl": url}}
