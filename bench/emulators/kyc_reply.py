"""The KYC platform's replies to queries for results with photos."""

import base64
from functools import cache
from random import Random

NAMES = ("originBankcardPhoto", "bankcardCropPhoto", "bankcardNoPhoto")
END = '},"transactionTime":"20210621174928"}'
RESULT = (
    '{"code":"0","msg":"ok","bizSeqNo":"21062120001184412617492807497465",'
    '"result":{"bizSeqNo":"21062120001184412617492807497465",'
    '"transactionTime":"20210621174928","orderNo":"%s",'
    '"bankCardNo":"6225880000000004","bankCardValidDate":"12/2032",'
    '"warnCode":"0","multiWarnCode":"0","operateTime":"2021-06-21 17:40:06",'
    '"clarity":"79","success":false,'
)


ID_CARD = (
    '{"code":"0","msg":"ok","result":{"orderNo":"%s","frontCode":"0","backCode":"0",'
    '"name":"bench","idcard":"000000199003070014","birth":"19900307",'
    '"validDate":"20160725-20360725","operateTime":"2021-06-21 17:40:06",'
)
ID_CARD_NAMES = ("frontPhoto", "backPhoto", "headPhoto")
FACE = (
    '{"code":"0","msg":"ok","result":{"orderNo":"%s","liveRate":"99","similarity":"90",'
)
MP4 = b"\0\0\0\x18ftypisom"


def build_id_card_reply(order_no: str, size: int) -> tuple[bytes, bytes]:
    """Returns a reply for both sides: three photos of `size` bytes."""
    return (ID_CARD % order_no).encode(), _encode_photos(size, names=ID_CARD_NAMES)


def build_face_reply(order_no: str, size: int) -> tuple[bytes, bytes, bytes]:
    """Returns a reply with a small photo and a video of `size` bytes."""
    photo = _encode_photos(1000, names=("photo",)).partition(b"}")[0]
    return (FACE % order_no).encode(), photo + b",", _encode_video(size)


@cache
def _encode_video(size: int) -> bytes:
    noise = Random(0).randbytes(size)  # noqa: S311 - a video
    video = base64.b64encode(MP4 + noise[len(MP4) :]).decode()
    return (f'"video":"{video}"' + END).encode()


def build_reply(order_no: str, size: int) -> tuple[bytes, bytes]:
    """Returns a reply in two pieces: the fields, and three photos of `size` bytes."""
    return (RESULT % order_no).encode(), _encode_photos(size)


@cache
def _encode_photos(size: int, names: tuple[str, ...] = NAMES) -> bytes:
    """Returns the rest of the reply: three photos of incompressible bytes."""
    photos = []
    for number, name in enumerate(names):
        noise = Random(number).randbytes(size)  # noqa: S311 - a picture
        photo = base64.b64encode(b"\xff\xd8\xff" + noise[3:]).decode()
        photos.append(f'"{name}":"{photo}"')
    return (",".join(photos) + END).encode()
