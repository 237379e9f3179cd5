"""SCF: functions that take a while to change, layers, triggers, retries and caps.

It refuses what the pages say it refuses, and tells what it keeps as they say it does.
"""

# ruff: noqa: N802 - the API names its actions

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from kycourier_devkit.stand_ins.tencent import scf_forms as forms
from kycourier_devkit.stand_ins.tencent.scf_forms import Fetch, Members, demand
from kycourier_devkit.stand_ins.tencent.scf_layers import Layers
from kycourier_devkit.stand_ins.tencent.scf_triggers import (
    change_trigger,
    make_trigger,
)
from kycourier_devkit.stand_ins.tencent.tc3 import Refusal

_TAKEN = (
    *("Description", "MemorySize", "Timeout", "Environment", "VpcConfig", "Role"),
    *("Layers", "PublicNetConfig", "ClsLogsetId", "ClsTopicId"),
)
_ASYNC: Members = {"RetryConfig": [{"RetryNum": 2}], "MsgTTL": 21600}
_LONGEST_WAIT = range(60, 21601)


@dataclass
class Function:
    """One function; what a change brings shows once it is Active again."""

    members: Members
    content: bytes
    polls_left: int
    pending: Members = field(default_factory=dict)
    triggers: list[Members] = field(default_factory=list)
    retries: Members = field(default_factory=lambda: dict(_ASYNC))
    reserved: int | None = None


@dataclass
class Account:
    """What is made elsewhere; `fetch` gives a bucket's object, named as in `Code`."""

    roles: Collection[str] = ()
    vpcs: Collection[tuple[str, str]] = ()
    topics: Collection[str] = ()  # `<instance>-<topic>`
    fetch: Fetch = lambda _bucket, _key: None


class ScfService:
    """One region of SCF. A change is asked for `polls` times until it is done."""

    name, version = "scf", "2018-04-16"

    def __init__(self, account: Account, *, polls: int = 2) -> None:
        self.account, self.polls = account, polls
        self.functions: dict[tuple[str, str], Function] = {}
        self.layers = Layers(polls)
        self.namespaces = {"default"}
        self.fails: dict[str, str] = {}  # by function name: `CreateFailed`, …

    def call(self, action: str, payload: Members, region: str) -> Members:
        """Do it, and give the answer's members. Raises Refusal."""
        demand(region, "MissingParameter")
        does: Callable[[Members], Members] | None = getattr(self, f"_do_{action}", None)
        if does is None:
            raise Refusal("InvalidAction")
        forms.check_members(action, payload)
        return does(payload)

    def _do_ListNamespaces(self, _: Members) -> Members:
        return {"Namespaces": [{"Name": name} for name in sorted(self.namespaces)]}

    def _do_CreateNamespace(self, payload: Members) -> Members:
        demand(payload["Namespace"] not in self.namespaces, "ResourceInUse.Namespace")
        self.namespaces.add(payload["Namespace"])
        return {}

    def _do_PublishLayerVersion(self, payload: Members) -> Members:
        return self.layers.publish(payload, self.account.fetch)

    def _do_ListLayerVersions(self, payload: Members) -> Members:
        return self.layers.tell_all(payload["LayerName"])

    def _do_GetLayerVersion(self, payload: Members) -> Members:
        return self.layers.tell(payload["LayerName"], payload["LayerVersion"])

    def _do_CreateFunction(self, payload: Members) -> Members:
        key = self._key(payload)
        demand(key not in self.functions, "ResourceInUse.Function")
        forms.check_handler(payload.get("Handler"))
        demand(
            payload.get("Runtime") in forms.RUNTIMES, "InvalidParameterValue.Runtime"
        )
        self._check(payload)
        content = forms.read_code(payload.get("Code") or {}, self.account.fetch)
        members = {"FunctionName": key[1], "Namespace": key[0]}
        members |= {name: payload[name] for name in ("Handler", "Runtime")}
        members |= {name: payload[name] for name in _TAKEN if name in payload}
        members["Status"] = "Creating"
        self.functions[key] = Function(members, content, self.polls)
        return {}

    def _do_GetFunction(self, payload: Members) -> Members:
        function = self._find(payload)
        told = dict(function.members)
        if function.polls_left > 0:
            function.polls_left -= 1
        elif told["Status"] in {"Creating", "Updating"}:
            self._settle(function)
            told = dict(function.members)
        return told

    def _settle(self, function: Function) -> None:
        """End a change; one that failed shows its values, and has not the code."""
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
            forms.check_handler(payload["Handler"])
            function.pending["Handler"] = payload["Handler"]
        content = forms.read_code(payload.get("Code") or payload, self.account.fetch)
        function.pending["content"] = content
        self._begin(function)
        return {}

    def _do_UpdateFunctionConfiguration(self, payload: Members) -> Members:
        busy = "FailedOperation.UpdateFunctionConfiguration"
        function = self._find_idle(payload, busy)
        self._check(payload)
        changed = {name: payload[name] for name in _TAKEN if name in payload}
        function.pending |= changed
        self._begin(function)
        return {}

    def _begin(self, function: Function) -> None:
        function.members["Status"] = "Updating"
        function.polls_left = self.polls

    def _check(self, payload: Members) -> None:
        forms.check_function(payload)
        for each in payload.get("Layers") or []:
            layer = self.layers.find(each["LayerName"], each["LayerVersion"])
            demand(layer.is_active, "InvalidParameterValue.Layers")
        role, vpc = payload.get("Role"), payload.get("VpcConfig")
        demand(role is None or role in self.account.roles, "ResourceNotFound.Role")
        if vpc is not None:
            is_there = (vpc["VpcId"], vpc["SubnetId"]) in self.account.vpcs
            demand(is_there, "ResourceNotFound.Vpc")

    def _do_GetFunctionEventInvokeConfig(self, payload: Members) -> Members:
        return {"AsyncTriggerConfig": self._find(payload).retries}

    def _do_UpdateFunctionEventInvokeConfig(self, payload: Members) -> Members:
        function = self._find_idle(payload, "FailedOperation.FunctionStatusError")
        given = payload["AsyncTriggerConfig"]
        retries = [each["RetryNum"] for each in given["RetryConfig"]]
        right = len(retries) == 1 and retries[0] in {0, 1, 2}
        demand(right, "LimitExceeded.RetryNum")
        demand(given["MsgTTL"] in _LONGEST_WAIT, "LimitExceeded.MsgTTL")
        function.retries = given
        return {}

    def _do_GetReservedConcurrencyConfig(self, payload: Members) -> Members:
        return {"ReservedMem": self._find(payload).reserved}

    def _do_PutReservedConcurrencyConfig(self, payload: Members) -> Members:
        function = self._find_idle(payload, "FailedOperation.FunctionStatusError")
        memory = payload["ReservedConcurrencyMem"]
        right = memory % function.members["MemorySize"] == 0
        demand(right, "InvalidParameterValue")
        function.reserved = memory
        return {}

    def _do_ListTriggers(self, payload: Members) -> Members:
        first, many = payload.get("Offset", 0), payload.get("Limit", 20)
        triggers = self._find(payload).triggers
        listed = [dict(each) for each in triggers[first : first + many]]
        return {"Triggers": listed, "TotalCount": len(triggers)}

    def _do_CreateTrigger(self, payload: Members) -> Members:
        function = self._find_idle(payload, "FailedOperation.CreateTrigger")
        made = make_trigger(payload, self.account.topics)
        demand(_same(function, payload) is None, "ResourceInUse.Trigger")
        function.triggers.append(made)
        return {"TriggerInfo": made}

    def _do_UpdateTrigger(self, payload: Members) -> Members:
        function = self._find_idle(payload, "FailedOperation.UpdateTrigger")
        there = _same(function, payload)
        if there is None:
            raise Refusal("ResourceNotFound.Trigger")
        change_trigger(there, payload)
        return {}

    def _key(self, payload: Members) -> tuple[str, str]:
        namespace = payload.get("Namespace") or "default"
        demand(namespace in self.namespaces, "ResourceNotFound.Namespace")
        return namespace, payload["FunctionName"]

    def _find(self, payload: Members) -> Function:
        function = self.functions.get(self._key(payload))
        if function is None:
            raise Refusal("ResourceNotFound.Function")
        return function

    def _find_idle(self, payload: Members, busy: str) -> Function:
        function = self._find(payload)
        is_idle = function.members["Status"] in {"Active", "UpdateFailed"}
        demand(is_idle, busy)
        return function


def _same(function: Function, payload: Members) -> Members | None:
    named = (payload["Type"], payload["TriggerName"])
    for each in function.triggers:
        if (each["Type"], each["TriggerName"]) == named:
            return each
    return None
