"""Calls Tencent Cloud's API: its SDK signs, our sessions send within a deadline.

The SDK is used without its environment lookup, retries and credential cache.
"""

from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from threading import Lock
from typing import Any, TypeVar
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

import msgspec
from requests import Response, Session
from tencentcloud.common.common_client import CommonClient
from tencentcloud.common.credential import Credential
from tencentcloud.common.exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from urllib3.util import Timeout

from kycourier import __version__
from kycourier.adapters.context import AdapterContext
from kycourier.adapters.http import sessions
from kycourier.adapters.http.api_calls import (
    NO_RESPONSE,
    NO_TIME,
    NOT_CONNECTED,
    UNREACHABLE,
    UNREADABLE,
    CallFailedError,
)
from kycourier.adapters.http.connections import build_pool
from kycourier.adapters.http.mute_loggers import mute_loggers
from kycourier.adapters.http.responses import transport_errors
from kycourier.adapters.http.sessions import build_session
from kycourier.adapters.tencent.credentials import NONE, read_credentials
from kycourier.adapters.tencent.errors import call_failed
from kycourier.adapters.tencent.urls import find_api
from kycourier.core.errors import TransportError
from kycourier.core.redaction import repr_only
from kycourier.core.timing import (
    ADAPTER_RESERVE_SECONDS,
    TENCENT_CALL_MIN_SECONDS,
    TENCENT_CALL_SECONDS,
    TENCENT_PAUSE_SECONDS,
)

CONNECTIONS = 20
MAX_BYTES = 1 << 20
_HEADERS = {"Accept-Encoding": "identity", "User-Agent": f"kycourier/{__version__}"}
Members = Mapping[str, Any]
T = TypeVar("T")
NOISY_LOGGERS = ("tencentcloud_sdk_common", *sessions.NOISY_LOGGERS)


@repr_only()
class EmptyResponse(msgspec.Struct):
    """The members of every response that is not an error."""

    request_id: str = msgspec.field(name="RequestId")


class TencentClient:
    """One service of the API in one region; threads share it."""

    def __init__(
        self,
        service: str,
        version: str,
        region: str,
        context: AdapterContext,
    ) -> None:
        """Opens no connection yet.

        Args:
            service: The service (`ssm`).
            version: The version of its API (`2019-09-23`).
            region: The region.
            context: The process.

        Raises:
            SettingError: the environment's endpoint is invalid.
        """
        mute_sdk()
        self._service, self._version, self._region = service, version, region
        self._context = context
        url = find_api(context.environ, service)
        self._session = _shared_session(context, url)
        parts = urlsplit(url)
        self._profile = ClientProfile(
            httpProfile=HttpProfile(protocol=parts.scheme, endpoint=parts.netloc),
            disable_region_breaker=True,
        )

    def call(self, action: str, parameters: Members, response: type[T]) -> T:
        """Makes a call, and repeats it once after a transient failure.

        Args:
            action: The API's action.
            parameters: Its parameters.
            response: The type of the response, with the members that are needed.

        Raises:
            CallFailedError: the call failed.
        """
        try:
            return self._attempt(action, parameters, response)
        except CallFailedError as failed:
            can_repeat = failed.transient or failed.code == UNREACHABLE
            needed = TENCENT_PAUSE_SECONDS + TENCENT_CALL_MIN_SECONDS
            if not can_repeat or self._seconds() < needed:
                raise
        self._context.clock.sleep(TENCENT_PAUSE_SECONDS)
        return self._attempt(action, parameters, response)

    def _attempt(self, action: str, parameters: Members, response: type[T]) -> T:
        seconds = self._seconds()
        if seconds < TENCENT_CALL_MIN_SECONDS:
            raise CallFailedError(NO_TIME)
        current = read_credentials(self._context.environ)
        if current is None:
            raise CallFailedError(NONE)
        try:
            credential = Credential(
                current.secret_id, current.secret_key, current.token
            )
            client = CommonClient(
                self._service, self._version, credential, self._region, self._profile
            )
            client.request.conn = _SessionConnection(self._session, seconds)
            return _parse(client.call(action, dict(parameters)), response)
        except TencentCloudSDKException as error:
            failed = _classify(error)
        except (ValueError, LookupError, TypeError, AttributeError):
            # The SDK parses error responses itself and raises these for bad ones.
            failed = CallFailedError(UNREADABLE, transient=True)
        raise failed

    def _seconds(self) -> float:
        return min(
            TENCENT_CALL_SECONDS, self._context.seconds_left() - ADAPTER_RESERVE_SECONDS
        )


def mute_sdk() -> None:
    """Drops every record of the SDK's loggers: at DEBUG they write whole requests."""
    mute_loggers(NOISY_LOGGERS)


class _SessionConnection:
    """Replaces the SDK's connection by our session, with a deadline."""

    request_length = 0  # the SDK copies it

    def __init__(self, session: Session, seconds: float) -> None:
        self._session, self._seconds = session, seconds

    def request(
        self, method: str, url: str, body: str, headers: MutableMapping[str, str]
    ) -> Response:
        """Sends, and reads the whole response. Raises TransportError."""
        timeout = Timeout(total=self._seconds)
        with transport_errors("reply_not_http"):
            return self._session.request(
                method,
                url,
                data=body.encode(),
                headers=headers,
                timeout=timeout,  # type: ignore[arg-type]  # stubs lack urllib3's type
            )


@repr_only()
class _ApiResponse(msgspec.Struct):
    members: dict[str, Any] = msgspec.field(name="Response")


def _parse(content: bytes, response: type[T]) -> T:
    """Parses a response, which may be an error that the SDK did not detect.

    The SDK looks for errors only in responses of some content types.

    Raises:
        CallFailedError: it is an error.
        ValueError: it cannot be parsed; also LookupError, TypeError.
    """
    members = msgspec.json.decode(content, type=_ApiResponse).members
    if "Error" in members:
        raise call_failed(members["Error"]["Code"])
    return msgspec.convert(members, response)


def _classify(error: TencentCloudSDKException) -> CallFailedError:
    """Classifies an SDK error by its code, or by the error that it wraps."""
    cause = error.__context__
    if isinstance(cause, TransportError):
        if cause.reason in NOT_CONNECTED:
            return CallFailedError(UNREACHABLE)
        return CallFailedError(NO_RESPONSE, transient=True)
    if error.code == "ServerNetworkError":  # of a status that is not 200
        return _find_api_error(error.message) or CallFailedError(
            NO_RESPONSE, transient=True
        )
    if error.code == "ClientNetworkError":
        return CallFailedError(NO_RESPONSE, transient=True)
    return call_failed(error.code)


def _find_api_error(content: bytes) -> CallFailedError | None:
    """Finds the API's error code in a response; a gateway's response has none."""
    with suppress(ValueError, LookupError, TypeError):
        members = msgspec.json.decode(content, type=_ApiResponse).members
        return call_failed(members["Error"]["Code"])
    return None


def _shared_session(context: AdapterContext, url: str) -> Session:
    """Returns the session for a host, shared by all adapters of the context."""
    with _sessions_lock:
        by_url = _sessions.setdefault(context, {})
        if url not in by_url:
            pool = build_pool(
                url,
                connections=CONNECTIONS,
                max_body_bytes=MAX_BYTES,
                extra_ca_file=context.environ.get("SSL_CERT_FILE") or None,
            )
            by_url[url] = build_session(pool, _HEADERS)
        return by_url[url]


_sessions_lock = Lock()
_sessions: WeakKeyDictionary[AdapterContext, dict[str, Session]] = WeakKeyDictionary()
