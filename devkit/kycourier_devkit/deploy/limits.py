"""How often a timer's call is made again, and how many of a function run at once."""

from collections.abc import Iterator

from kycourier_devkit.deploy.api import Members
from kycourier_devkit.deploy.functions import Found, wait_for
from kycourier_devkit.deploy.site import Site
from kycourier_devkit.deploy.sizes import FUNCTIONS, size_of
from kycourier_devkit.deploy.steps import CREATE, KEEP, UPDATE, Step

# A call that failed is not made again: the next one comes by itself, and two sweeps at
# once would be over the cap.
_ONCE: Members = {"RetryConfig": [{"RetryNum": 0}], "MsgTTL": 60}
_TIMED = ("refresh_ticket", "sweep_orders")


def plan_limits(site: Site, found: dict[str, Found]) -> Iterator[Step]:
    """Compare retries and caps with what they should be."""
    for name in _TIMED:
        yield _plan_retries(site, name, is_there=found[name].is_there)
    for name in FUNCTIONS:
        yield from _plan_cap(site, name, is_there=found[name].is_there)


def _plan_retries(site: Site, name: str, *, is_there: bool) -> Step:
    function = site.name_function(name)
    why = "a timer's call is made once, within a minute"
    if is_there and _is_once(site, function):
        return Step(KEEP, "retries", function, why)

    def act() -> None:
        wait_for(site, name)
        site.scf(
            "UpdateFunctionEventInvokeConfig",
            FunctionName=function,
            AsyncTriggerConfig=_ONCE,
        )

    return Step(UPDATE if is_there else CREATE, "retries", function, why, act)


def _is_once(site: Site, function: str) -> bool:
    told = site.scf("GetFunctionEventInvokeConfig", FunctionName=function)
    kept = told.get("AsyncTriggerConfig") or {}
    retries = [each.get("RetryNum") for each in kept.get("RetryConfig") or []]
    return retries == [0] and kept.get("MsgTTL") == _ONCE["MsgTTL"]


def _plan_cap(site: Site, name: str, *, is_there: bool) -> Iterator[Step]:
    size = size_of(site.config, name)
    if size.concurrency is None:
        return
    function, memory = site.name_function(name), size.concurrency * size.memory
    why = f"{size.concurrency} at once, {memory} MB"
    if is_there:
        kept = site.scf("GetReservedConcurrencyConfig", FunctionName=function)
        if kept.get("ReservedMem") == memory:
            yield Step(KEEP, "cap", function, why)
            return

    def act() -> None:
        wait_for(site, name)
        site.scf(
            "PutReservedConcurrencyConfig",
            FunctionName=function,
            ReservedConcurrencyMem=memory,
        )

    yield Step(UPDATE if is_there else CREATE, "cap", function, why, act)
