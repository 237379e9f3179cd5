"""A function that its event controls, run in each kind of process."""

import subprocess
import textwrap
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import IO, Any

import pytest

from kycourier_devkit.emulators.lambda_runtime.deployment import (
    LambdaDeployment,
    find_runtime,
)
from kycourier_devkit.emulators.lambda_runtime.process import LambdaProcess
from kycourier_devkit.emulators.local_runtime.process import FunctionProcess
from kycourier_devkit.emulators.running_function import RunningFunction, close_all
from kycourier_devkit.emulators.scf_runtime.deployment import ScfDeployment
from kycourier_devkit.emulators.scf_runtime.process import start_on_scf
from kycourier_devkit.errors import ToolUnavailableError
from kycourier_devkit.package.clouds import TENCENT
from kycourier_devkit.repository import ROOT
from kycourier_devkit.tool_envs import find_python

PROBE_SOURCE = """
    import os, sys, time
    from kycourier.core.errors import HandlerFailedError

    def handler(event, context):
        print("printed by the function")
        if event == "context" and isinstance(context, dict):
            return context | {"left": context["time_limit_in_ms"],
                              "aws_request_id": context["request_id"]}
        if event == "context":
            names = ("function_name", "aws_request_id", "memory_limit_in_mb",
                     "invoked_function_arn", "function_version", "log_group_name")
            found = {name: getattr(context, name, None) for name in names}
            return found | {"left": context.get_remaining_time_in_millis()}
        if event == "environ":
            return {"environ": dict(os.environ), "cwd": os.getcwd(), "path": sys.path}
        if event == "fail":
            raise HandlerFailedError("store_unavailable")
        if event == "raise":
            raise ValueError("a secret")
        if event == "exit":
            os._exit(3)
        if event == "set":
            return {1}
        if isinstance(event, dict) and "sleep" in event:
            time.sleep(event["sleep"])
        return {"event": event, "pid": os.getpid()}
"""
FAILING_START_SOURCE = """
    from kycourier.core.errors import SettingError
    raise SettingError("KYCOURIER_STATE", "is not set")
"""
SERVICE_FOLDER = ROOT / "layers/service/python/kycourier"


class ProbeFunctions:
    """Starts processes of the function file at `path`; `close` ends them all.

    `program` is Python source that starts one such process.
    """

    def __init__(
        self, path: Path, run: Callable[..., RunningFunction], program: str
    ) -> None:
        self.path, self._run = path, run
        self.program = f"{textwrap.dedent(program)}\nprocess.wait_until_ready()\n"
        self._started: list[RunningFunction] = []
        self.write(PROBE_SOURCE)

    def write(self, text: str) -> None:
        self.path.write_text(textwrap.dedent(text))

    def start(
        self,
        text: str = PROBE_SOURCE,
        environ: Mapping[str, str] | None = None,
        *,
        log: int | IO[Any] = subprocess.DEVNULL,
        **more: Any,
    ) -> RunningFunction:
        self.write(text)
        self._started.append(self._run(environ or {}, log=log, **more))
        return self._started[-1]

    def close(self) -> None:
        close_all(self._started)


def probe_in_process(folder: Path) -> ProbeFunctions:
    """Run the function as a plain Python file."""
    path = folder / "acts.py"
    program = f"""
        from kycourier_devkit.emulators.local_runtime.process import FunctionProcess
        process = FunctionProcess({str(path)!r}, {{}})
    """
    return ProbeFunctions(path, partial(FunctionProcess, path), program)


def probe_on_lambda(folder: Path) -> ProbeFunctions:
    """Run the function under Lambda's runtime client, or skip the test."""
    deployed = _make_deployment(folder)
    paths = [str(path) for path in (deployed.task, deployed.opt, deployed.python)]
    program = f"""
        from pathlib import Path
        from kycourier_devkit.emulators.lambda_runtime import deployment
        from kycourier_devkit.emulators.lambda_runtime.process import LambdaProcess
        task, opt, python = map(Path, {paths!r})
        deployed = deployment.LambdaDeployment(task=task, opt=opt, python=python)
        process = LambdaProcess("acts", deployed, {{}})
    """
    run = partial(LambdaProcess, "acts", deployed)
    return ProbeFunctions(deployed.task / "acts.py", run, program)


def probe_on_scf(folder: Path) -> ProbeFunctions:
    """Run the function in SCF's layout, or skip the test."""
    try:
        python = find_python(TENCENT.python)
    except ToolUnavailableError as missing:
        pytest.skip(str(missing))
    user, opt = folder / "var/user", folder / "opt"
    user.mkdir(parents=True)
    opt.mkdir()
    (opt / "kycourier").symlink_to(SERVICE_FOLDER)
    deployed = ScfDeployment(user=user, opt=opt, python=Path(python))
    program = f"""
        from pathlib import Path
        from kycourier_devkit.emulators.scf_runtime.deployment import ScfDeployment
        from kycourier_devkit.emulators.scf_runtime.process import start_on_scf
        user, opt, python = map(Path, {[str(user), str(opt), python]!r})
        deployed = ScfDeployment(user=user, opt=opt, python=python)
        process = start_on_scf("acts", deployed, {{}})
    """
    return ProbeFunctions(
        user / "acts.py", partial(start_on_scf, "acts", deployed), program
    )


def _make_deployment(folder: Path) -> LambdaDeployment:
    """Lay out a deployment whose layer links to the service's sources."""
    try:
        python = find_runtime()
    except ToolUnavailableError as missing:
        pytest.skip(str(missing))
    task, layers = folder / "var/task", folder / "opt/python"
    task.mkdir(parents=True)
    layers.mkdir(parents=True)
    (layers / "kycourier").symlink_to(SERVICE_FOLDER)
    return LambdaDeployment(task=task, opt=layers.parent, python=python)
