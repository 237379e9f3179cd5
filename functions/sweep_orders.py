"""Works on whatever is due and nobody works on; a timer runs it every minute.

Settings: those of collect_results.
"""

from kycourier.cold_start import cold_start

with cold_start():
    from kycourier.bootstrap import start_sweep_orders

    _function = start_sweep_orders()


def handler(event: object, context: object) -> object:
    """Sweeps until nothing is due or time is short; the event is not read.

    Returns how many orders were due, unsent and skipped. Raises HandlerFailedError.
    """
    return _function.invoke(event, context)
