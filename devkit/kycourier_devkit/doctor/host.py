"""The doctor's look at the KYC host: whether it answers, and what time it has."""

from collections.abc import Iterator
from datetime import datetime
from email.utils import parsedate_to_datetime

from urllib3.util import Timeout

from kycourier.adapters.http_answer import named
from kycourier.adapters.http_connection import build_pool
from kycourier.adapters.kyc_http import HEADERS
from kycourier.assembly import Assembly
from kycourier.core.errors import UpstreamUnreachable
from kycourier_devkit.doctor.examined import NOTE, OK, PROBLEM, Row
from kycourier_devkit.orders.parts import SANDBOX_HINT, calls_sandbox

MOST_SKEW_SECONDS = 60
_SECONDS = 5.0
_REASONS = {
    "resolve": "its name does not resolve",
    "connect": "nothing answers there",
    "tls": "its certificate is not trusted",
    "timeout": f"no answer within {_SECONDS:g} s",
}


def examine_host(parts: Assembly) -> Iterator[Row]:
    """Ask for `/` without token or secret. Gives rows for the host and the clock."""
    settings = parts.settings
    url = settings.kyc_url or settings.kyc_profile.url
    try:
        date = _ask_for_date(url)
    except UpstreamUnreachable as error:
        why = _REASONS.get(error.reason, f"no usable answer ({error.reason})")
        if calls_sandbox(parts):
            why = SANDBOX_HINT
        yield Row(PROBLEM, "KYC host", why)
        return
    yield Row(OK, "KYC host", "answers")
    yield _examine_clock(date, parts.clock.now())


def _ask_for_date(url: str) -> datetime | None:
    pool = build_pool(url, connections=1, max_body_bytes=1 << 16)
    try:
        with named("connect"):
            answer = pool.urlopen(
                "HEAD",
                "/",
                headers=HEADERS,
                timeout=Timeout(total=_SECONDS),
                redirect=False,
                retries=False,
                preload_content=False,
            )
            text = answer.headers.get("Date", "")
            answer.close()
    finally:
        pool.close()
    try:
        return parsedate_to_datetime(text)
    except ValueError:
        return None


def _examine_clock(date: datetime | None, now: datetime) -> Row:
    if date is None or date.tzinfo is None:
        return Row(NOTE, "clock", "the host does not say what time it has")
    skew = round(abs((now - date).total_seconds()))
    if skew > MOST_SKEW_SECONDS:
        return Row(PROBLEM, "clock", f"{skew} s from the host's: set this machine's")
    return Row(OK, "clock", f"within {max(1, skew)} s of the host's")
