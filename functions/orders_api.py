"""Serves the HTTP API, which registers, collects and returns orders.

Settings: those of collect_results, except _APP_SECRET; KYCOURIER_API_AUTH, _API_KEYS.
"""

from kycourier.cold_start import cold_start

with cold_start():
    from kycourier.bootstrap import start_orders_api

    _function = start_orders_api()


def handler(event: object, context: object) -> object:
    """Responds to an HTTP event of API Gateway or a function URL; see openapi.json.

    Returns `statusCode`, `headers` and `body`. Every failure, even a timeout, is a
    problem detail; nothing is raised.
    """
    return _function.invoke(event, context)
