"""The differences between the clouds that zips are built for."""

from collections.abc import Mapping

from msgspec import Struct


class Cloud(Struct, frozen=True, kw_only=True):
    """A cloud's Python, paths, file names and wheel tags.

    Attributes:
        code_path: Where the cloud unpacks a function's zip.
        layers_path: Where it unpacks the layers.
        import_root: The folder of a layer that is on `sys.path`; empty for its root.
        lock_folder: Holds the SDK layer's lock files.
        sealing_zip: The layer for sealed results; its lock is the same in each cloud.
        platforms: Wheel tags by architecture. `{}` in a file name stands for the
            architecture.
    """

    name: str
    python: str
    functions_zip: str
    service_zip: str
    sdk_zip: str
    sealing_zip: str
    bom: str
    sealing_bom: str
    code_path: str
    layers_path: str
    import_root: str
    lock_folder: str
    platforms: Mapping[str, tuple[str, ...]]

    @property
    def architectures(self) -> tuple[str, ...]:
        """The architectures that the SDK layer is built for."""
        return tuple(self.platforms)

    @property
    def all_zip_names(self) -> list[str]:
        """The names of all zips, with library layers for each architecture."""
        sdks = map(self.sdk_zip_name, self.architectures)
        sealing = map(self.sealing_zip_name, self.architectures)
        return [self.functions_zip, self.service_zip, *sdks, *sealing]

    def sdk_zip_name(self, architecture: str) -> str:
        """Returns the name of the SDK layer's zip."""
        return self.sdk_zip.format(architecture)

    def sealing_zip_name(self, architecture: str) -> str:
        """Returns the name of the zip of the layer for sealed results."""
        return self.sealing_zip.format(architecture)

    def zip_names(self, architecture: str) -> tuple[str, ...]:
        """Returns the zips of a function: its code, the service and the SDK layer."""
        return self.functions_zip, self.service_zip, self.sdk_zip_name(architecture)

    def bom_name(self, architecture: str) -> str:
        """Returns the name of the bill of materials of such a function."""
        return self.bom.format(architecture)

    def sealing_bom_name(self, architecture: str) -> str:
        """Returns the name of the bill of materials of the layer for sealed results."""
        return self.sealing_bom.format(architecture)


SEALING_LOCK = "layers/sdk_sealing/requirements.txt"

# Lambda's Python 3.13 runs on Amazon Linux 2023 with glibc 2.34. Every tag is listed:
# pip does not infer older tags, and would choose an older release instead.
AWS = Cloud(
    name="aws",
    python="3.13",
    functions_zip="functions.zip",
    service_zip="service.zip",
    sdk_zip="sdk-aws-{}.zip",
    sealing_zip="sdk-sealing-{}.zip",
    bom="kycourier-{}.cdx.json",
    sealing_bom="kycourier-sealing-{}.cdx.json",
    code_path="/var/task",
    layers_path="/opt",
    import_root="python",
    lock_folder="layers/sdk_aws",
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
# The glibc of SCF's Python is not documented, so the wheels are for glibc 2.17, the
# oldest that there are wheels of Python 3.10 for.
TENCENT = Cloud(
    name="tencent",
    python="3.10",
    functions_zip="scf-functions.zip",
    service_zip="scf-service.zip",
    sdk_zip="scf-sdk.zip",
    sealing_zip="scf-sdk-sealing.zip",
    bom="kycourier-scf.cdx.json",
    sealing_bom="kycourier-scf-sealing.cdx.json",
    code_path="/var/user",
    layers_path="/opt",
    import_root="",
    lock_folder="layers/sdk_tencent",
    platforms={"x86_64": ("manylinux2014_x86_64", "manylinux_2_17_x86_64")},
)
CLOUDS = {cloud.name: cloud for cloud in (AWS, TENCENT)}
