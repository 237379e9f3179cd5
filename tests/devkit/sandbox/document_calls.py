"""How each document is queried, as the platform's pages describe it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha1
from urllib.parse import urlencode

from kycourier_devkit.sandbox import APP_ID

JSON_TYPE = {"Content-Type": "application/json"}
NONCE = "kHoSxvLZGxSoFsjxlbzEoUzh5PAnTU7T"


def sign(*values: str) -> str:
    return sha1("".join(sorted(values)).encode(), usedforsecurity=False).hexdigest()


def query_parameters(
    order_no: str, *, ticket: str, nonce: str = NONCE
) -> dict[str, str]:
    return {
        "app_id": APP_ID,
        "order_no": order_no,
        "nonce": nonce,
        "version": "1.0.0",
        "sign": sign(APP_ID, order_no, "1.0.0", ticket, nonce),
    }


@dataclass(frozen=True)
class HttpRequest:
    """A request to the sandbox; the body of a face query is JSON."""

    method: str
    target: str
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class DocumentCall:
    """The query of one document, and what its replies have of photos and codes."""

    title: str
    path: str
    originals: tuple[str, ...]
    crops: tuple[str, ...]
    videos: tuple[str, ...] = ()
    not_ready: str = "66660020"
    no_record: str = "66660020"

    @property
    def photos(self) -> tuple[str, ...]:
        return (*self.originals, *self.crops)

    def request(
        self, order_no: str, *, ticket: str, get_file: str = "0", nonce: str = NONCE
    ) -> HttpRequest:
        parameters = query_parameters(order_no, ticket=ticket, nonce=nonce)
        query = urlencode({**parameters, "get_file": get_file})
        return HttpRequest("GET", f"{self.path}?{query}")


BANK_CARD = DocumentCall(
    "bank card",
    "/api/server/getBankCardOcrResult",
    originals=("originBankcardPhoto",),
    crops=("bankcardCropPhoto", "bankcardNoPhoto"),
    no_record="66660011",
)
ID_CARD = DocumentCall(
    "ID card",
    "/api/server/getOcrResult",
    originals=("frontPhoto", "backPhoto"),
    crops=("frontCrop", "backCrop", "headPhoto"),
)


class FaceCall(DocumentCall):
    """The query of a face: JSON by POST, with the order number in the URL too."""

    def request(
        self, order_no: str, *, ticket: str, get_file: str = "0", nonce: str = NONCE
    ) -> HttpRequest:
        body = face_body(order_no, ticket=ticket, nonce=nonce)
        return self.request_with({**body, "getFile": get_file})

    def request_with(self, body: Mapping[str, object]) -> HttpRequest:
        target = f"{self.path}?{urlencode({'orderNo': body.get('orderNo')})}"
        return HttpRequest("POST", target, json.dumps(body).encode(), JSON_TYPE)


def face_body(order_no: str, *, ticket: str, nonce: str = NONCE) -> dict[str, str]:
    parameters = query_parameters(order_no, ticket=ticket, nonce=nonce)
    app_id, number = parameters.pop("app_id"), parameters.pop("order_no")
    return {"appId": app_id, "orderNo": number, **parameters}


FACE = FaceCall(
    "face",
    "/api/v2/base/queryfacerecord",
    originals=("photo",),
    crops=(),
    videos=("video",),
    not_ready="66660011",
    no_record="66660011",
)
DOCUMENTS = (BANK_CARD, ID_CARD, FACE)
