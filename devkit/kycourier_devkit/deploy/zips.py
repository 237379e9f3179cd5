"""The built zips: their digests, and how their bytes reach SCF."""

import base64
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from msgspec import Struct

from kycourier_devkit.errors import UsageProblem
from kycourier_devkit.package.clouds import TENCENT

FUNCTIONS_ZIP, SERVICE_ZIP, SDK_ZIP = TENCENT.name_set(*TENCENT.architectures)
MOST_IN_REQUEST = 8_000_000  # bytes in Base64; the API takes requests of 10 MB
Upload = Callable[[str, bytes], None]


class Zip(Struct, frozen=True):
    """A built zip, whole in memory."""

    name: str
    content: bytes

    @property
    def digest(self) -> str:
        """Give its SHA-256, in hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def is_large(self) -> bool:
        """Tell whether it is too large for a request."""
        return len(self.content) * 4 // 3 + 4 > MOST_IN_REQUEST

    @property
    def key(self) -> str:
        """Name its object in a bucket: other bytes are another object."""
        return f"kycourier-packages/{self.digest}.zip"


class Delivery(Struct, frozen=True, kw_only=True):
    """How zips are handed over: in the request, or by way of a bucket."""

    bucket: str | None
    region: str
    upload: Upload

    def code(self, given: Zip) -> dict[str, Any]:
        """Give the API's `Code` for a zip, uploading it first where it is large."""
        if not given.is_large:
            return {"ZipFile": base64.b64encode(given.content).decode()}
        self.upload(given.key, given.content)
        return {
            "CosBucketName": (self.bucket or "").rpartition("-")[
                0
            ],  # without the appid
            "CosObjectName": f"/{given.key}",
            "CosBucketRegion": self.region,
        }


def read_zips(folder: Path) -> dict[str, Zip]:
    """Read the three zips. Raises UsageProblem."""
    try:
        return {
            name: Zip(name, (folder / name).read_bytes())
            for name in (FUNCTIONS_ZIP, SERVICE_ZIP, SDK_ZIP)
        }
    except OSError as error:
        missing = Path(error.filename or folder).name
    raise UsageProblem(f"{missing} is not in {folder.name}/: make package-tencent")
