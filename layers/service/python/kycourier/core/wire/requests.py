"""Builds the platform's requests, in its own spelling."""

from collections.abc import Mapping
from enum import Enum

import msgspec

from kycourier.core.redaction import Query, RequestBody, Secret
from kycourier.core.wire.messages import KycRequest
from kycourier.core.wire.signature import sign

VERSION = "1.0.0"


class Profile(Enum):
    """A platform host, and how its token and ticket calls spell the app id."""

    MINIPROGRAM = ("https://miniprogram-kyc.tencentcloudapi.com", "app_id")
    KYC1 = ("https://kyc1.qcloud.com", "appId")

    @property
    def url(self) -> str:
        """The profile's base URL."""
        return self.value[0]

    @property
    def app_id_name(self) -> str:
        """The parameter's name in token and ticket calls; queries keep `app_id`."""
        return self.value[1]


def build_token_request(profile: Profile, app_id: str, secret: Secret) -> KycRequest:
    """Builds the request for an access token (1007/37304)."""
    return _build(
        "/api/oauth2/access_token",
        {
            profile.app_id_name: app_id,
            "secret": secret.expose(),
            "grant_type": "client_credential",
            "version": VERSION,
        },
    )


def build_ticket_request(profile: Profile, app_id: str, token: Secret) -> KycRequest:
    """Builds the request for the SIGN ticket that belongs to `token` (1007/37305)."""
    return _build(
        "/api/oauth2/api_ticket",
        {
            profile.app_id_name: app_id,
            "access_token": token.expose(),
            "type": "SIGN",
            "version": VERSION,
        },
    )


def build_signed_query(
    path: str,
    *,
    app_id: str,
    order_no: str,
    ticket: Secret,
    nonce: str,
    unsigned: Mapping[str, str],
) -> KycRequest:
    """Builds a query for one order's result, signed with five values (1007/37307).

    Args:
        path: The document's path.
        app_id: The app's wbappid.
        order_no: 1 to 32 letters and digits.
        ticket: The SIGN ticket.
        nonce: 32 letters and digits.
        unsigned: Parameters that are sent but not signed.
    """
    signature = sign((app_id, order_no, VERSION, ticket.expose(), nonce))
    return _build(
        path,
        {
            "app_id": app_id,
            "order_no": order_no,
            **unsigned,
            "nonce": nonce,
            "version": VERSION,
            "sign": signature.expose(),
        },
    )


def build_signed_call(
    path: str,
    *,
    app_id: str,
    order_no: str,
    ticket: Secret,
    nonce: str,
    unsigned: Mapping[str, str],
    max_reply_bytes: int | None = None,
) -> KycRequest:
    """Builds a query that is a POST of JSON, signed with the same five values.

    The order number is in the URL and in the body (655/32052), the signature in the
    body alone. Arguments as for `build_signed_query`.
    """
    signature = sign((app_id, order_no, VERSION, ticket.expose(), nonce))
    body = {
        "appId": app_id,
        "orderNo": order_no,
        **unsigned,
        "nonce": nonce,
        "version": VERSION,
        "sign": signature.expose(),
    }
    return KycRequest(
        path=path,
        query=Query((("orderNo", order_no),)),
        body=RequestBody(msgspec.json.encode(body)),
        max_reply_bytes=max_reply_bytes,
    )


def _build(path: str, query: Mapping[str, str]) -> KycRequest:
    return KycRequest(path=path, query=Query(tuple(query.items())))
