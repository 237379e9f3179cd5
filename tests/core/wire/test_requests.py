"""Requests carry the parameters that the platform documents, in its spelling."""

import pytest

from kycourier.core.redaction import Secret
from kycourier.core.wire.requests import (
    Profile,
    build_ticket_request,
    build_token_request,
)


@pytest.mark.parametrize(
    ("profile", "app_id_name", "url"),
    [
        (Profile.MINIPROGRAM, "app_id", "https://miniprogram-kyc.tencentcloudapi.com"),
        (Profile.KYC1, "appId", "https://kyc1.qcloud.com"),
    ],
)
def test_profile_has_its_own_host_and_name_of_the_app_id(profile, app_id_name, url):
    assert profile.url == url
    shared = {app_id_name: "A", "version": "1.0.0"}
    token = build_token_request(profile, "A", Secret("s"))
    assert token.path == "/api/oauth2/access_token"
    assert dict(token.query.expose()) == shared | {
        "secret": "s",
        "grant_type": "client_credential",
    }
    ticket = build_ticket_request(profile, "A", Secret("t"))
    assert ticket.path == "/api/oauth2/api_ticket"
    assert dict(ticket.query.expose()) == shared | {"access_token": "t", "type": "SIGN"}
