"""template.yaml made into a stack of moto's, packaged and translated as SAM does it.

Not there, because moto does not know them: the HTTP API, the function URL, the bucket's
policy, the timers' retry settings, and the functions' layers; so no `ApiUrl` either.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from kycourier_devkit import toolbox
from kycourier_devkit.stand_ins import sam
from kycourier_devkit.stand_ins.stack_calls import Document, StackCalls, Texts

NAME = "kycourier"


class StackFunction(Struct, frozen=True, kw_only=True):
    """A function as it stands in the stack; `policies` are its role's documents."""

    name: str
    handler: str
    environ: Mapping[str, str]
    role: str
    policies: tuple[Document, ...]
    timeout_seconds: int
    memory_mb: int


class Stack(Struct, frozen=True, kw_only=True):
    """A stack that was made.

    `resources` is logical → physical id; `functions` go by their file: `sweep_orders`.
    """

    name: str
    outputs: Mapping[str, str]
    resources: Mapping[str, str]
    functions: Mapping[str, StackFunction]


def make_stack(
    environ: Texts,
    parameters: Texts,
    *,
    project: Path = toolbox.ROOT,
    name: str = NAME,
) -> Stack:
    """Deploy `project`'s template.yaml and its zips.

    `environ` leads AWS's SDKs to moto: AWS_ENDPOINT_URL, AWS_REGION and two keys.
    Raises StackNotMade, ToolMissing.
    """
    calls, bucket = StackCalls(name, environ), f"{name}-code"
    calls.make_bucket(bucket)
    packaged = sam.package(environ, project=project, bucket=bucket)
    template = sam.translate(packaged, parameters)
    del template["Outputs"]["ApiUrl"]
    secrets = calls.make_secrets(template, parameters)
    calls.make(_with_names(template, secrets), parameters)
    resources = calls.resources() | secrets
    calls.make_alarms(template, parameters, resources=resources)
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


def _with_names(template: Document, names: Texts) -> Document:
    """Put the names of what was made beforehand in place of references to it."""
    text = json.dumps(template)
    for logical, name in names.items():
        text = text.replace(f'{{"Ref": "{logical}"}}', json.dumps(name))
        text = text.replace(f"${{{logical}}}", name)
    named: Document = json.loads(text)
    return named


def _describe(calls: StackCalls, name: str) -> StackFunction:
    found = calls.configuration(name)
    role = found["Role"].rpartition("/")[2]
    return StackFunction(
        name=name,
        handler=found["Handler"],
        environ=found["Environment"]["Variables"],
        role=role,
        policies=calls.mend_policies(role),
        timeout_seconds=found["Timeout"],
        memory_mb=found["MemorySize"],
    )
