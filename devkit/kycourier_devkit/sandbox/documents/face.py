"""Derives the scores of a synthetic face verification from an order number."""

from dataclasses import dataclass
from hashlib import shake_256


@dataclass(frozen=True)
class FaceResult:
    """An order's scores, 0 to 100, as the platform prints them."""

    live_rate: str
    similarity: str


def face_for(order_no: str) -> FaceResult:
    """Returns the scores of an order: those of the same person."""
    digest = shake_256(f"face {order_no}".encode()).digest(3)
    similarity = f"{86 + digest[1] % 14}.{digest[2] % 10}"
    return FaceResult(str(90 + digest[0] % 10), similarity)


def other_similarity(order_no: str) -> str:
    """Returns the score that another comparison of the same person gives."""
    return f"{float(face_for(order_no).similarity) - 1:.1f}"
