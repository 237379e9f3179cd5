"""Limits how often a timer's call is retried and how many run at once."""

from collections.abc import Iterator

from kycourier_devkit.deploy.config.function_specs import FUNCTIONS, function_spec
from kycourier_devkit.deploy.context import DeploymentContext
from kycourier_devkit.deploy.resources.functions import ExistingFunction, wait_for
from kycourier_devkit.deploy.steps import CREATE, KEEP, UPDATE, Step
from kycourier_devkit.deploy.tencent.api import Members

# A failed call is not retried: the timer makes the next one, and two sweeps at once
# would exceed the upstream cap.
_NO_RETRIES: Members = {"RetryConfig": [{"RetryNum": 0}], "MsgTTL": 60}
_TIMED = ("refresh_ticket", "sweep_orders")


def plan_limits(
    context: DeploymentContext, existing: dict[str, ExistingFunction]
) -> Iterator[Step]:
    """Compares retries and concurrency with the specification."""
    for name in _TIMED:
        yield _plan_retries(context, name, exists=existing[name].exists)
    for name in FUNCTIONS:
        yield from _plan_cap(context, name, exists=existing[name].exists)


def _plan_retries(context: DeploymentContext, name: str, *, exists: bool) -> Step:
    function = context.function_name(name)
    reason = "a timer's call is made once, within a minute"
    if exists and _has_no_retries(context, function):
        return Step(KEEP, "retries", function, reason)

    def act() -> None:
        wait_for(context, name)
        context.scf(
            "UpdateFunctionEventInvokeConfig",
            FunctionName=function,
            AsyncTriggerConfig=_NO_RETRIES,
        )

    return Step(UPDATE if exists else CREATE, "retries", function, reason, act)


def _has_no_retries(context: DeploymentContext, function: str) -> bool:
    response = context.scf("GetFunctionEventInvokeConfig", FunctionName=function)
    config = response.get("AsyncTriggerConfig") or {}
    retries = [each.get("RetryNum") for each in config.get("RetryConfig") or []]
    return retries == [0] and config.get("MsgTTL") == _NO_RETRIES["MsgTTL"]


def _plan_cap(context: DeploymentContext, name: str, *, exists: bool) -> Iterator[Step]:
    spec = function_spec(context.config, name)
    if spec.concurrency is None:
        return
    function, memory = context.function_name(name), spec.concurrency * spec.memory
    reason = f"{spec.concurrency} at once, {memory} MB"
    if exists:
        current = context.scf("GetReservedConcurrencyConfig", FunctionName=function)
        if current.get("ReservedMem") == memory:
            yield Step(KEEP, "cap", function, reason)
            return

    def act() -> None:
        wait_for(context, name)
        context.scf(
            "PutReservedConcurrencyConfig",
            FunctionName=function,
            ReservedConcurrencyMem=memory,
        )

    yield Step(UPDATE if exists else CREATE, "cap", function, reason, act)
