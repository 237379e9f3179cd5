"""Emulates SCF's control plane: functions, layers, triggers, retries, concurrency.

It validates and describes as the documentation says; a change takes a while.
"""

# ruff: noqa: N802 - the API's names of actions

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from kycourier_devkit.emulators.tencent import scf_parameters as parameters
from kycourier_devkit.emulators.tencent.scf_layers import Layers
from kycourier_devkit.emulators.tencent.scf_parameters import Fetch, Members, require
from kycourier_devkit.emulators.tencent.scf_triggers import (
    create_trigger,
    update_trigger,
)
from kycourier_devkit.emulators.tencent.tc3 import CallRefusedError

_STORED = (
    *("Description", "MemorySize", "Timeout", "Environment", "VpcConfig", "Role"),
    *("Layers", "PublicNetConfig", "ClsLogsetId", "ClsTopicId"),
)
_ASYNC: Members = {"RetryConfig": [{"RetryNum": 2}], "MsgTTL": 21600}
_MESSAGE_TTL_SECONDS = range(60, 21601)


@dataclass
class Function:
    """One function; a change applies when it is Active again."""

    members: Members
    content: bytes
    polls_left: int
    pending: Members = field(default_factory=dict)
    triggers: list[Members] = field(default_factory=list)
    retries: Members = field(default_factory=lambda: dict(_ASYNC))
    reserved: int | None = None


@dataclass
class ScfPrerequisites:
    """What other services hold; `fetch` returns an object, named as in `Code`."""

    roles: Collection[str] = ()
    vpcs: Collection[tuple[str, str]] = ()
    topics: Collection[str] = ()  # `<instance>-<topic>`
    fetch: Fetch = lambda _bucket, _key: None


class ScfService:
    """One region of SCF. A change is done after `polls` descriptions."""

    name, version = "scf", "2018-04-16"

    def __init__(self, prerequisites: ScfPrerequisites, *, polls: int = 2) -> None:
        self.prerequisites, self.polls = prerequisites, polls
        self.functions: dict[tuple[str, str], Function] = {}
        self.layers = Layers(polls)
        self.namespaces = {"default"}
        self.fails: dict[str, str] = {}  # by function name: `CreateFailed`, …

    def call(self, action: str, payload: Members, region: str) -> Members:
        """Performs an action; returns the response. Raises CallRefusedError."""
        require(region, "MissingParameter")
        perform: Callable[[Members], Members] | None
        perform = getattr(self, f"_do_{action}", None)
        if perform is None:
            raise CallRefusedError("InvalidAction")
        parameters.check_members(action, payload)
        response: Members = perform(payload)
        return response

    def _do_ListNamespaces(self, _: Members) -> Members:
        return {"Namespaces": [{"Name": name} for name in sorted(self.namespaces)]}

    def _do_CreateNamespace(self, payload: Members) -> Members:
        require(payload["Namespace"] not in self.namespaces, "ResourceInUse.Namespace")
        self.namespaces.add(payload["Namespace"])
        return {}

    def _do_PublishLayerVersion(self, payload: Members) -> Members:
        return self.layers.publish(payload, self.prerequisites.fetch)

    def _do_ListLayerVersions(self, payload: Members) -> Members:
        return self.layers.describe_all(payload["LayerName"])

    def _do_GetLayerVersion(self, payload: Members) -> Members:
        return self.layers.describe(payload["LayerName"], payload["LayerVersion"])

    def _do_CreateFunction(self, payload: Members) -> Members:
        key = self._key(payload)
        require(key not in self.functions, "ResourceInUse.Function")
        parameters.check_handler(payload.get("Handler"))
        require(
            payload.get("Runtime") in parameters.RUNTIMES,
            "InvalidParameterValue.Runtime",
        )
        self._check(payload)
        content = parameters.read_code(
            payload.get("Code") or {}, self.prerequisites.fetch
        )
        members = {"FunctionName": key[1], "Namespace": key[0]}
        members |= {name: payload[name] for name in ("Handler", "Runtime")}
        members |= {name: payload[name] for name in _STORED if name in payload}
        members["Status"] = "Creating"
        self.functions[key] = Function(members, content, self.polls)
        return {}

    def _do_GetFunction(self, payload: Members) -> Members:
        function = self._find(payload)
        shown = dict(function.members)
        if function.polls_left > 0:
            function.polls_left -= 1
        elif shown["Status"] in {"Creating", "Updating"}:
            self._settle(function)
            shown = dict(function.members)
        return shown

    def _settle(self, function: Function) -> None:
        """Ends a change; a failed one has the new values but the old code."""
        failure = self.fails.pop(function.members["FunctionName"], None)
        content = function.pending.pop("content", function.content)
        if failure is None:
            function.content = content
        function.members |= function.pending
        function.pending = {}
        function.members["Status"] = failure or "Active"

    def _do_UpdateFunctionCode(self, payload: Members) -> Members:
        function = self._find_idle(payload, "FailedOperation.UpdateFunctionCode")
        if "Handler" in payload:
            parameters.check_handler(payload["Handler"])
            function.pending["Handler"] = payload["Handler"]
        content = parameters.read_code(
            payload.get("Code") or payload, self.prerequisites.fetch
        )
        function.pending["content"] = content
        self._begin(function)
        return {}

    def _do_UpdateFunctionConfiguration(self, payload: Members) -> Members:
        busy = "FailedOperation.UpdateFunctionConfiguration"
        function = self._find_idle(payload, busy)
        self._check(payload)
        changed = {name: payload[name] for name in _STORED if name in payload}
        function.pending |= changed
        self._begin(function)
        return {}

    def _begin(self, function: Function) -> None:
        function.members["Status"] = "Updating"
        function.polls_left = self.polls

    def _check(self, payload: Members) -> None:
        parameters.check_function(payload)
        for each in payload.get("Layers") or []:
            layer = self.layers.find(each["LayerName"], each["LayerVersion"])
            require(layer.is_active, "InvalidParameterValue.Layers")
        role, vpc = payload.get("Role"), payload.get("VpcConfig")
        require(
            role is None or role in self.prerequisites.roles, "ResourceNotFound.Role"
        )
        if vpc is not None:
            exists = (vpc["VpcId"], vpc["SubnetId"]) in self.prerequisites.vpcs
            require(exists, "ResourceNotFound.Vpc")

    def _do_GetFunctionEventInvokeConfig(self, payload: Members) -> Members:
        return {"AsyncTriggerConfig": self._find(payload).retries}

    def _do_UpdateFunctionEventInvokeConfig(self, payload: Members) -> Members:
        function = self._find_idle(payload, "FailedOperation.FunctionStatusError")
        config = payload["AsyncTriggerConfig"]
        retries = [each["RetryNum"] for each in config["RetryConfig"]]
        valid = len(retries) == 1 and retries[0] in {0, 1, 2}
        require(valid, "LimitExceeded.RetryNum")
        require(config["MsgTTL"] in _MESSAGE_TTL_SECONDS, "LimitExceeded.MsgTTL")
        function.retries = config
        return {}

    def _do_GetReservedConcurrencyConfig(self, payload: Members) -> Members:
        return {"ReservedMem": self._find(payload).reserved}

    def _do_PutReservedConcurrencyConfig(self, payload: Members) -> Members:
        function = self._find_idle(payload, "FailedOperation.FunctionStatusError")
        memory = payload["ReservedConcurrencyMem"]
        valid = memory % function.members["MemorySize"] == 0
        require(valid, "InvalidParameterValue")
        function.reserved = memory
        return {}

    def _do_ListTriggers(self, payload: Members) -> Members:
        first, many = payload.get("Offset", 0), payload.get("Limit", 20)
        triggers = self._find(payload).triggers
        listed = [dict(each) for each in triggers[first : first + many]]
        return {"Triggers": listed, "TotalCount": len(triggers)}

    def _do_CreateTrigger(self, payload: Members) -> Members:
        function = self._find_idle(payload, "FailedOperation.CreateTrigger")
        trigger = create_trigger(payload, self.prerequisites.topics)
        require(_find_trigger(function, payload) is None, "ResourceInUse.Trigger")
        function.triggers.append(trigger)
        return {"TriggerInfo": trigger}

    def _do_UpdateTrigger(self, payload: Members) -> Members:
        function = self._find_idle(payload, "FailedOperation.UpdateTrigger")
        stored = _find_trigger(function, payload)
        if stored is None:
            raise CallRefusedError("ResourceNotFound.Trigger")
        update_trigger(stored, payload)
        return {}

    def _key(self, payload: Members) -> tuple[str, str]:
        namespace = payload.get("Namespace") or "default"
        require(namespace in self.namespaces, "ResourceNotFound.Namespace")
        return namespace, payload["FunctionName"]

    def _find(self, payload: Members) -> Function:
        function = self.functions.get(self._key(payload))
        if function is None:
            raise CallRefusedError("ResourceNotFound.Function")
        return function

    def _find_idle(self, payload: Members, busy: str) -> Function:
        function = self._find(payload)
        is_idle = function.members["Status"] in {"Active", "UpdateFailed"}
        require(is_idle, busy)
        return function


def _find_trigger(function: Function, payload: Members) -> Members | None:
    key = (payload["Type"], payload["TriggerName"])
    for each in function.triggers:
        if (each["Type"], each["TriggerName"]) == key:
            return each
    return None
