"""Checks what a person creates before the first deployment, where it is visible."""

from collections.abc import Iterator

from kycourier.adapters.tencent.urls import Resource
from kycourier_devkit.deploy.config.function_specs import FUNCTIONS, function_spec
from kycourier_devkit.deploy.context import DeploymentContext
from kycourier_devkit.deploy.steps import CANNOT, CREATE, KEEP, UNCHECKED, Step
from kycourier_devkit.deploy.tencent.api import ApiError
from kycourier_devkit.deploy.tencent.buckets import Buckets

_DEFAULT = "default"
_CHECKED_BY_SCF = "SCF checks that it exists"


def plan_prerequisites(context: DeploymentContext, buckets: Buckets) -> Iterator[Step]:
    """Checks namespace, bus and buckets; lists what cannot be checked."""
    config, references = context.config, context.environments.references
    if config.namespace != _DEFAULT:
        yield _plan_namespace(context)
    if references.bus is not None:
        yield _check_bus(context, references.bus)
    yield _check_bucket(buckets, references.bucket.name, references.bucket.region)
    large = [file for file in context.zips.values() if file.is_large]
    if large:
        yield _check_packages(context, buckets, large[0].name)
    for role in sorted({function_spec(config, name).role for name in FUNCTIONS}):
        yield Step(UNCHECKED, "role", role, _CHECKED_BY_SCF)
    if config.vpc is not None:
        vpc = f"{config.vpc.id}/{config.vpc.subnet}"
        yield Step(UNCHECKED, "vpc", vpc, _CHECKED_BY_SCF)
    if config.queue is not None:
        topic = f"{config.queue.instance}/{config.queue.topic}"
        yield Step(UNCHECKED, "topic", topic, _CHECKED_BY_SCF)
    reason = "in the VPC: the functions check it when they start"
    yield Step(UNCHECKED, "redis", "KYCOURIER_STATE", reason)


def _plan_namespace(context: DeploymentContext) -> Step:
    name = context.config.namespace
    payload = {"SearchKey": [{"Key": "Namespace", "Value": name}], "Limit": 100}
    response = context.api.call("scf", "ListNamespaces", payload)
    if any(each.get("Name") == name for each in response.get("Namespaces") or []):
        return Step(KEEP, "namespace", name)

    def create() -> None:
        context.api.call("scf", "CreateNamespace", {"Namespace": name})

    return Step(CREATE, "namespace", name, act=create)


def _check_bus(context: DeploymentContext, bus: Resource) -> Step:
    name = bus.name
    try:
        context.api.call("eb", "GetEventBus", {"EventBusId": name}, region=bus.region)
    except ApiError as error:
        if error.is_one_of("ResourceNotFound"):
            return Step(CANNOT, "bus", name, "does not exist: create it first")
        if error.is_denied:
            return Step(UNCHECKED, "bus", name, str(error))
        raise
    return Step(KEEP, "bus", name)


def _check_packages(context: DeploymentContext, buckets: Buckets, file: str) -> Step:
    name = context.config.packages
    if name is None:
        reason = f"not set, and {file} is too large for a request"
        return Step(CANNOT, "bucket", "packages", reason)
    return _check_bucket(buckets, name, context.config.region)


def _check_bucket(buckets: Buckets, name: str, region: str) -> Step:
    problem = buckets.find_problem(name, region)
    if problem is None:
        return Step(KEEP, "bucket", name)
    if problem.startswith("denied"):
        return Step(UNCHECKED, "bucket", name, problem)
    return Step(CANNOT, "bucket", name, problem)
