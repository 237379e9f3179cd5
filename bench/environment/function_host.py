"""The measured process: runs one function file as a cloud does, and measures it.

Arguments: the file, and `count` to count modules and files. Commands and responses are
JSON lines; the function's own output is dropped. Only the standard library is imported,
so that the host runs in any interpreter and adds nothing to what is measured.
"""

import importlib.util
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

Handler = Callable[[object, object], object]
LIMIT_SECONDS = 30.0
_STATUS = Path("/proc/self/status")
_PEAK = Path("/proc/self/clear_refs")


class Context:
    """The invocation context, with Lambda's names."""

    function_name = "bench"
    aws_request_id = "00000000-0000-0000-0000-000000000000"
    invoked_function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:bench"
    memory_limit_in_mb = 512

    def __init__(self, seconds: float) -> None:
        self._ends_at = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        """Returns the milliseconds until the deadline."""
        return max(0, int((self._ends_at - time.monotonic()) * 1000))


class StartCounter:
    """Counts modules loaded, files opened and modules compiled from now on."""

    def __init__(self) -> None:
        self._before = set(sys.modules)
        self.opened = self.compiled = 0
        sys.addaudithook(self._count)

    def _count(self, event: str, arguments: tuple[object, ...]) -> None:
        if event == "open":
            self.opened += 1
        elif event == "compile" and str(arguments[1]).endswith(".py"):
            self.compiled += 1

    def counts(self) -> dict[str, int]:
        """Returns the counts so far."""
        loaded = len(set(sys.modules) - self._before)
        return {"modules": loaded, "files": self.opened, "compiled": self.compiled}


def load(path: str) -> Handler:
    """Imports the file, which starts the function, and returns its handler."""
    name = Path(path).stem
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    handler: Handler = module.handler
    return handler


def invoke(handler: Handler, command: dict[str, object]) -> dict[str, object]:
    """Calls the handler with each event; returns results and (wall, CPU) seconds."""
    samples, results = [], []
    for event in command["events"]:  # type: ignore[attr-defined]  # a list
        context = Context(float(str(command.get("limit", LIMIT_SECONDS))))
        wall, cpu = time.perf_counter(), time.process_time()
        result = handler(event, context)
        samples.append((time.perf_counter() - wall, time.process_time() - cpu))
        results.append(result)
    return {"samples": samples, "results": results}


def weigh(handler: Handler, command: dict[str, object]) -> dict[str, object]:
    """Invokes; returns also the resident kilobytes before and at the peak."""
    idle = read_status("VmRSS")
    _PEAK.write_text("5")  # resets the peak
    response = invoke(handler, command)
    return {**response, "idle": idle, "peak": read_status("VmHWM")}


def read_status(name: str) -> int:
    """Returns a line of the kernel's process status, in kilobytes."""
    for line in _STATUS.read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    raise LookupError(name)


COMMANDS = {"invoke": invoke, "weigh": weigh}


def main(path: str, *options: str) -> None:
    """Loads the file, reports what that cost, and runs commands until input ends."""
    responses = os.fdopen(os.dup(1), "w")
    with open(os.devnull, "w") as null:  # noqa: PTH123 - a device
        os.dup2(null.fileno(), 1)
    counter = StartCounter() if "count" in options else None
    wall, cpu = time.perf_counter(), time.process_time()
    handler = load(path)
    startup = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
    startup |= counter.counts() if counter else {}
    print(json.dumps(startup), file=responses, flush=True)
    for line in sys.stdin:
        command = json.loads(line)
        response = COMMANDS[command["command"]](handler, command)
        print(json.dumps(response), file=responses, flush=True)
    os._exit(0)


if __name__ == "__main__":
    if sys.path[0] == str(Path(__file__).parent):
        del sys.path[0]  # the function must not import the bench
    main(*sys.argv[1:])
