"""Requests carry the parameters that the platform documents, in its spelling."""

import pytest

from kycourier.core.redaction import Secret
from kycourier.core.wire.requests import (
    Profile,
    build_signed_query,
    build_ticket_request,
    build_token_request,
)

PROFILES = [
    (Profile.MINIPROGRAM, "app_id", "https://miniprogram-kyc.tencentcloudapi.com"),
    (Profile.KYC1, "appId", "https://kyc1.qcloud.com"),
]


@pytest.mark.parametrize(("profile", "_app_id_name", "url"), PROFILES)
def test_profile_has_its_own_host(profile, _app_id_name, url):
    assert profile.url == url


@pytest.mark.parametrize(("profile", "app_id_name", "_url"), PROFILES)
def test_token_request_holds_secret_and_app_id(profile, app_id_name, _url):
    request = build_token_request(profile, "A", Secret("s"))
    assert request.path == "/api/oauth2/access_token"
    assert dict(request.query.expose()) == {
        app_id_name: "A",
        "secret": "s",
        "grant_type": "client_credential",
        "version": "1.0.0",
    }


@pytest.mark.parametrize(("profile", "app_id_name", "_url"), PROFILES)
def test_ticket_request_holds_token_and_app_id(profile, app_id_name, _url):
    request = build_ticket_request(profile, "A", Secret("t"))
    assert request.path == "/api/oauth2/api_ticket"
    assert dict(request.query.expose()) == {
        app_id_name: "A",
        "access_token": "t",
        "type": "SIGN",
        "version": "1.0.0",
    }


def test_query_is_signed_without_its_unsigned_parameters():
    nonce = "kHoSxvLZGxSoFsjxlbzEoUzh5PAnTU7T"
    ticket = "FxlAe3HFtEy73Um0pJNzIUriwtfnS3KRcPXiesd5ulS4XRAIcT0FbfaP52dwZf5S"
    request = build_signed_query(
        "/api/result",
        app_id="appId001",
        order_no="aabc1457895464",
        ticket=Secret(ticket),
        nonce=nonce,
        unsigned={"get_file": "1"},
    )
    assert request.path == "/api/result"
    assert dict(request.query.expose()) == {
        "app_id": "appId001",
        "order_no": "aabc1457895464",
        "get_file": "1",
        "nonce": nonce,
        "version": "1.0.0",
        "sign": "993D057C652D97FD90D5D298F2E5DC4B8D893CBC",  # vector V1
    }
