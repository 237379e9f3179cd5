"""What a person makes beforehand, looked for as far as the deployer can look."""

from collections.abc import Iterator

from kycourier.adapters.tencent.resources import Resource
from kycourier_devkit.deploy.api import CallRefused
from kycourier_devkit.deploy.bucket import Buckets
from kycourier_devkit.deploy.site import Site
from kycourier_devkit.deploy.sizes import FUNCTIONS, size_of
from kycourier_devkit.deploy.steps import CANNOT, CREATE, KEEP, UNCHECKED, Step

_DEFAULT = "default"
_BY_SCF = "SCF says whether it is there"


def plan_needs(site: Site, buckets: Buckets) -> Iterator[Step]:
    """Look for bus and buckets; name what cannot be looked for."""
    config, named = site.config, site.environments.named
    if config.namespace != _DEFAULT:
        yield _plan_namespace(site)
    yield _look_for_bus(site, named.bus)
    yield _look_for_bucket(buckets, named.bucket.name, named.bucket.region)
    large = [file for file in site.zips.values() if file.is_large]
    if large:
        yield _look_for_packages(site, buckets, large[0].name)
    for role in sorted({size_of(config, name).role for name in FUNCTIONS}):
        yield Step(UNCHECKED, "role", role, _BY_SCF)
    if config.vpc is not None:
        yield Step(UNCHECKED, "vpc", f"{config.vpc.id}/{config.vpc.subnet}", _BY_SCF)
    if config.queue is not None:
        topic = f"{config.queue.instance}/{config.queue.topic}"
        yield Step(UNCHECKED, "topic", topic, _BY_SCF)
    why = "it lies in the VPC: the functions say so when they start"
    yield Step(UNCHECKED, "redis", "KYCOURIER_STATE", why)


def _plan_namespace(site: Site) -> Step:
    name = site.config.namespace
    asked = {"SearchKey": [{"Key": "Namespace", "Value": name}], "Limit": 100}
    listed = site.api.call("scf", "ListNamespaces", asked).get("Namespaces") or []
    if any(each.get("Name") == name for each in listed):
        return Step(KEEP, "namespace", name)

    def make() -> None:
        site.api.call("scf", "CreateNamespace", {"Namespace": name})

    return Step(CREATE, "namespace", name, act=make)


def _look_for_bus(site: Site, bus: Resource) -> Step:
    name = bus.name
    try:
        site.api.call("eb", "GetEventBus", {"EventBusId": name}, region=bus.region)
    except CallRefused as refused:
        if refused.is_one_of("ResourceNotFound"):
            return Step(CANNOT, "bus", name, "is not there: it is made beforehand")
        if refused.is_denied:
            return Step(UNCHECKED, "bus", name, str(refused))
        raise
    return Step(KEEP, "bus", name)


def _look_for_packages(site: Site, buckets: Buckets, file: str) -> Step:
    name = site.config.packages
    if name is None:
        why = f"not named, and {file} is too large for a request"
        return Step(CANNOT, "bucket", "packages", why)
    return _look_for_bucket(buckets, name, site.config.region)


def _look_for_bucket(buckets: Buckets, name: str, region: str) -> Step:
    problem = buckets.problem(name, region)
    if problem is None:
        return Step(KEEP, "bucket", name)
    if problem.startswith("denied"):
        return Step(UNCHECKED, "bucket", name, problem)
    return Step(CANNOT, "bucket", name, problem)
