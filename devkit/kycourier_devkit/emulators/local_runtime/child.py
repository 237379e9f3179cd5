"""The child process of a local function: loads one file and replies to JSON lines.

Its arguments are the file and the numbers of two pipes, for requests and replies.
Standard output and error belong to the function, for its log lines.
"""

import importlib.util
import json
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from kycourier.core.errors import HandlerFailedError, SettingError

Handler = Callable[[object, object], object]
Reply = dict[str, object]


@dataclass(frozen=True)
class Context:
    """The invocation context of a handler, with Lambda's member names."""

    function_name: str
    aws_request_id: str
    ends_at: float
    memory_limit_in_mb: int = 256

    def get_remaining_time_in_millis(self) -> int:
        """Returns the milliseconds left, never below zero."""
        return max(0, int((self.ends_at - time.monotonic()) * 1000))


def main(path: str, requests: int, replies: int) -> None:
    """Loads the file, reports whether that worked, and replies to requests."""
    name = Path(path).stem
    with open(requests, "rb") as reading, open(replies, "wb") as writing:
        handler, problem = _load(name, path)
        _write(writing, problem or {"ready": True})
        if handler is None:
            return
        for line in reading:
            _write(writing, _respond(handler, name, json.loads(line)))


def _load(name: str, path: str) -> tuple[Handler | None, Reply | None]:
    """Imports the file, which starts the function: returns its handler or the error."""
    try:
        spec = importlib.util.spec_from_file_location(name, path)
        if spec is None or spec.loader is None:
            return None, {"error": "ImportError"}
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        handler: Handler = module.handler
    except SettingError as error:
        return None, {"setting": error.reason}
    except Exception as error:  # noqa: BLE001 - an import may raise anything
        traceback.print_exc()
        return None, {"error": type(error).__name__}
    return handler, None


def _respond(handler: Handler, name: str, request: dict[str, Any]) -> Reply:
    """Calls the handler; an exception becomes an error code, as in a cloud."""
    ends_at = time.monotonic() + request["limit_ms"] / 1000
    context = Context(name, request["request_id"], ends_at)
    try:
        reply: Reply = {"response": handler(request["event"], context)}
        json.dumps(reply)
    except HandlerFailedError as error:
        reply = {"error": error.reason or error.code}
    except Exception as error:  # noqa: BLE001 - a handler may raise anything
        traceback.print_exc()
        reply = {"error": type(error).__name__}
    return reply


def _write(writing: BinaryIO, reply: Reply) -> None:
    writing.write(json.dumps(reply).encode() + b"\n")
    writing.flush()


if __name__ == "__main__":
    try:
        main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
    except BrokenPipeError:  # the parent is gone
        sys.exit(1)
