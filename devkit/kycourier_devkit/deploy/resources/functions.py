"""Creates the four functions and updates those that differ.

A function's description ends with the digest of its code. It is written after the code,
so that it never names bytes that did not arrive.
"""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from kycourier_devkit.deploy.config.function_specs import (
    FUNCTIONS,
    FunctionSpec,
    function_spec,
)
from kycourier_devkit.deploy.context import RUNTIME, DeploymentContext
from kycourier_devkit.deploy.resources.function_configuration import (
    build_configuration,
    differing_parts,
    has_same_digest,
)
from kycourier_devkit.deploy.steps import CANNOT, CREATE, KEEP, UPDATE, Step
from kycourier_devkit.deploy.tencent.api import ApiError, Members
from kycourier_devkit.deploy.tencent.waiters import wait_until
from kycourier_devkit.deploy.zips import FUNCTIONS_ZIP

ABSENT = ("ResourceNotFound.Function", "ResourceNotFound.FunctionName")
_NO_NAMESPACE = "ResourceNotFound.Namespace"
_ACTIVE, _FAILED = "Active", "UpdateFailed"
_PENDING = {"Creating", "Updating", "Publishing"}
_BROKEN = ("CreateFailed", "Deleting", "DeleteFailed")


class ExistingFunction(Struct, frozen=True):
    """A function's members as SCF describes them; None if it does not exist."""

    members: Members | None

    @property
    def exists(self) -> bool:
        """Whether the function exists."""
        return self.members is not None


def find_functions(context: DeploymentContext) -> dict[str, ExistingFunction]:
    """Describes the four functions. Raises ApiError."""
    return {name: ExistingFunction(_find(context, name)) for name in FUNCTIONS}


def _find(context: DeploymentContext, name: str) -> Members | None:
    """Describes a function after any operation of an interrupted run has ended."""
    try:
        existing = _describe(context, name)
        if existing.get("Status") not in _PENDING:
            return existing
        wait_for(context, name, also=(_FAILED, *_BROKEN))
        return _describe(context, name)
    except ApiError as error:
        if error.is_one_of(*ABSENT, _NO_NAMESPACE):
            return None
        raise


def _describe(context: DeploymentContext, name: str) -> Members:
    function = context.function_name(name)
    return context.scf("GetFunction", FunctionName=function, ShowCode="FALSE")


def plan_functions(
    context: DeploymentContext, existing: dict[str, ExistingFunction]
) -> Iterator[Step]:
    """Compares each function with its specification."""
    for name, function in existing.items():
        yield _plan(context, function_spec(context.config, name), function.members)


def _plan(
    context: DeploymentContext, spec: FunctionSpec, existing: Members | None
) -> Step:
    name = context.function_name(spec.name)
    if existing is None:
        return Step(CREATE, "function", name, act=lambda: _create(context, spec))
    if existing.get("Status") in _BROKEN:
        reason = (
            f"is {existing['Status']}: delete it, then deploy again (docs/tencent.md)"
        )
        return Step(CANNOT, "function", name, reason)
    if existing.get("Runtime") not in {RUNTIME, None}:
        reason = f"has another runtime than {RUNTIME}: SCF cannot change that"
        return Step(CANNOT, "function", name, reason)
    code = (
        not has_same_digest(context, existing)
        or existing.get("Handler") != spec.handler
        or existing.get("Status") == _FAILED
    )
    parts = differing_parts(context, spec, existing)
    if not code and not parts:
        return Step(KEEP, "function", name)
    reason = ", ".join([*(["code"] if code else []), *parts])

    def act() -> None:
        _update(context, spec, code=code)

    return Step(UPDATE, "function", name, reason, act)


def wait_for(
    context: DeploymentContext, name: str, *, also: Sequence[str] = ()
) -> None:
    """Waits until a function is active or in a status of `also`.

    Raises:
        WaiterError: The function failed or is still busy.
        ApiError: It cannot be described.
    """
    wait_until(
        context.clock,
        f"function {context.function_name(name)}",
        lambda: _describe(context, name),
        pending=_PENDING,
        done={_ACTIVE, *also},
    )


def _create(context: DeploymentContext, spec: FunctionSpec) -> None:
    context.scf(
        "CreateFunction",
        Handler=spec.handler,
        Runtime=RUNTIME,
        Type="Event",
        Code=context.delivery.code(context.zips[FUNCTIONS_ZIP]),
        **build_configuration(context, spec),
    )
    wait_for(context, spec.name)


def _update(context: DeploymentContext, spec: FunctionSpec, *, code: bool) -> None:
    """Updates the code if asked, then the configuration."""
    wait_for(context, spec.name, also=[_FAILED])
    if code:
        context.scf(
            "UpdateFunctionCode",
            FunctionName=context.function_name(spec.name),
            Handler=spec.handler,
            Code=context.delivery.code(context.zips[FUNCTIONS_ZIP]),
        )
        wait_for(context, spec.name)
    context.scf("UpdateFunctionConfiguration", **build_configuration(context, spec))
    wait_for(context, spec.name)
