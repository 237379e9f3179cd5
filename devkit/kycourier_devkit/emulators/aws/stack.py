"""Deploys template.yaml to moto, packaged and translated by SAM.

moto does not support the HTTP API, the function URL, the bucket's policy, the timers'
retry settings and the functions' layers, so the stack has none and no `ApiUrl` output.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from kycourier_devkit.emulators.aws import sam
from kycourier_devkit.emulators.aws.stack_calls import Document, StackCalls, Texts
from kycourier_devkit.repository import ROOT

NAME = "kycourier"


class StackFunction(Struct, frozen=True, kw_only=True):
    """A deployed function; `policies` are the policy documents of its role."""

    name: str
    handler: str
    environ: Mapping[str, str]
    role: str
    policies: tuple[Document, ...]
    timeout_seconds: int
    memory_mb: int


class Stack(Struct, frozen=True, kw_only=True):
    """A deployed stack.

    `resources` maps logical to physical ids; `functions` maps file names
    (`sweep_orders`) to functions.
    """

    name: str
    outputs: Mapping[str, str]
    resources: Mapping[str, str]
    functions: Mapping[str, StackFunction]


def create_stack(
    environ: Texts,
    parameters: Texts,
    *,
    project: Path = ROOT,
    name: str = NAME,
) -> Stack:
    """Deploys a project's template.yaml and its zips.

    Args:
        environ: moto's address and keys: AWS_ENDPOINT_URL, AWS_REGION and two keys.
        parameters: The template's parameters.
        project: The folder of template.yaml, with its zips in `dist`.
        name: The stack's name.

    Raises:
        StackCreationError: SAM or moto rejected the template.
        ToolUnavailableError: SAM is not available here.
    """
    calls, bucket = StackCalls(name, environ), f"{name}-code"
    calls.create_bucket(bucket)
    packaged = sam.package(environ, project=project, bucket=bucket)
    template = sam.translate(packaged, parameters)
    del template["Outputs"]["ApiUrl"]
    secrets = calls.create_secrets(template, parameters)
    calls.create(_replace_references(template, secrets), parameters)
    resources = calls.resources() | secrets
    calls.create_alarms(template, parameters, resources=resources)
    functions = [
        _describe(calls, physical)
        for logical, physical in resources.items()
        if logical.endswith("LambdaFunction")
    ]
    return Stack(
        name=name,
        outputs=calls.outputs(),
        resources=resources,
        functions={each.handler.partition(".")[0]: each for each in functions},
    )


def _replace_references(template: Document, names: Texts) -> Document:
    """Replaces references to resources that were created beforehand by their names."""
    text = json.dumps(template)
    for logical, name in names.items():
        text = text.replace(f'{{"Ref": "{logical}"}}', json.dumps(name))
        text = text.replace(f"${{{logical}}}", name)
    replaced: Document = json.loads(text)
    return replaced


def _describe(calls: StackCalls, name: str) -> StackFunction:
    found = calls.configuration(name)
    role = found["Role"].rpartition("/")[2]
    return StackFunction(
        name=name,
        handler=found["Handler"],
        environ=found["Environment"]["Variables"],
        role=role,
        policies=calls.rewrite_policies(role),
        timeout_seconds=found["Timeout"],
        memory_mb=found["MemorySize"],
    )
