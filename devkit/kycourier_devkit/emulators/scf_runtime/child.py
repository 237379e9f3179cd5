"""The child process of an SCF function: loads `module.handler`, replies to JSON lines.

Its arguments are the handler and the numbers of two pipes, for requests and replies. It
runs under SCF's Python with the standard library and the packages alone, so it imports
nothing of the devkit.
"""

import importlib
import json
import os
import sys
import traceback
from collections.abc import Callable
from typing import Any, BinaryIO

Handler = Callable[[object, object], object]
Reply = dict[str, Any]
_MEMORY_MEGABYTES = 256


def main(entry: str, requests: int, replies: int) -> None:
    """Imports it, reports whether it loaded, and replies to requests until they end."""
    with open(requests, "rb") as reading, open(replies, "wb") as writing:
        handler, problem = _load(entry)
        _write(writing, problem or {"ready": True})
        if handler is None:
            return
        for line in reading:
            _write(writing, _respond(handler, json.loads(line)))


def build_context(request: Reply) -> dict[str, object]:
    """Builds the invocation context of a handler, as SCF documents it."""
    environ = os.environ  # noqa: TID251 - the environment of this function's own process
    namespace = environ.get("SCF_NAMESPACE", "default")
    return {
        "memory_limit_in_mb": _MEMORY_MEGABYTES,
        "time_limit_in_ms": int(request["limit_ms"]),
        "request_id": request["request_id"],
        "environment": json.dumps({"SCF_NAMESPACE": namespace}),
        "environ": f"SCF_NAMESPACE={namespace};SCF_NAMESPACE={namespace}",
        "function_version": environ.get("SCF_FUNCTIONVERSION"),
        "function_name": environ.get("SCF_FUNCTIONNAME"),
        "namespace": namespace,
        "tencentcloud_region": environ.get("TENCENTCLOUD_REGION"),
        "tencentcloud_appid": environ.get("TENCENTCLOUD_APPID"),
        "tencentcloud_uin": environ.get("TENCENTCLOUD_UIN"),
    }


def _load(entry: str) -> tuple[Handler | None, Reply | None]:
    """Imports the module, which starts the function: its handler or the error."""
    name, _, function = entry.rpartition(".")
    try:
        handler: Handler = getattr(importlib.import_module(name), function)
    except Exception as error:  # noqa: BLE001 - an import may raise anything
        if type(error).__name__ == "SettingError":
            return None, {"setting": getattr(error, "reason", "")}
        traceback.print_exc()
        return None, {"error": type(error).__name__}
    return handler, None


def _respond(handler: Handler, request: Reply) -> Reply:
    """Calls the handler; an exception becomes an error code, as in a cloud."""
    os.environ.update(request["environ"])  # noqa: TID251 - as SCF renews credentials
    try:
        reply: Reply = {"response": handler(request["event"], build_context(request))}
        json.dumps(reply)
    except Exception as error:  # noqa: BLE001 - a handler may raise anything
        traceback.print_exc()
        reply = {"error": _error_code(error)}
    return reply


def _error_code(error: Exception) -> str:
    """Returns the code of a handler's error, or the exception's name."""
    kind = type(error).__name__
    return (
        getattr(error, "reason", "") or kind if kind == "HandlerFailedError" else kind
    )


def _write(writing: BinaryIO, reply: Reply) -> None:
    writing.write(json.dumps(reply).encode() + b"\n")
    writing.flush()


if __name__ == "__main__":
    try:
        main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
    except BrokenPipeError:  # the parent is gone
        sys.exit(1)
