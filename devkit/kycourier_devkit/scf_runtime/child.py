"""The child's side of a function of SCF: imports `module.handler`, answers JSON lines.

Takes the handler and two pipes' numbers. It runs under SCF's Python alone, which finds
nothing but its standard library and the packages.
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
    """Import it, say whether that worked, then answer requests until they end."""
    with open(requests, "rb") as asked, open(replies, "wb") as answered:
        handler, problem = _load(entry)
        _write(answered, problem or {"ready": True})
        if handler is None:
            return
        for line in asked:
            _write(answered, _answer(handler, json.loads(line)))


def build_context(request: Reply) -> dict[str, object]:
    """Build what a handler is told of its invocation, as SCF's page shows it."""
    environ = os.environ  # noqa: TID251 - SCF's own, in a process of its own
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
    """Import the module, which starts the function: its handler, or what was wrong."""
    name, _, function = entry.rpartition(".")
    try:
        handler: Handler = getattr(importlib.import_module(name), function)
    except Exception as error:  # noqa: BLE001 - whatever an import may raise
        if type(error).__name__ == "SettingError":
            return None, {"setting": getattr(error, "reason", "")}
        traceback.print_exc()
        return None, {"error": type(error).__name__}
    return handler, None


def _answer(handler: Handler, request: Reply) -> Reply:
    """Call the handler; what it raises becomes a code."""
    os.environ.update(request["environ"])  # noqa: TID251 - as SCF renews credentials
    try:
        reply: Reply = {"answer": handler(request["event"], build_context(request))}
        json.dumps(reply)
    except Exception as error:  # noqa: BLE001 - the function's, whatever it is
        traceback.print_exc()
        reply = {"error": _name(error)}
    return reply


def _name(error: Exception) -> str:
    """Name what left the handler: its code, or the exception's name."""
    kind = type(error).__name__
    return getattr(error, "reason", "") or kind if kind == "HandlerFailed" else kind


def _write(answered: BinaryIO, reply: Reply) -> None:
    answered.write(json.dumps(reply).encode() + b"\n")
    answered.flush()


if __name__ == "__main__":
    try:
        main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
    except BrokenPipeError:  # whoever asked is gone
        sys.exit(1)
