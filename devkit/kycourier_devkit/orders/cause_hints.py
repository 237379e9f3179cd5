"""Says what to do about a cause; `docs/operations.md` has the long form."""

from kycourier.container import Container
from kycourier.core.causes import Cause, LastProblem, Problem
from kycourier_devkit.workspace.local_settings import SANDBOX_URL

SANDBOX_HINT = "start `kycourier sandbox` or `kycourier serve`"
HINTS = {
    Cause.RESOLVE_FAILED: "check the host in KYCOURIER_KYC_URL, and this network's DNS",
    Cause.CONNECT_FAILED: "check KYCOURIER_KYC_URL, the route and the firewall",
    Cause.TLS_FAILED: "check the host's certificate; SSL_CERT_FILE adds a root",
    Cause.TIMED_OUT: "the platform is slow or unreachable: wait, check the route",
    Cause.CONNECTION_RESET: "the platform or a proxy ends the connection: wait",
    Cause.REPLY_TOO_LARGE: "raise KYCOURIER_MAX_REPLY_BYTES if photos are that large",
    Cause.REPLY_ENCODED: "a proxy compresses replies: have it pass them unchanged",
    Cause.REPLY_NOT_HTTP: "something else than the platform replies at this address",
    Cause.HTTP_STATUS: "429 and 5xx: wait; other 4xx: check app id and allow-list",
    Cause.REPLY_NOT_JSON: "a proxy or gateway page replies instead of the platform",
    Cause.REPLY_MALFORMED: "the platform's reply changed: report the field",
    Cause.PHOTO_UNREADABLE: "the photo is not Base64: ask for another scan",
    Cause.CODE_THROTTLED: "too many calls: lower KYCOURIER_MAX_IN_FLIGHT",
    Cause.CODE_TRANSIENT: "the platform has a fault of its own: wait",
    Cause.CODE_PERMANENT: "look the code up, mend it, then `kycourier resume ORDER`",
    Cause.CODE_UNKNOWN: "look the code up with the vendor",
    Cause.TICKET_MISSING: "another worker refreshes it; else run `kycourier refresh`",
    Cause.TICKET_UNREADABLE: "store the bare ticket where KYCOURIER_TICKET points",
    Cause.TICKET_REFUSED: "does another service refresh this app's ticket?",
    Cause.REFRESH_REFUSED: "check KYCOURIER_APP_ID, the secret and the allow-list",
    Cause.APP_STOPPED: "ask the vendor about the app, then `kycourier resume`",
    Cause.BREAKER_OPEN: "calls pause after failures: `kycourier doctor` shows which",
    Cause.STORE_UNAVAILABLE: "check KYCOURIER_STATE and its rights",
    Cause.EVIDENCE_UNAVAILABLE: "check KYCOURIER_EVIDENCE and its rights",
    Cause.EVIDENCE_CONFLICT: "other bytes lie under the same key: see operations.md",
    Cause.SINK_UNAVAILABLE: "check KYCOURIER_EVENTS and its rights",
    Cause.SECRET_UNREADABLE: "check the secret's reference and its rights",
    Cause.NEWER_SCHEMA: "a newer release wrote it: finish the upgrade",
    Cause.OUT_OF_TIME: "the function's time limit is short: raise it",
}


def hint_for(cause: Cause, container: Container) -> str:
    """Returns what to do; for the sandbox, that it is not running."""
    if cause is Cause.CONNECT_FAILED and container.settings.kyc_url == SANDBOX_URL:
        return SANDBOX_HINT
    return HINTS[cause]


def describe_problem(problem: Problem | LastProblem) -> str:
    """Returns a cause with what is known of it: `http_status 503`."""
    if problem.http_status is not None:
        return f"{problem.cause.value} {problem.http_status}"
    known = problem.code or problem.detail
    return f"{problem.cause.value} {known}" if known else problem.cause.value
