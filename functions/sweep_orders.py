"""Timer → due orders, ended leases, unsent events, unreferenced objects.

Runs every minute; the net below queue and API. Settings: those of collect_results.
"""

from kycourier.cold_start import cold_start

with cold_start():
    from kycourier.bootstrap import start_sweep_orders

    _function = start_sweep_orders()


def handler(event: object, context: object) -> object:
    """Work through what is due until nothing is left or time is short.

    `event` is not read: EventBridge's scheduled event, SCF's timer or an empty one
    will do. Gives what was found. Raises HandlerFailed alone.
    """
    return _function.invoke(event, context)
