"""moto's server on a free port of loopback, one request at a time; prints the port.

Run by the interpreter of moto's own environment. One at a time, because moto's
conditional writes are not atomic among threads.
"""

import logging
import threading
from collections.abc import Iterable
from typing import Any

from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server


class _OneAtATime:
    """A WSGI application that lets one request in."""

    def __init__(self, application: Any) -> None:  # noqa: ANN401 - moto is not typed here
        self._application, self._turn = application, threading.Lock()

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:  # noqa: ANN401 - WSGI's own
        with self._turn:
            return list(self._application(environ, start_response))


def main() -> None:
    """Serve until killed."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    application = _OneAtATime(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, application, threaded=True)
    print(server.port, flush=True)  # noqa: T201 - what the parent waits for
    server.serve_forever()


if __name__ == "__main__":
    main()
