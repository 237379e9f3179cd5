"""Sessions of requests that know one host, and nothing of the environment; silent."""

from collections.abc import Mapping
from http.cookiejar import DefaultCookiePolicy
from typing import Any

from requests import PreparedRequest, Request, Response, Session
from requests.adapters import HTTPAdapter
from requests.cookies import RequestsCookieJar
from requests.hooks import default_hooks
from requests.structures import CaseInsensitiveDict
from urllib3 import HTTPConnectionPool

from kycourier.adapters.silence import shut_loggers

LOUD_LOGGERS = (  # they write URLs, queries included
    "requests",
    "urllib3",
    "urllib3.connection",
    "urllib3.connectionpool",
    "urllib3.poolmanager",
    "urllib3.response",
    "urllib3.util.retry",
)


def silence_libraries() -> None:
    """Drop every record of the HTTP libraries' loggers, whatever their level."""
    shut_loggers(LOUD_LOGGERS)


def build_session(pool: HTTPConnectionPool, headers: Mapping[str, str]) -> Session:
    """Make a session over one pool that sends `headers` and what a call adds."""
    session = _PlainSession()
    session.trust_env = False  # no proxy, .netrc or certificates from the environment
    session.headers.clear()
    session.headers.update(headers)
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
    adapter = _OneHost(pool)
    for scheme in ("https://", "http://"):
        session.mount(scheme, adapter)
    return session


class _PlainSession(Session):
    """A session to which a redirect is a reply like any other."""

    def prepare_request(self, request: Request) -> PreparedRequest:
        """Take a request as it is, with our headers: a third of what requests spends.

        It is spelled already, and there are no cookies, hooks or credentials to merge.
        """
        prepared = PreparedRequest()
        prepared.method, prepared.url = request.method, request.url
        headers: dict[Any, Any] = {**self.headers, **(request.headers or {})}
        prepared.headers = CaseInsensitiveDict(headers)
        prepared.prepare_body(request.data, files=None)
        vars(prepared)["_cookies"] = (
            RequestsCookieJar()
        )  # where requests looks for them
        prepared.hooks = default_hooks()
        return prepared

    def get_redirect_target(self, resp: Response) -> None:
        """See none: else requests reads the whole body, uncapped, to prepare it."""


class _OneHost(HTTPAdapter):
    """requests' way into one pool, the only one, whose certificate checks stand."""

    def __init__(self, pool: HTTPConnectionPool) -> None:
        super().__init__(max_retries=0)
        self._pool = pool

    def get_connection_with_tls_context(
        self, *_args: object, **_options: object
    ) -> HTTPConnectionPool:
        """Give the pool, whatever the request's host."""
        return self._pool

    def cert_verify(self, *_args: object) -> None:
        """Leave the pool as it is, whatever `verify` says."""

    def close(self) -> None:
        """Close the pool."""
        super().close()
        self._pool.close()
