"""The measured process: one function file, called as a cloud would, and its costs.

Takes the file; `count` besides has it count modules and files. Orders and answers are
JSON lines; the function's own output goes nowhere. Standard library alone, so that it
runs in any interpreter and adds nothing to what is measured.
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
    """What a handler is told of its invocation, spelled as Lambda does."""

    function_name = "bench"
    aws_request_id = "00000000-0000-0000-0000-000000000000"
    invoked_function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:bench"
    memory_limit_in_mb = 512

    def __init__(self, seconds: float) -> None:
        self._ends_at = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        """Tell how long this invocation may still live."""
        return max(0, int((self._ends_at - time.monotonic()) * 1000))


class Counts:
    """Modules loaded, files opened, modules compiled, from now on."""

    def __init__(self) -> None:
        self._before = set(sys.modules)
        self.opened = self.compiled = 0
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[object, ...]) -> None:
        if event == "open":
            self.opened += 1
        elif event == "compile" and str(arguments[1]).endswith(".py"):
            self.compiled += 1

    def tell(self) -> dict[str, int]:
        """Give what was counted."""
        loaded = len(set(sys.modules) - self._before)
        return {"modules": loaded, "files": self.opened, "compiled": self.compiled}


def load(path: str) -> Handler:
    """Import the file, which starts the function."""
    name = Path(path).stem
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    handler: Handler = module.handler
    return handler


def invoke(handler: Handler, order: dict[str, object]) -> dict[str, object]:
    """Call the handler with each event; give seconds of wall and CPU, and answers."""
    samples, answers = [], []
    for event in order["events"]:  # type: ignore[attr-defined]  # a list
        context = Context(float(str(order.get("limit", LIMIT_SECONDS))))
        wall, cpu = time.perf_counter(), time.process_time()
        answer = handler(event, context)
        samples.append((time.perf_counter() - wall, time.process_time() - cpu))
        answers.append(answer)
    return {"samples": samples, "answers": answers}


def weigh(handler: Handler, order: dict[str, object]) -> dict[str, object]:
    """Call the handler as `invoke` does; give resident kilobytes before and at most."""
    idle = read_status("VmRSS")
    _PEAK.write_text("5")
    told = invoke(handler, order)
    return {**told, "idle": idle, "peak": read_status("VmHWM")}


def read_status(name: str) -> int:
    """Read a line of the kernel's account of this process, in kilobytes."""
    for line in _STATUS.read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    raise LookupError(name)


WORK = {"invoke": invoke, "weigh": weigh}


def main(path: str, *wishes: str) -> None:
    """Load the file, tell what that cost, and answer orders until they end."""
    answered = os.fdopen(os.dup(1), "w")
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123 - a device
        os.dup2(nowhere.fileno(), 1)
    counts = Counts() if "count" in wishes else None
    wall, cpu = time.perf_counter(), time.process_time()
    handler = load(path)
    ready = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
    told = {**ready, **(counts.tell() if counts else {})}
    print(json.dumps(told), file=answered, flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        print(json.dumps(WORK[order["do"]](handler, order)), file=answered, flush=True)
    os._exit(0)


if __name__ == "__main__":
    if sys.path[0] == str(Path(__file__).parent):
        del sys.path[0]  # a function does not see the bench
    main(*sys.argv[1:])
