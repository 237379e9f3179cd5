"""Which loggers of Tencent Cloud's SDK write what passes through them: all are shut.

The SDK has one logger for all its modules; below it are requests and urllib3.
"""

from kycourier.adapters import http_session
from kycourier.adapters.silence import shut_loggers

LOUD_LOGGERS = ("tencentcloud_sdk_common", *http_session.LOUD_LOGGERS)


def silence_libraries() -> None:
    """Drop every record of these loggers: at DEBUG they write whole requests."""
    shut_loggers(LOUD_LOGGERS)
