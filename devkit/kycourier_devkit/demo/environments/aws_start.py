"""Starts the AWS environment: moto, the sandbox, the stack and its settings."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from kycourier_devkit.cli.context import CliContext
from kycourier_devkit.demo.environments.aws import STACK, AwsEnvironment
from kycourier_devkit.demo.environments.environment import FIRST_SWEEP_SECONDS
from kycourier_devkit.emulators.aws.account import AwsAccount
from kycourier_devkit.emulators.aws.stack import Stack, create_stack
from kycourier_devkit.emulators.lambda_runtime.deployment import deploy
from kycourier_devkit.emulators.servers import start_moto
from kycourier_devkit.repository import ROOT
from kycourier_devkit.sandbox import APP_ID, Sandbox


@contextmanager
def open_aws(
    session: CliContext,
    packages: Path,
    folder: Path,
    *,
    log: Path,
    record: Path | None = None,
) -> Iterator[AwsEnvironment]:
    """Starts moto and the sandbox and creates the stack; ends all with the block.

    Args:
        session: The command's session.
        packages: The folder of the built zips.
        folder: A free folder for unpacked files.
        log: Where the functions' output goes.
        record: A file to which moto appends every call.

    Raises:
        ToolUnavailableError: A tool is not available here.
        StackCreationError: The template was rejected.
    """
    with ExitStack() as stack:
        deployment = deploy(packages, folder / "lambda")
        sandbox = stack.enter_context(Sandbox())
        account = AwsAccount(stack.enter_context(start_moto(record=record)))
        created = create_stack(
            account.environ,
            {"AppId": APP_ID},
            project=_prepare_project(packages, folder / "project"),
            name=STACK,
        )
        settings = {
            "KYCOURIER_KYC_URL": sandbox.url,
            "KYCOURIER_FIRST_SWEEP_SECONDS": str(FIRST_SWEEP_SECONDS),
        }
        environment = AwsEnvironment(
            account,
            created,
            deployment,
            variables=_set_variables(settings, account, created),
            sandbox=sandbox,
            clock=session.clock,
            log=log,
        )
        stack.callback(environment.close)
        yield environment


def _set_variables(
    settings: Mapping[str, str], account: AwsAccount, stack: Stack
) -> dict[str, dict[str, str]]:
    """Adds variables to the stack's functions; returns all variables of each."""
    functions, variables = account.client("lambda"), {}
    for name, function in stack.functions.items():
        variables[name] = {**function.environ, **settings}
        functions.update_function_configuration(
            FunctionName=function.name, Environment={"Variables": variables[name]}
        )
    return variables


def _prepare_project(packages: Path, folder: Path) -> Path:
    """Puts the template beside the zips at the paths it uses; returns the folder."""
    folder.mkdir(parents=True)
    shutil.copy(ROOT / "template.yaml", folder)
    (folder / "dist").symlink_to(packages.absolute())
    return folder
