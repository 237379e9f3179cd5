"""One copy of the project for each worker, and both its templates rendered."""

from collections.abc import Callable
from typing import Any

import pytest

from aws.access import aws_environ
from kycourier_devkit.errors import ToolMissing
from rendered import Renderer, copy_project


@pytest.fixture(scope="session")
def renderer(tmp_path_factory: pytest.TempPathFactory, moto: str) -> Renderer:
    """Render both templates; skip in plain words where a tool cannot be had."""
    folder = copy_project(tmp_path_factory.mktemp("project"))
    made = Renderer(folder, aws_environ(moto))
    try:
        made.sam()
        made.osls()
    except ToolMissing as missing:
        pytest.skip(str(missing))
    return made


@pytest.fixture
def resources(renderer: Renderer) -> Callable[..., dict[str, Any]]:
    """Give the resources of template.yaml for given parameters."""

    def settled(**parameters: str) -> dict[str, Any]:
        found: dict[str, Any] = renderer.settled("sam", **parameters)["Resources"]
        return found

    return settled
