"""One function in a process under SCF's Python, from the unpacked packages."""

import subprocess
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from kycourier_devkit.functions.process import FunctionProcess, Log, Pipes, Renew
from kycourier_devkit.scf_runtime.deployment import ScfDeployment, build_environ

_CHILD = Path(__file__).with_name("child.py")


def start_on_scf(
    name: str,
    deployment: ScfDeployment,
    environ: Mapping[str, str],
    *,
    log: Log = subprocess.DEVNULL,
    role: Renew = dict,
) -> FunctionProcess:
    """Start `name.handler` cold; its context is a dict with the time limit.

    `environ` is the function's own part of the environment; SCF's is added. `log` takes
    standard output and error, as SCF's log does. `role` gives its role's credentials as
    they are now, for each invocation. At its time limit the process ends.
    """
    launch = partial(_launch, deployment)
    path = deployment.user / f"{name}.py"
    given = {**environ, **role()}
    return FunctionProcess(path, given, log=log, launch=launch, renew=role)


def _launch(
    deployment: ScfDeployment,
    path: Path,
    environ: Mapping[str, str],
    pipes: Pipes,
    log: Log,
) -> subprocess.Popen[bytes]:
    """Start SCF's Python without any library of its own (`-S`)."""
    child = [str(deployment.python), "-S", "-c", _CHILD.read_text("utf-8")]
    whole = build_environ(deployment, path.stem, environ)
    return subprocess.Popen(  # noqa: S603 - SCF's Python, our own file
        [*child, f"{path.stem}.handler", *map(str, pipes)],
        cwd=deployment.user,
        env={**whole, "PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        pass_fds=pipes,
        start_new_session=True,
    )
