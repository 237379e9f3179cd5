"""Runs one function of the unpacked packages under SCF's Python."""

import subprocess
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from kycourier_devkit.emulators.local_runtime.process import (
    FunctionProcess,
    Log,
    Pipes,
    RefreshEnviron,
)
from kycourier_devkit.emulators.scf_runtime.deployment import (
    ScfDeployment,
    build_environ,
)

_CHILD = Path(__file__).with_name("child.py")


def start_on_scf(
    name: str,
    deployment: ScfDeployment,
    environ: Mapping[str, str],
    *,
    log: Log = subprocess.DEVNULL,
    role_environ: RefreshEnviron = dict,
) -> FunctionProcess:
    """Starts `name.handler`; its context is a dict with the time limit, as on SCF.

    Args:
        name: The function file's name, without its ending.
        deployment: Where the packages are unpacked.
        environ: The function's own variables; SCF's are added.
        log: Where standard output and error go, as to SCF's log.
        role_environ: Returns the variables of the role's current credentials, which SCF
            sets before each invocation.
    """
    launch = partial(_launch, deployment)
    path = deployment.user / f"{name}.py"
    return FunctionProcess(
        path,
        {**environ, **role_environ()},
        log=log,
        launch=launch,
        refresh_environ=role_environ,
    )


def _launch(
    deployment: ScfDeployment,
    path: Path,
    environ: Mapping[str, str],
    pipes: Pipes,
    log: Log,
) -> subprocess.Popen[bytes]:
    """Starts SCF's Python without any installed library (`-S`)."""
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
