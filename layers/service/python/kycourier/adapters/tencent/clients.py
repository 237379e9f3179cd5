"""Calls of Tencent Cloud's API: signed by its SDK, sent by our sessions, and timed.

The SDK reads no environment, tries nothing again and keeps no credentials here.
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
from kycourier.adapters.http_answer import named
from kycourier.adapters.http_connection import build_pool
from kycourier.adapters.http_session import build_session
from kycourier.adapters.surroundings import Surroundings
from kycourier.adapters.tencent.calls import (
    NO_ANSWER,
    NO_TIME,
    UNREACHABLE,
    UNREADABLE,
    NotDone,
    refused,
)
from kycourier.adapters.tencent.credentials import NONE, read_credentials
from kycourier.adapters.tencent.endpoints import find_api
from kycourier.adapters.tencent.silence import silence_libraries
from kycourier.core.errors import UpstreamUnreachable
from kycourier.core.hidden import shows

MOST_SECONDS, LEAST_SECONDS = 3.0, 0.5  # of one attempt, from name to last byte
LAST_SECONDS = 0.5  # of an invocation: not waited into, for a handler must answer
PAUSE_SECONDS = 0.2
CONNECTIONS = 20
MOST_BYTES = 1 << 20
_HEADERS = {"Accept-Encoding": "identity", "User-Agent": f"kycourier/{__version__}"}
_NOT_REACHED = {"resolve", "connect", "tls"}
Members = Mapping[str, Any]
T = TypeVar("T")


@shows()
class Done(msgspec.Struct):
    """What every answer says that is no error."""

    request_id: str = msgspec.field(name="RequestId")


class ApiClient:
    """One service of the API in one region; threads share it."""

    def __init__(
        self,
        service: str,
        version: str,
        region: str,
        around: Surroundings,
    ) -> None:
        """`version` is the API's of the service (`2019-09-23`). Raises SettingError."""
        silence_libraries()
        self._service, self._version, self._region = service, version, region
        self._around = around
        url = find_api(around.environ, service)
        self._session = _session_of(around, url)
        parts = urlsplit(url)
        self._profile = ClientProfile(
            httpProfile=HttpProfile(protocol=parts.scheme, endpoint=parts.netloc),
            disable_region_breaker=True,
        )

    def ask(self, action: str, parameters: Members, answer: type[T]) -> T:
        """Make a call, and once more when it may go through then.

        `answer` are the members that are wanted of the answer. Raises NotDone.
        """
        try:
            return self._attempt(action, parameters, answer)
        except NotDone as not_done:
            again = not_done.passes or not_done.why == UNREACHABLE
            if not again or self._seconds() < PAUSE_SECONDS + LEAST_SECONDS:
                raise
        self._around.clock.sleep(PAUSE_SECONDS)
        return self._attempt(action, parameters, answer)

    def _attempt(self, action: str, parameters: Members, answer: type[T]) -> T:
        seconds = self._seconds()
        if seconds < LEAST_SECONDS:
            raise NotDone(NO_TIME)
        found = read_credentials(self._around.environ)
        if found is None:
            raise NotDone(NONE)
        try:
            credential = Credential(found.secret_id, found.secret_key, found.token)
            client = CommonClient(
                self._service, self._version, credential, self._region, self._profile
            )
            client.request.conn = _Wire(self._session, seconds)
            return _read(client.call(action, dict(parameters)), answer)
        except TencentCloudSDKException as error:
            not_done = _name(error)
        except (ValueError, LookupError, TypeError, AttributeError):
            not_done = NotDone(UNREADABLE, passes=True)  # the SDK reads errors its way
        raise not_done

    def _seconds(self) -> float:
        return min(MOST_SECONDS, self._around.seconds_left() - LAST_SECONDS)


class _Wire:
    """What the SDK sends through in place of its own: our session, for some seconds."""

    request_length = 0  # the SDK copies it

    def __init__(self, session: Session, seconds: float) -> None:
        self._session, self._seconds = session, seconds

    def request(
        self, method: str, url: str, body: str, headers: MutableMapping[str, str]
    ) -> Response:
        """Send, and read the answer whole. Raises UpstreamUnreachable."""
        timeout = Timeout(total=self._seconds)
        with named("protocol"):
            return self._session.request(
                method,
                url,
                data=body.encode(),
                headers=headers,
                timeout=timeout,  # type: ignore[arg-type]  # requests takes it, its stubs not
            )


@shows()
class _ApiAnswer(msgspec.Struct):
    told: dict[str, Any] = msgspec.field(name="Response")


def _read(content: bytes, answer: type[T]) -> T:
    """Read an answer. Raises NotDone; and ValueError, LookupError, TypeError.

    The SDK looks for an error only where the content's type is to its taste.
    """
    told = msgspec.json.decode(content, type=_ApiAnswer).told
    if "Error" in told:
        not_done = refused(told["Error"]["Code"])
        raise not_done
    return msgspec.convert(told, answer)


def _name(error: TencentCloudSDKException) -> NotDone:
    """Tell by the SDK's symbol what went wrong, or by what it had caught."""
    cause = error.__context__
    if isinstance(cause, UpstreamUnreachable):
        is_away = cause.reason in _NOT_REACHED
        return NotDone(UNREACHABLE if is_away else NO_ANSWER, passes=not is_away)
    if error.code == "ServerNetworkError":  # of a status that is not 200
        return _find_refusal(error.message) or NotDone(NO_ANSWER, passes=True)
    if error.code == "ClientNetworkError":
        return NotDone(NO_ANSWER, passes=True)
    return refused(error.code)


def _find_refusal(content: bytes) -> NotDone | None:
    """Find the API's own word in an answer; a gateway before it has none."""
    with suppress(ValueError, LookupError, TypeError):
        told = msgspec.json.decode(content, type=_ApiAnswer).told
        return refused(told["Error"]["Code"])
    return None


def _session_of(around: Surroundings, url: str) -> Session:
    """Give the session to a host that all adapters of these surroundings share."""
    with _making:
        sessions = _made.setdefault(around, {})
        if url not in sessions:
            pool = build_pool(
                url,
                connections=CONNECTIONS,
                max_body_bytes=MOST_BYTES,
                extra_ca_file=around.environ.get("SSL_CERT_FILE") or None,
            )
            sessions[url] = build_session(pool, _HEADERS)
        return sessions[url]


_making = Lock()
_made: WeakKeyDictionary[Surroundings, dict[str, Session]] = WeakKeyDictionary()
