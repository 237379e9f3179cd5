"""Serves moto on a free loopback port, one request at a time; prints the port.

This script runs in moto's own environment. Requests are serialized because moto's
conditional writes are not atomic among threads. With a file name as argument, it
appends one JSON line to that file for each signed call: access key id, service, action
and the resources that the request names, but nothing of its content.
"""

import io
import json
import logging
import os
import re
import sys
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from moto.cloudformation.parsing import ResourceMap
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

_CREDENTIAL = re.compile(
    r"Credential=(?P<key_id>[^/,]+)/\d+/[^/]+/(?P<service>[^/]+)/aws4_request"
)
_NAMES = ("TableName", "IndexName", "QueueUrl", "QueueName", "SecretId", "Name")

Environ = dict[str, Any]


class _SerialApplication:
    """A WSGI application that handles one request at a time and records it."""

    def __init__(self, application: Any, record: Path | None) -> None:  # noqa: ANN401 - moto is not typed here
        self._application, self._record = application, record
        self._lock = threading.Lock()

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:  # noqa: ANN401 - WSGI's own
        with self._lock:
            call = _describe(environ) if self._record else None
            if call and self._record:
                with self._record.open("a") as file:
                    file.write(json.dumps(call) + "\n")
            return list(self._application(environ, start_response))


def _describe(environ: Environ) -> dict[str, object] | None:
    """Returns the caller and the call; None for an unsigned request."""
    found = _CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", ""))
    if found is None:
        return None
    call: dict[str, object] = {**found.groupdict()}
    target = environ.get("HTTP_X_AMZ_TARGET", "")
    if not target:
        call["action"] = environ["REQUEST_METHOD"]
        call["path"] = environ["PATH_INFO"]
        call["query"] = environ.get("QUERY_STRING", "")
        return call
    size = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(size)
    environ["wsgi.input"] = io.BytesIO(body)
    call["action"] = target.rpartition(".")[2]
    return call | _resources(json.loads(body or b"{}"))


def _resources(members: dict[str, Any]) -> dict[str, object]:
    found: dict[str, object] = {
        name: members[name] for name in _NAMES if name in members
    }
    if isinstance(members.get("RequestItems"), dict):
        found["TableName"] = next(iter(members["RequestItems"]))
    if isinstance(members.get("Entries"), list) and members["Entries"]:
        found["EventBusName"] = members["Entries"][0].get("EventBusName")
    return found


def _retain_like_aws() -> None:
    """Has moto keep what RetainExceptOnCreate retains, a policy unknown to it."""
    delete = ResourceMap.delete

    def delete_others(resources: Any) -> None:  # noqa: ANN401 - moto is not typed here
        for resource in resources._resource_json_map.values():  # noqa: SLF001 - moto's
            if resource.get("DeletionPolicy") == "RetainExceptOnCreate":
                resource["DeletionPolicy"] = "Retain"
        delete(resources)

    ResourceMap.delete = delete_others


def _end_with_parent() -> None:
    """Exits when standard input ends: the parent process is gone."""
    sys.stdin.read()
    os._exit(0)


def main(arguments: list[str]) -> None:
    """Serves until killed."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    _retain_like_aws()
    record = Path(arguments[0]) if arguments else None
    moto = DomainDispatcherApplication(create_backend_app)
    server = make_server(
        "127.0.0.1", 0, _SerialApplication(moto, record), threaded=True
    )
    threading.Thread(target=_end_with_parent, daemon=True).start()
    print(server.port, flush=True)  # noqa: T201 - the parent reads it
    server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1:])
