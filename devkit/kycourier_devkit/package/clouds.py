"""What differs between the clouds that are packaged for."""

from collections.abc import Mapping

from msgspec import Struct


class Cloud(Struct, frozen=True, kw_only=True):
    """Where a cloud unpacks the zips, what runs them, and what they are called.

    `in_layer` is the folder at a layer's root that imports begin in, empty for the root
    itself. `sdk` is the folder of the SDK layer's locks. `platforms` names each
    architecture's wheel tags; `{}` in a name stands for the architecture.
    """

    name: str
    python: str
    functions_zip: str
    service_zip: str
    sdk_zip: str
    bom: str
    code_at: str
    layers_at: str
    in_layer: str
    sdk: str
    platforms: Mapping[str, tuple[str, ...]]

    @property
    def architectures(self) -> tuple[str, ...]:
        """Name the architectures that the SDK layer is built for."""
        return tuple(self.platforms)

    def name_sdk_zip(self, architecture: str) -> str:
        """Name the SDK layer's zip."""
        return self.sdk_zip.format(architecture)

    def name_set(self, architecture: str) -> tuple[str, ...]:
        """Name the zips that one function of an architecture is deployed with."""
        return self.functions_zip, self.service_zip, self.name_sdk_zip(architecture)

    def name_bom(self, architecture: str) -> str:
        """Name the bill of materials of such a function."""
        return self.bom.format(architecture)


# Lambda's Python 3.13 runs on Amazon Linux 2023, whose glibc is 2.34. Every tag is
# asked for by name: pip takes none for another, and may choose an old release instead.
AWS = Cloud(
    name="aws",
    python="3.13",
    functions_zip="functions.zip",
    service_zip="service.zip",
    sdk_zip="sdk-aws-{}.zip",
    bom="kycourier-{}.cdx.json",
    code_at="/var/task",
    layers_at="/opt",
    in_layer="python",
    sdk="layers/sdk_aws",
    platforms={
        "x86_64": (
            "manylinux2014_x86_64",
            "manylinux_2_17_x86_64",
            "manylinux_2_28_x86_64",
        ),
        "arm64": (
            "manylinux2014_aarch64",
            "manylinux_2_17_aarch64",
            "manylinux_2_24_aarch64",
            "manylinux_2_28_aarch64",
        ),
    },
)
# What SCF's Python stands on is nowhere said: so the wheels are those for glibc 2.17,
# the oldest that Python 3.10's are built for.
TENCENT = Cloud(
    name="tencent",
    python="3.10",
    functions_zip="scf-functions.zip",
    service_zip="scf-service.zip",
    sdk_zip="scf-sdk.zip",
    bom="kycourier-scf.cdx.json",
    code_at="/var/user",
    layers_at="/opt",
    in_layer="",
    sdk="layers/sdk_tencent",
    platforms={"x86_64": ("manylinux2014_x86_64", "manylinux_2_17_x86_64")},
)
CLOUDS = {cloud.name: cloud for cloud in (AWS, TENCENT)}
