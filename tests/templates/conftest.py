"""Renders both templates once for each worker, and creates stacks of template.yaml."""

from collections.abc import Callable
from typing import Any

import pytest

from kycourier_devkit.emulators.aws.stack import Stack, create_stack
from kycourier_devkit.errors import ToolUnavailableError
from support.aws.clients import aws_environ
from support.rendered_templates import APP_ID, Renderer, copy_project


@pytest.fixture(scope="session")
def renderer(tmp_path_factory: pytest.TempPathFactory, moto: str) -> Renderer:
    """Render both templates, or skip if a tool is missing."""
    folder = copy_project(tmp_path_factory.mktemp("project"))
    rendered = Renderer(folder, aws_environ(moto))
    try:
        rendered.sam()
        rendered.osls()
    except ToolUnavailableError as missing:
        pytest.skip(str(missing))
    return rendered


@pytest.fixture
def resources(renderer: Renderer) -> Callable[..., dict[str, Any]]:
    """Return a function from parameters to the resources of template.yaml."""
    return lambda **parameters: renderer.resolve("sam", **parameters)["Resources"]


@pytest.fixture(scope="session")
def new_stack(
    tmp_path_factory: pytest.TempPathFactory, moto: str
) -> Callable[..., Stack]:
    """Return a function that creates a stack in moto, or skips if SAM is missing."""

    def create(**parameters: str) -> Stack:
        folder = copy_project(tmp_path_factory.mktemp("stack"))
        name = f"{folder.name}-{folder.parent.name}".replace("_", "-")
        values = APP_ID | parameters
        try:
            return create_stack(aws_environ(moto), values, project=folder, name=name)
        except ToolUnavailableError as missing:
            pytest.skip(str(missing))

    return create


@pytest.fixture(scope="session")
def stack(new_stack: Callable[..., Stack]) -> Stack:
    """Create a stack with the function URL."""
    return new_stack(ApiAccess="url")
