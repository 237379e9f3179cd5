"""The KYC platform's reply to a query for a bank card's result with photos."""

import base64
from functools import cache
from random import Random

NAMES = ("originBankcardPhoto", "bankcardCropPhoto", "bankcardNoPhoto")
RESULT = (
    '{"code":"0","msg":"ok","bizSeqNo":"21062120001184412617492807497465",'
    '"result":{"bizSeqNo":"21062120001184412617492807497465",'
    '"transactionTime":"20210621174928","orderNo":"%s",'
    '"bankCardNo":"6225880000000004","bankCardValidDate":"12/2032",'
    '"warnCode":"0","multiWarnCode":"0","operateTime":"2021-06-21 17:40:06",'
    '"clarity":"79","success":false,'
)


def build_reply(order_no: str, size: int) -> tuple[bytes, bytes]:
    """Returns a reply in two pieces: the fields, and three photos of `size` bytes."""
    return (RESULT % order_no).encode(), _encode_photos(size)


@cache
def _encode_photos(size: int) -> bytes:
    """Returns the rest of the reply: three photos of incompressible bytes."""
    photos = []
    for number, name in enumerate(NAMES):
        noise = Random(number).randbytes(size)  # noqa: S311 - a picture
        photo = base64.b64encode(b"\xff\xd8\xff" + noise[3:]).decode()
        photos.append(f'"{name}":"{photo}"')
    return (",".join(photos) + '},"transactionTime":"20210621174928"}').encode()
