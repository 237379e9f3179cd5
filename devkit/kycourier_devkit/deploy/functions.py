"""The four functions: made, or changed where they differ.

A function's description ends with the digest of its code. It is written after the code,
so that it never tells of bytes that did not arrive.
"""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from kycourier_devkit.deploy.api import CallRefused, Members
from kycourier_devkit.deploy.layers import layer_names
from kycourier_devkit.deploy.site import PYTHON, Site
from kycourier_devkit.deploy.sizes import FUNCTIONS, Size, size_of
from kycourier_devkit.deploy.steps import CANNOT, CREATE, KEEP, UPDATE, Step
from kycourier_devkit.deploy.waiting import wait_until
from kycourier_devkit.deploy.zips import FUNCTIONS_ZIP

ABSENT = ("ResourceNotFound.Function", "ResourceNotFound.FunctionName")
_NO_NAMESPACE = "ResourceNotFound.Namespace"
_ACTIVE, _FAILED = "Active", "UpdateFailed"
_BUSY = {"Creating", "Updating", "Publishing"}
_BROKEN = ("CreateFailed", "Deleting", "DeleteFailed")


class Found(Struct, frozen=True):
    """What is there of one function; None: nothing."""

    members: Members | None

    @property
    def is_there(self) -> bool:
        """Tell whether it is there."""
        return self.members is not None


def find_functions(site: Site) -> dict[str, Found]:
    """Look which of the functions are there, as what. Raises CallRefused."""
    return {name: Found(_find(site, name)) for name in FUNCTIONS}


def _find(site: Site, name: str) -> Members | None:
    """Look at a function once nothing is under way: an earlier run may have ended."""
    try:
        there = _ask(site, name)
        if there.get("Status") not in _BUSY:
            return there
        wait_for(site, name, also=(_FAILED, *_BROKEN))
        return _ask(site, name)
    except CallRefused as refused:
        if refused.is_one_of(*ABSENT, _NO_NAMESPACE):
            return None
        raise


def _ask(site: Site, name: str) -> Members:
    asked = {"FunctionName": site.name_function(name), "ShowCode": "FALSE"}
    return site.scf("GetFunction", **asked)


def plan_functions(site: Site, found: dict[str, Found]) -> Iterator[Step]:
    """Compare each function with what it should be."""
    for name, there in found.items():
        yield _plan(site, size_of(site.config, name), there.members)


def _plan(site: Site, size: Size, there: Members | None) -> Step:
    name = site.name_function(size.name)
    if there is None:
        return Step(CREATE, "function", name, act=lambda: _create(site, size))
    if there.get("Status") in _BROKEN:
        why = f"is {there['Status']}: delete it, then deploy again (docs/tencent.md)"
        return Step(CANNOT, "function", name, why)
    if there.get("Runtime") not in {PYTHON, None}:
        why = f"runs another runtime than {PYTHON}: SCF cannot change that"
        return Step(CANNOT, "function", name, why)
    code, configuration = _differences(site, size, there)
    if not code and not configuration:
        return Step(KEEP, "function", name)
    why = ", ".join([*(["code"] if code else []), *configuration])

    def act() -> None:
        _update(site, size, code=code)

    return Step(UPDATE, "function", name, why, act)


def wait_for(site: Site, name: str, *, also: Sequence[str] = ()) -> None:
    """Wait until a function may be changed. Raises NotReady, CallRefused."""
    what = f"function {site.name_function(name)}"
    wait_until(
        site.clock, what, lambda: _ask(site, name), busy=_BUSY, good={_ACTIVE, *also}
    )


def _create(site: Site, size: Size) -> None:
    site.scf(
        "CreateFunction",
        Handler=size.handler,
        Runtime=PYTHON,
        Type="Event",
        Code=site.delivery.code(site.zips[FUNCTIONS_ZIP]),
        **_configuration(site, size),
    )
    wait_for(site, size.name)


def _update(site: Site, size: Size, *, code: bool) -> None:
    """Bring code, then configuration, to what they should be."""
    wait_for(site, size.name, also=[_FAILED])
    if code:
        site.scf(
            "UpdateFunctionCode",
            FunctionName=site.name_function(size.name),
            Handler=size.handler,
            Code=site.delivery.code(site.zips[FUNCTIONS_ZIP]),
        )
        wait_for(site, size.name)
    site.scf("UpdateFunctionConfiguration", **_configuration(site, size))
    wait_for(site, size.name)


def _configuration(site: Site, size: Size) -> Members:
    """Give the members that both making and changing take."""
    config = site.config
    variables = site.environments.variables[size.name]
    members: Members = {
        "FunctionName": site.name_function(size.name),
        "Description": f"{size.description}. sha256 {site.zips[FUNCTIONS_ZIP].digest}",
        "MemorySize": size.memory,
        "Timeout": size.timeout,
        "Role": size.role,
        "Environment": {
            "Variables": [{"Key": key, "Value": variables[key]} for key in variables]
        },
        "Layers": [
            {"LayerName": name, "LayerVersion": site.layers.get(name)}
            for name in layer_names(site)
        ],
        "PublicNetConfig": {
            "PublicNetStatus": "ENABLE",  # the KYC platform is reached by it
            "EipConfig": {"EipStatus": "DISABLE"},
        },
    }
    if config.vpc is not None:
        vpc = {"VpcId": config.vpc.id, "SubnetId": config.vpc.subnet}
        members["VpcConfig"] = vpc
    if config.logs is not None:
        members["ClsLogsetId"] = config.logs.logset
        members["ClsTopicId"] = config.logs.topic
    return members


def _differences(site: Site, size: Size, there: Members) -> tuple[bool, list[str]]:
    """Tell whether the code differs, and which parts of the configuration do."""
    wanted = _configuration(site, size)
    digest = str(there.get("Description") or "").rpartition(" ")[2]
    code = (
        digest != site.zips[FUNCTIONS_ZIP].digest
        or there.get("Handler") != size.handler
        or there.get("Status") == _FAILED
    )
    parts = dict(_compare(wanted, there))
    changed = [part for part, is_same in parts.items() if not is_same]
    variables = _differing_variables(wanted, there)
    if variables:
        changed.append(f"environment: {', '.join(variables)}")
    return code, changed


def _compare(wanted: Members, there: Members) -> Iterator[tuple[str, bool]]:
    """Give each part's name, and whether it is as it should be."""
    layers = [
        (each.get("LayerName"), each.get("LayerVersion"))
        for each in there.get("Layers") or []
    ]
    given = [(each["LayerName"], each["LayerVersion"]) for each in wanted["Layers"]]
    network = there.get("VpcConfig") or {}
    public = (there.get("PublicNetConfig") or {}).get("PublicNetStatus")
    text = str(there.get("Description") or "").rpartition(" sha256 ")[0]
    yield "layers", len(layers) == len(given) and set(layers) == set(given)
    yield "memory", there.get("MemorySize") == wanted["MemorySize"]
    yield "timeout", there.get("Timeout") == wanted["Timeout"]
    yield "role", str(there.get("Role")).rpartition("/")[2] == wanted["Role"]
    yield "public network", public in {"ENABLE", None}  # null: not told
    yield "description", wanted["Description"].startswith(f"{text} sha256 ")
    if "VpcConfig" in wanted:
        yield "vpc", wanted["VpcConfig"].items() <= network.items()
    if "ClsTopicId" in wanted:
        topic = ("ClsLogsetId", "ClsTopicId")
        yield "log topic", all(there.get(key) == wanted[key] for key in topic)


def _differing_variables(wanted: Members, there: Members) -> list[str]:
    """Name the variables that differ; what is too much has a minus before it."""
    found, given = (_pairs(each.get("Environment")) for each in (there, wanted))
    changed = [key for key in given if found.get(key) != given[key]]
    return changed + [f"-{key}" for key in found if key not in given]


def _pairs(environment: Members | None) -> dict[str, str]:
    listed = (environment or {}).get("Variables") or []
    return {each["Key"]: each["Value"] for each in listed}
