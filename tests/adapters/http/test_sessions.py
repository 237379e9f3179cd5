"""Our session prepares requests exactly as requests.Session does."""

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from requests import Request, Session
from urllib3 import HTTPConnectionPool

from kycourier.adapters.http.sessions import build_session

PLAIN = {"Accept": "application/json", "User-Agent": "kycourier"}
WORDS = st.text(st.characters(codec="utf-8"), max_size=20)
PAIRS = st.lists(st.tuples(WORDS, WORDS), max_size=5)
HEADERS = st.dictionaries(
    st.sampled_from(["X-One", "x-two", "user-agent", "Content-Type"]),
    st.text("abcdef0123456789=/;", min_size=1, max_size=20),
)
BODIES = st.none() | st.binary(max_size=100)


@pytest.fixture(scope="module")
def ours():
    return build_session(HTTPConnectionPool("127.0.0.1"), PLAIN)


@pytest.fixture(scope="module")
def theirs():
    session = Session()
    session.trust_env = False
    session.headers.clear()
    session.headers.update(PLAIN)
    return session


@given(pairs=PAIRS, headers=HEADERS, body=BODIES)
def test_request_is_prepared_as_requests_prepares_it(
    ours, theirs, pairs, headers, body
):
    url = f"https://127.0.0.1:8443/api/path?{urlencode(pairs)}"
    method = "GET" if body is None else "POST"
    request = Request(method, url.removesuffix("?"), headers=headers, data=body)

    mine, their = (each.prepare_request(request) for each in (ours, theirs))

    assert (mine.method, mine.url, mine.body) == (their.method, their.url, their.body)
    assert mine.headers == their.headers
    assert mine.path_url == their.path_url
    assert mine.hooks == their.hooks
