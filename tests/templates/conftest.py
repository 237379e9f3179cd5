"""Renders both templates once for each worker."""

from typing import Any

import pytest

from kycourier_devkit.errors import ToolUnavailableError
from support.aws.clients import aws_environ
from support.rendered_templates import Renderer, Resources, copy_project


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
def resources(renderer: Renderer) -> Resources:
    """Return a function from parameters to the resources of template.yaml."""

    def resolve(**parameters: str) -> dict[str, Any]:
        found: dict[str, Any] = renderer.resolve("sam", **parameters)["Resources"]
        return found

    return resolve
