"""Defines what every command receives: environment, folder, terminal and clock."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import typer

from kycourier.adapters.context import AdapterContext
from kycourier.ports import Clock
from kycourier_devkit.cli.terminal import Terminal
from kycourier_devkit.workspace.local_settings import FOLDER, local_environ


@dataclass(frozen=True)
class CliContext:
    """One call of the command line."""

    environ: Mapping[str, str] = field(repr=False)  # it may hold credentials
    folder: Path
    terminal: Terminal
    clock: Clock
    stack: str | None = None

    @property
    def is_deployed(self) -> bool:
        """Whether the settings are those of a deployed stack."""
        return self.stack is not None

    @property
    def adapter_context(self) -> AdapterContext:
        """What an adapter needs outside a function."""
        return AdapterContext(clock=self.clock, environ=self.environ)

    @property
    def root(self) -> Path:
        """The folder of all local files."""
        return self.folder / FOLDER

    def settings_environ(self) -> Mapping[str, str]:
        """Returns the environment, completed by local values unless a stack is used.

        Raises:
            UsageError: The local folder cannot be written.
        """
        if self.is_deployed:
            return self.environ
        return local_environ(self.environ, root=self.root)


def cli_context(ctx: typer.Context) -> CliContext:
    """Returns the CLI context that Typer's context carries."""
    context = ctx.obj
    if not isinstance(context, CliContext):
        raise TypeError("the command line was started without a CliContext")
    return context
