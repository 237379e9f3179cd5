"""The commands `kycourier deploy tencent` and `kycourier deploy secret`.

Each step checks what exists and can be repeated, so the next run completes one that was
interrupted.
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import typer

from kycourier.settings.declarations import PREFIX
from kycourier_devkit.cli.context import CliContext
from kycourier_devkit.deploy.config.environments import build_environments
from kycourier_devkit.deploy.config.tencent_yml import read_config
from kycourier_devkit.deploy.context import DeploymentContext
from kycourier_devkit.deploy.resources.functions import find_functions, plan_functions
from kycourier_devkit.deploy.resources.invocation_limits import plan_limits
from kycourier_devkit.deploy.resources.layers import plan_layers
from kycourier_devkit.deploy.resources.prerequisites import plan_prerequisites
from kycourier_devkit.deploy.resources.secrets import plan_secrets, put_secret
from kycourier_devkit.deploy.resources.triggers import find_url, plan_triggers
from kycourier_devkit.deploy.steps import (
    CANNOT,
    CHANGES,
    Step,
    print_plan,
    render,
    select_changes,
)
from kycourier_devkit.deploy.tencent.api import SdkApi
from kycourier_devkit.deploy.tencent.buckets import Buckets
from kycourier_devkit.deploy.tencent.credentials import read_credentials
from kycourier_devkit.deploy.zips import CodeDelivery, read_zips
from kycourier_devkit.errors import UsageError

USAGE = 2


def deploy(
    session: CliContext, path: Path, *, dist: Path, is_sure: bool, only_plan: bool
) -> int:
    """Prints the plan, execute it if the person agrees, and returns the exit code."""
    context, buckets = _open(session, path, dist=dist)
    return plan_and_apply(
        session, context, buckets=buckets, is_sure=is_sure, only_plan=only_plan
    )


def plan_and_apply(
    session: CliContext,
    context: DeploymentContext,
    *,
    buckets: Buckets,
    is_sure: bool,
    only_plan: bool,
) -> int:
    """Prints the plan, execute it if the person agrees, and returns the exit code."""
    screen = session.terminal
    steps = list(_plan(context, buckets))
    print_plan(screen, steps)
    if any(step.mark == CANNOT for step in steps):
        screen.problem('nothing was changed: resolve what is marked "cannot" above')
        return USAGE
    changes = select_changes(steps)
    if not changes:
        screen.line("Nothing differs.")
        _print_url(session, context)
        return 0
    if only_plan:
        return 0
    if not is_sure and not _confirm(session, len(changes)):
        return USAGE
    _apply(session, changes)
    _print_next_steps(session, context, changes)
    return 0


def set_secret(session: CliContext, path: Path, variable: str) -> int:
    """Reads a secret's value from a prompt or standard input, and stores it."""
    context, _ = _open(session, path, dist=None)
    setting = variable.removeprefix(PREFIX).lower()
    secret = context.environments.references.secrets.get(setting)
    if secret is None:
        raise UsageError(f"{variable} refers to no secret in {path.name}")
    if sys.stdin.isatty():
        value = typer.prompt("Value, not shown", hide_input=True)
    else:
        value = sys.stdin.read().removesuffix("\n")
    if not value.strip():
        raise UsageError("the value is empty: enter the secret")
    put_secret(context, secret, value)
    session.terminal.item("ok", f"{secret.resource.name} has its new value")
    return 0


def _open(
    session: CliContext, path: Path, *, dist: Path | None
) -> tuple[DeploymentContext, Buckets]:
    """Reads the file, the keys and, from `dist`, the zips. Raises UsageError."""
    config = read_config(path)
    environments = build_environments(config)
    credentials = read_credentials(session.environ)
    buckets = Buckets(credentials, session.clock)

    def upload(key: str, content: bytes) -> None:
        buckets.put(config.packages or "", config.region, key, content)

    context = DeploymentContext(
        api=SdkApi(credentials, region=config.region, clock=session.clock),
        clock=session.clock,
        config=config,
        environments=environments,
        zips=read_zips(dist, with_sealing=environments.is_sealing) if dist else {},
        delivery=CodeDelivery(
            bucket=config.packages, region=config.region, upload=upload
        ),
        layers={},
    )
    return context, buckets


def _plan(context: DeploymentContext, buckets: Buckets) -> Iterator[Step]:
    """Compares everything with what exists: a callee comes before its callers."""
    yield from plan_prerequisites(context, buckets)
    yield from plan_secrets(context)
    yield from plan_layers(context)
    functions = find_functions(context)
    yield from plan_functions(context, functions)
    yield from plan_limits(context, functions)
    yield from plan_triggers(context, functions)


def _confirm(session: CliContext, count: int) -> bool:
    if not (sys.stdin.isatty() and session.terminal.is_terminal):
        session.terminal.problem("nothing was changed: add --yes to make these changes")
        return False
    if typer.confirm(f"Make these {count} changes?"):
        return True
    session.terminal.problem("nothing was changed")
    return False


def _apply(session: CliContext, changes: Sequence[Step]) -> None:
    """Makes one change after another, up to the first failure. Raises DevkitError."""
    for step in changes:
        if step.act is not None:
            step.act()
        for line in render(CHANGES[step.mark], step):
            session.terminal.line(line)


def _print_next_steps(
    session: CliContext, context: DeploymentContext, changes: Sequence[Step]
) -> None:
    """Prints the commands that fill the empty secrets, and the API's URL."""
    screen = session.terminal
    created = {step.name for step in changes if step.kind == "secret"}
    for setting, secret in context.environments.references.secrets.items():
        name = secret.resource.name
        if name in created and secret.use in {"app_secret", "password"}:
            screen.line(f"{name} is empty. Set its value:")
            screen.line(f"  kycourier deploy secret {PREFIX}{setting.upper()}")
    _print_url(session, context)


def _print_url(session: CliContext, context: DeploymentContext) -> None:
    if context.config.api == "url":
        url = find_url(context)
        session.terminal.line(
            f"The API: {url}" if url else "The API: see SCF's console"
        )
