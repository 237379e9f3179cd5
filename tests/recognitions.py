"""A result as it is recognized, with the photos that came."""

from kycourier.core.hidden import CardNumber, PhotoBytes
from kycourier.core.models import Photo, PhotoKind, Recognition


def recognized(*kinds: PhotoKind, order_no: str | None = "order1") -> Recognition:
    photos = tuple(
        Photo(
            kind=kind,
            content=PhotoBytes(b"x"),
            sha256="0" * 64,
            size_bytes=1,
            media_type="image/jpeg",
        )
        for kind in kinds
    )
    return Recognition(
        order_no=order_no, card_number=CardNumber("4111111111111111"), photos=photos
    )
