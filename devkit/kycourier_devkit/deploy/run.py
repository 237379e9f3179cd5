"""`kycourier deploy tencent`: the plan is shown, and then done, step after step.

Each step looks at what is there and is one that may be done again, so a run that was
interrupted anywhere is completed by the next one.
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import typer

from kycourier_devkit.deploy.access import read_access
from kycourier_devkit.deploy.api import SdkApi
from kycourier_devkit.deploy.bucket import Buckets
from kycourier_devkit.deploy.config import Config, read_config
from kycourier_devkit.deploy.environments import build_environments
from kycourier_devkit.deploy.functions import find_functions, plan_functions
from kycourier_devkit.deploy.layers import plan_layers
from kycourier_devkit.deploy.limits import plan_limits
from kycourier_devkit.deploy.needs import plan_needs
from kycourier_devkit.deploy.secret_store import plan_secrets, put_secret
from kycourier_devkit.deploy.site import Site
from kycourier_devkit.deploy.steps import CANNOT, CHANGES, Step, changes, show, tell
from kycourier_devkit.deploy.triggers import find_url, plan_triggers
from kycourier_devkit.deploy.zips import Delivery, read_zips
from kycourier_devkit.errors import UsageProblem
from kycourier_devkit.session import Session

FAILED, USAGE = 1, 2


def deploy(
    session: Session, path: Path, *, dist: Path, is_sure: bool, only_plan: bool
) -> int:
    """Show the plan and, when it is agreed to, do it; give the exit code."""
    site, buckets = open_site(session, path, dist=dist)
    return carry_out(
        session, site, buckets=buckets, is_sure=is_sure, only_plan=only_plan
    )


def carry_out(
    session: Session, site: Site, *, buckets: Buckets, is_sure: bool, only_plan: bool
) -> int:
    """Show the plan and, when it is agreed to, do it; give the exit code."""
    screen = session.screen
    steps = list(_plan(site, buckets))
    show(screen, steps)
    if any(step.mark == CANNOT for step in steps):
        screen.problem("nothing was changed: what cannot be done is said above")
        return USAGE
    todo = changes(steps)
    if not todo:
        screen.line("Nothing differs.")
        _tell_url(session, site)
        return 0
    if only_plan:
        return 0
    if not is_sure and not _agree(session, len(todo)):
        return USAGE
    apply(session, todo)
    _tell_next(session, site, todo)
    return 0


def open_site(session: Session, path: Path, *, dist: Path) -> tuple[Site, Buckets]:
    """Read file, keys and zips. Raises UsageProblem."""
    config = read_config(path)
    environments = build_environments(config)
    access = read_access(session.environ)
    buckets = Buckets(access, session.clock)

    def upload(key: str, content: bytes) -> None:
        buckets.put(config.packages or "", config.region, key, content)

    site = Site(
        api=SdkApi(access, region=config.region, clock=session.clock),
        clock=session.clock,
        config=config,
        environments=environments,
        zips=read_zips(dist),
        delivery=Delivery(bucket=config.packages, region=config.region, upload=upload),
        layers={},
    )
    return site, buckets


def _plan(site: Site, buckets: Buckets) -> Iterator[Step]:
    """Compare everything with what is there: what is called comes before what calls."""
    yield from plan_needs(site, buckets)
    yield from plan_secrets(site)
    yield from plan_layers(site)
    found = find_functions(site)
    yield from plan_functions(site, found)
    yield from plan_limits(site, found)
    yield from plan_triggers(site, found)


def _agree(session: Session, count: int) -> bool:
    if not (sys.stdin.isatty() and session.screen.is_terminal):
        session.screen.problem("nothing was changed: --yes does what is said above")
        return False
    if typer.confirm(f"Make these {count} changes?"):
        return True
    session.screen.problem("nothing was changed")
    return False


def apply(session: Session, steps: Sequence[Step]) -> None:
    """Do one step after another; the first failure ends it. Raises DevkitError."""
    for step in steps:
        if step.act is not None:
            step.act()
        for line in tell(CHANGES[step.mark], step):
            session.screen.line(line)


def _tell_next(session: Session, site: Site, done: Sequence[Step]) -> None:
    """Say what is left for a person to do."""
    screen = session.screen
    made = {step.name for step in done if step.kind == "secret"}
    for setting, secret in site.environments.named.secrets.items():
        if secret.at.name in made and secret.use in {"app_secret", "password"}:
            variable = f"KYCOURIER_{setting.upper()}"
            screen.line(f"{secret.at.name} is empty: put its value in with")
            screen.line(f"  kycourier deploy secret {variable}")
    _tell_url(session, site)


def _tell_url(session: Session, site: Site) -> None:
    if site.config.api == "url":
        url = find_url(site)
        session.screen.line(f"The API: {url}" if url else "The API: see SCF's console")


def fill_secret(session: Session, path: Path, variable: str) -> int:
    """Ask for a secret's value, or read it from standard input, and put it in."""
    config = read_config(path)
    site = _without_zips(session, config)
    setting = variable.removeprefix("KYCOURIER_").lower()
    secret = site.environments.named.secrets.get(setting)
    if secret is None:
        raise UsageProblem(f"{variable} refers to no secret in {path.name}")
    if sys.stdin.isatty():
        value = typer.prompt("Value, not shown", hide_input=True)
    else:
        value = sys.stdin.read().removesuffix("\n")
    if not value.strip():
        raise UsageProblem("an empty value is none")
    put_secret(site, secret, value)
    session.screen.item("ok", f"{secret.at.name} has its new value")
    return 0


def _without_zips(session: Session, config: Config) -> Site:
    access = read_access(session.environ)

    def refuse(*_: object) -> None:
        raise UsageProblem("nothing is uploaded here")

    return Site(
        api=SdkApi(access, region=config.region, clock=session.clock),
        clock=session.clock,
        config=config,
        environments=build_environments(config),
        zips={},
        delivery=Delivery(bucket=None, region=config.region, upload=refuse),
        layers={},
    )
