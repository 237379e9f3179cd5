"""Timer → a new ticket pair, once the one in use has grown stale.

Runs every 5 minutes; asks the platform only when it must. Settings: KYCOURIER_APP_ID,
_APP_SECRET, _STATE, _TICKET, and those of the KYC host.
"""

from kycourier.cold_start import cold_start

with cold_start():
    from kycourier.bootstrap import start_refresh_ticket

    _function = start_refresh_ticket()


def handler(event: object, context: object) -> object:
    """Refresh the ticket pair if it is due.

    `event` is not read: EventBridge's scheduled event, SCF's timer or an empty one
    will do. Gives the pair's generation, age and freshness. Raises HandlerFailed alone.
    """
    return _function.invoke(event, context)
