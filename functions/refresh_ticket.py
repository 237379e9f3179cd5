"""Keeps the ticket pair fresh; a timer runs it every five minutes.

Settings: KYCOURIER_APP_ID, _APP_SECRET, _STATE, _TICKET, and those of the KYC host.
"""

from kycourier.cold_start import cold_start

with cold_start():
    from kycourier.bootstrap import start_refresh_ticket

    _function = start_refresh_ticket()


def handler(event: object, context: object) -> object:
    """Refreshes the pair if it is stale; the event is not read.

    Returns the pair's generation, age and freshness. Raises HandlerFailedError.
    """
    return _function.invoke(event, context)
