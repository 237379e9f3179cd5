"""Checks that the KYC host responds, and compares its clock with this machine's."""

from collections.abc import Iterator
from datetime import datetime
from email.utils import parsedate_to_datetime

from urllib3.util import Timeout

from kycourier.adapters.http.connections import build_pool
from kycourier.adapters.http.responses import transport_errors
from kycourier.adapters.kyc.transport import HEADERS
from kycourier.container import Container
from kycourier.core.causes import Cause
from kycourier.core.errors import TransportError
from kycourier_devkit.doctor.check import NOTE, OK, PROBLEM, CheckResult
from kycourier_devkit.orders.cause_hints import hint_for

MAX_SKEW_SECONDS = 60
_TIMEOUT_SECONDS = 5.0
_MAX_BODY_BYTES = 1 << 16


def check_kyc_host(container: Container) -> Iterator[CheckResult]:
    """Requests `/`, without token or secret, to check the host and the clock."""
    settings = container.settings
    url = settings.kyc_url or settings.kyc_profile.url
    try:
        date = _request_date(url)
    except TransportError as error:
        cause = Cause(error.reason)
        detail = f"{cause.value}: {hint_for(cause, container)}"
        yield CheckResult(PROBLEM, "KYC host", detail)
        return
    yield CheckResult(OK, "KYC host", "responds")
    yield _check_clock(date, container.clock.now())


def _request_date(url: str) -> datetime | None:
    """Returns the host's date; None if its response has none that can be parsed."""
    pool = build_pool(url, connections=1, max_body_bytes=_MAX_BODY_BYTES)
    try:
        with transport_errors("connect_failed"):
            response = pool.urlopen(
                "HEAD",
                "/",
                headers=HEADERS,
                timeout=Timeout(total=_TIMEOUT_SECONDS),
                redirect=False,
                retries=False,
                preload_content=False,
            )
            text = response.headers.get("Date", "")
            response.close()
    finally:
        pool.close()
    try:
        return parsedate_to_datetime(text)
    except ValueError:
        return None


def _check_clock(date: datetime | None, now: datetime) -> CheckResult:
    if date is None or date.tzinfo is None:
        return CheckResult(NOTE, "clock", "not compared: the host sends no date")
    skew = round(abs((now - date).total_seconds()))
    if skew > MAX_SKEW_SECONDS:
        detail = f"{skew} s from the host's clock: correct this machine's"
        return CheckResult(PROBLEM, "clock", detail)
    return CheckResult(OK, "clock", f"within {max(1, skew)} s of the host's")
