"""The two layers: a version is published for new bytes only, and found by their digest.

The digest stands in a version's description, put there in the call that makes it: so a
version whose answer was lost is found again, and not made twice.
"""

from collections.abc import Callable, Iterator

from kycourier_devkit.deploy.api import CallRefused, Members
from kycourier_devkit.deploy.site import PYTHON, Site
from kycourier_devkit.deploy.steps import CREATE, KEEP, Step
from kycourier_devkit.deploy.waiting import wait_until
from kycourier_devkit.deploy.zips import SDK_ZIP, SERVICE_ZIP, Zip

LAYERS = {"service": SERVICE_ZIP, "sdk": SDK_ZIP}
_ACTIVE, _PUBLISHING = "Active", "Publishing"


def layer_names(site: Site) -> list[str]:
    """Name the layers, in the order that functions take them."""
    return [f"{site.config.name}-{short}" for short in LAYERS]


def plan_layers(site: Site) -> Iterator[Step]:
    """Compare the newest bytes with the versions there are."""
    for name, file in zip(layer_names(site), LAYERS.values(), strict=True):
        wanted = site.zips[file]
        found = _find_version(site, name, wanted)
        if found is None:
            why = f"a version with the new {file}"
            yield Step(CREATE, "layer", name, why, _publisher(site, name, wanted))
        else:
            site.layers[name] = found
            yield Step(KEEP, "layer", name, f"version {found}")


def _find_version(site: Site, name: str, wanted: Zip) -> int | None:
    """Find the version with these bytes, waiting for one that is being published."""
    try:
        listed = site.api.call("scf", "ListLayerVersions", {"LayerName": name})
    except CallRefused as refused:
        if not refused.is_one_of("ResourceNotFound"):
            raise
        return None
    fit = [
        version
        for version in listed.get("LayerVersions") or []
        if version.get("Description") == _describe(wanted)
        and version.get("Status") in {_ACTIVE, _PUBLISHING}
    ]
    if not fit:
        return None
    number = max(int(version["LayerVersion"]) for version in fit)
    _wait(site, name, number)
    return number


def _publisher(site: Site, name: str, wanted: Zip) -> Callable[[], None]:
    def publish() -> None:
        made = site.api.call(
            "scf",
            "PublishLayerVersion",
            {
                "LayerName": name,
                "CompatibleRuntimes": [PYTHON],
                "Content": site.delivery.code(wanted),
                "Description": _describe(wanted),
            },
        )
        number = int(made["LayerVersion"])
        _wait(site, name, number)
        site.layers[name] = number

    return publish


def _wait(site: Site, name: str, number: int) -> None:
    def ask() -> Members:
        asked = {"LayerName": name, "LayerVersion": number}
        return site.api.call("scf", "GetLayerVersion", asked)

    wait_until(site.clock, f"layer {name}", ask, busy={_PUBLISHING}, good={_ACTIVE})


def _describe(wanted: Zip) -> str:
    return f"sha256 {wanted.digest}"
