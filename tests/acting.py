"""A function file that acts as its event says, in each kind of process."""

import subprocess
import textwrap
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import IO, Any

import pytest

from kycourier_devkit.errors import ToolMissing
from kycourier_devkit.functions.process import FunctionProcess, close_all
from kycourier_devkit.functions.running import RunningFunction
from kycourier_devkit.lambda_runtime.deployment import Deployment, find_runtime
from kycourier_devkit.lambda_runtime.process import LambdaProcess
from kycourier_devkit.package.clouds import TENCENT
from kycourier_devkit.scf_runtime.deployment import ScfDeployment
from kycourier_devkit.scf_runtime.process import start_on_scf
from kycourier_devkit.toolbox import ROOT, find_python

ACTS = """
    import os, sys, time
    from kycourier.core.errors import HandlerFailed

    def handler(event, context):
        print("printed by the function")
        if event == "context" and isinstance(context, dict):
            return context | {"left": context["time_limit_in_ms"],
                              "aws_request_id": context["request_id"]}
        if event == "context":
            shown = ("function_name", "aws_request_id", "memory_limit_in_mb",
                     "invoked_function_arn", "function_version", "log_group_name")
            told = {name: getattr(context, name, None) for name in shown}
            return told | {"left": context.get_remaining_time_in_millis()}
        if event == "environ":
            return {"environ": dict(os.environ), "cwd": os.getcwd(), "path": sys.path}
        if event == "fail":
            raise HandlerFailed("store_unavailable")
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
SETTING = """
    from kycourier.core.errors import SettingError
    raise SettingError("KYCOURIER_STATE", "is not set")
"""
SERVICE = ROOT / "layers/service/python/kycourier"


class Actors:
    """Starts a file at `path`; closing ends all that was started.

    `program` is Python that starts what stands there.
    """

    def __init__(
        self, path: Path, run: Callable[..., RunningFunction], program: str
    ) -> None:
        self.path, self._run = path, run
        self.program = f"{textwrap.dedent(program)}\nprocess.wait_until_ready()\n"
        self._started: list[RunningFunction] = []
        self.write(ACTS)

    def write(self, text: str) -> None:
        self.path.write_text(textwrap.dedent(text))

    def start(
        self,
        text: str = ACTS,
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


def act_plainly(folder: Path) -> Actors:
    """Run it as one Python file."""
    path = folder / "acts.py"
    program = f"""
        from kycourier_devkit.functions.process import FunctionProcess
        process = FunctionProcess({str(path)!r}, {{}})
    """
    return Actors(path, partial(FunctionProcess, path), program)


def act_on_lambda(folder: Path) -> Actors:
    """Run it under Lambda's client, or skip in plain words."""
    deployed = lay_out(folder)
    paths = [str(path) for path in (deployed.task, deployed.opt, deployed.python)]
    program = f"""
        from pathlib import Path
        from kycourier_devkit.lambda_runtime.deployment import Deployment
        from kycourier_devkit.lambda_runtime.process import LambdaProcess
        task, opt, python = map(Path, {paths!r})
        deployed = Deployment(task=task, opt=opt, python=python)
        process = LambdaProcess("acts", deployed, {{}})
    """
    run = partial(LambdaProcess, "acts", deployed)
    return Actors(deployed.task / "acts.py", run, program)


def act_on_scf(folder: Path) -> Actors:
    """Run it as SCF does, or skip in plain words."""
    try:
        python = find_python(TENCENT.python)
    except ToolMissing as missing:
        pytest.skip(str(missing))
    user, opt = folder / "var/user", folder / "opt"
    user.mkdir(parents=True)
    opt.mkdir()
    (opt / "kycourier").symlink_to(SERVICE)
    deployed = ScfDeployment(user=user, opt=opt, python=Path(python))
    program = f"""
        from pathlib import Path
        from kycourier_devkit.scf_runtime.deployment import ScfDeployment
        from kycourier_devkit.scf_runtime.process import start_on_scf
        user, opt, python = map(Path, {[str(user), str(opt), python]!r})
        deployed = ScfDeployment(user=user, opt=opt, python=python)
        process = start_on_scf("acts", deployed, {{}})
    """
    return Actors(user / "acts.py", partial(start_on_scf, "acts", deployed), program)


def lay_out(folder: Path) -> Deployment:
    """Lay a deployment out whose layer is the service as it stands."""
    try:
        python = find_runtime()
    except ToolMissing as missing:
        pytest.skip(str(missing))
    task, layers = folder / "var/task", folder / "opt/python"
    task.mkdir(parents=True)
    layers.mkdir(parents=True)
    (layers / "kycourier").symlink_to(SERVICE)
    return Deployment(task=task, opt=layers.parent, python=python)
