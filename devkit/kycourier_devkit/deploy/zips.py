"""Reads the built zips and delivers their bytes to SCF, inline or through a bucket."""

import base64
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from msgspec import Struct

from kycourier_devkit.errors import UsageError
from kycourier_devkit.package.clouds import TENCENT

FUNCTIONS_ZIP, SERVICE_ZIP, SDK_ZIP = TENCENT.zip_names(*TENCENT.architectures)
SEALING_ZIP = TENCENT.sealing_zip_name(*TENCENT.architectures)
MAX_INLINE_BYTES = 8_000_000  # in Base64; the API accepts requests of 10 MB
Upload = Callable[[str, bytes], None]


class CodeZip(Struct, frozen=True):
    """A built zip in memory."""

    name: str
    content: bytes

    @property
    def digest(self) -> str:
        """SHA-256 in hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def is_large(self) -> bool:
        """Whether it is too large to be sent in a request."""
        return len(self.content) * 4 // 3 + 4 > MAX_INLINE_BYTES

    @property
    def key(self) -> str:
        """The key of its object in a bucket, different for different content."""
        return f"kycourier-packages/{self.digest}.zip"


class CodeDelivery(Struct, frozen=True, kw_only=True):
    """Delivers zips in the request, or through `bucket` if they are too large."""

    bucket: str | None
    region: str
    upload: Upload

    def code(self, zipped: CodeZip) -> dict[str, Any]:
        """Returns the API's `Code` member; uploads the zip first if it is large."""
        if not zipped.is_large:
            return {"ZipFile": base64.b64encode(zipped.content).decode()}
        self.upload(zipped.key, zipped.content)
        name_without_appid = (self.bucket or "").rpartition("-")[0]
        return {
            "CosBucketName": name_without_appid,
            "CosObjectName": f"/{zipped.key}",
            "CosBucketRegion": self.region,
        }


def read_zips(folder: Path, *, with_sealing: bool) -> dict[str, CodeZip]:
    """Returns the zips of a deployment by name.

    Raises:
        UsageError: One is missing.
    """
    names = [FUNCTIONS_ZIP, SERVICE_ZIP, SDK_ZIP]
    try:
        return {
            name: CodeZip(name, (folder / name).read_bytes())
            for name in [*names, *([SEALING_ZIP] if with_sealing else [])]
        }
    except OSError as error:
        missing = Path(error.filename or folder).name
    raise UsageError(
        f"{missing} is not in {folder.name}/. Build it: make package-tencent"
    )
