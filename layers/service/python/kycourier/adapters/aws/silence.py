"""Which loggers of AWS's SDK write what passes through them: all are shut."""

from kycourier.adapters.silence import name_loggers, shut_loggers

LOUD_PACKAGES = ("boto3", "botocore", "s3transfer", "urllib3")


def loud_loggers() -> tuple[str, ...]:
    """Name a logger for every module of the SDK: each has one of its own."""
    return name_loggers(LOUD_PACKAGES)


def silence_libraries() -> None:
    """Drop every record of the SDK's loggers: at DEBUG they write whole requests.

    Nor do its connections heed the switch of http.client that prints them.
    """
    shut_loggers(loud_loggers())
    from botocore.awsrequest import (  # noqa: PLC0415 - naming them loads nothing
        AWSHTTPConnection,
        AWSHTTPSConnection,
    )

    for connection in (AWSHTTPConnection, AWSHTTPSConnection):
        connection.debuglevel = 0  # http.client's own prints every request
