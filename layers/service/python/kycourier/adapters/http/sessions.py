"""Builds muted sessions of `requests` for one host that ignore the environment."""

from collections.abc import Mapping
from http.cookiejar import DefaultCookiePolicy
from typing import Any

from requests import PreparedRequest, Request, Response, Session
from requests.adapters import HTTPAdapter
from requests.cookies import RequestsCookieJar
from requests.hooks import default_hooks
from requests.structures import CaseInsensitiveDict
from urllib3 import HTTPConnectionPool

from kycourier.adapters.http.mute_loggers import mute_loggers

NOISY_LOGGERS = (  # they write URLs, queries included
    "requests",
    "urllib3",
    "urllib3.connection",
    "urllib3.connectionpool",
    "urllib3.poolmanager",
    "urllib3.response",
    "urllib3.util.retry",
)


def mute_http_libraries() -> None:
    """Drops every record of the HTTP libraries' loggers, whatever their level."""
    mute_loggers(NOISY_LOGGERS)


def build_session(pool: HTTPConnectionPool, headers: Mapping[str, str]) -> Session:
    """Builds a session over one pool that sends `headers` and those of the request."""
    session = _UnmergedSession()
    session.trust_env = False  # no proxy, .netrc or certificates from the environment
    session.headers.clear()
    session.headers.update(headers)
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
    adapter = _SinglePoolAdapter(pool)
    for scheme in ("https://", "http://"):
        session.mount(scheme, adapter)
    return session


class _UnmergedSession(Session):
    """A session that merges nothing into requests and follows no redirects."""

    def prepare_request(self, request: Request) -> PreparedRequest:
        """Prepares a request with our headers, in a third of the library's time.

        The URL is encoded already, and there are no cookies, hooks or credentials to
        merge.
        """
        prepared = PreparedRequest()
        prepared.method, prepared.url = request.method, request.url
        headers: dict[Any, Any] = {**self.headers, **(request.headers or {})}
        prepared.headers = CaseInsensitiveDict(headers)
        prepared.prepare_body(request.data, files=None)
        # requests reads this field when it sends
        vars(prepared)["_cookies"] = RequestsCookieJar()
        prepared.hooks = default_hooks()
        return prepared

    def get_redirect_target(self, resp: Response) -> None:
        """Returns None: requests would read a redirect's whole body, uncapped."""


class _SinglePoolAdapter(HTTPAdapter):
    """A transport adapter that always uses one pool, with its certificate checks."""

    def __init__(self, pool: HTTPConnectionPool) -> None:
        super().__init__(max_retries=0)
        self._pool = pool

    def get_connection_with_tls_context(
        self, *_args: object, **_options: object
    ) -> HTTPConnectionPool:
        """Returns the pool, whatever the request's host."""
        return self._pool

    def cert_verify(self, *_args: object) -> None:
        """Does nothing: the pool's certificate checks must not be overridden."""

    def close(self) -> None:
        """Closes the pool."""
        super().close()
        self._pool.close()
