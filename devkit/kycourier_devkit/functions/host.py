"""The child's side of a function process: one function file, called as a cloud would.

Takes the file and two pipes' numbers. Requests and replies are JSON lines on the pipes;
standard output and error are the function's own, for its log lines.
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

from kycourier.core.errors import HandlerFailed, SettingError

Handler = Callable[[object, object], object]
Reply = dict[str, object]


@dataclass(frozen=True)
class Context:
    """What a handler is told of its invocation, spelled as Lambda does."""

    function_name: str
    aws_request_id: str
    ends_at: float
    memory_limit_in_mb: int = 256

    def get_remaining_time_in_millis(self) -> int:
        """Tell how long this invocation may still live; never below zero."""
        return max(0, int((self.ends_at - time.monotonic()) * 1000))


def main(path: str, requests: int, replies: int) -> None:
    """Load the file, say whether it did, then answer requests until they end."""
    name = Path(path).stem
    with open(requests, "rb") as asked, open(replies, "wb") as answered:
        handler, problem = _load(name, path)
        _write(answered, problem or {"ready": True})
        if handler is None:
            return
        for line in asked:
            _write(answered, _answer(handler, name, json.loads(line)))


def _load(name: str, path: str) -> tuple[Handler | None, Reply | None]:
    """Import the file, which starts the function: its handler, or what was wrong."""
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
    except Exception as error:  # noqa: BLE001 - whatever an import may raise
        traceback.print_exc()
        return None, {"error": type(error).__name__}
    return handler, None


def _answer(handler: Handler, name: str, request: dict[str, Any]) -> Reply:
    """Call the handler; what it raises becomes a code, as a cloud would report it."""
    ends_at = time.monotonic() + request["limit_ms"] / 1000
    context = Context(name, request["request_id"], ends_at)
    try:
        reply: Reply = {"answer": handler(request["event"], context)}
        json.dumps(reply)
    except HandlerFailed as error:
        reply = {"error": error.reason or error.code}
    except Exception as error:  # noqa: BLE001 - the function's, whatever it is
        traceback.print_exc()
        reply = {"error": type(error).__name__}
    return reply


def _write(answered: BinaryIO, reply: Reply) -> None:
    answered.write(json.dumps(reply).encode() + b"\n")
    answered.flush()


if __name__ == "__main__":
    try:
        main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
    except BrokenPipeError:  # whoever asked is gone
        sys.exit(1)
