"""What every command is given: the environment, the folder, the screen, the clock."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import typer

from kycourier.adapters.surroundings import Surroundings
from kycourier.ports import Clock
from kycourier_devkit.local import FOLDER, local_environ
from kycourier_devkit.screen import Screen


@dataclass(frozen=True)
class Session:
    """One call of the command line."""

    environ: Mapping[str, str] = field(repr=False)  # it may hold credentials
    folder: Path
    screen: Screen
    clock: Clock
    is_deployed: bool = False

    @property
    def around(self) -> Surroundings:
        """What an adapter is opened with outside a function."""
        return Surroundings(clock=self.clock, environ=self.environ)

    def settings_environ(self) -> Mapping[str, str]:
        """Give the environment with local values put in; a stack's stands as it is.

        Raises UsageProblem.
        """
        if self.is_deployed:
            return self.environ
        return local_environ(self.environ, root=self.root)

    @property
    def root(self) -> Path:
        """Where the local files lie."""
        return self.folder / FOLDER


def session_of(context: typer.Context) -> Session:
    """Give the session that the command line was begun with."""
    session = context.obj
    if not isinstance(session, Session):
        raise TypeError("the command line was begun without a session")
    return session
