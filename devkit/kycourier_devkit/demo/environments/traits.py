"""The values in which the environments differ, and the steps that each leaves out."""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

Resource = Literal["state", "evidence", "events"]


class Traits(Struct, frozen=True, kw_only=True):
    """Values in which environments differ.

    Attributes:
        name: The environment's name in messages.
        evidence_scheme: URL scheme of stored photos.
        link_parameter: What a signed link to a photo contains.
        broken_returns: How often the function returns a broken message to the queue.
        retry_path: What brings an order back that was not ready.
        permissions: The action that writes to each resource, if access is controlled.
        not_included: Names of steps that cannot run here, with the reason.
    """

    name: str
    evidence_scheme: str
    link_parameter: str
    broken_returns: int
    retry_path: str
    permissions: Mapping[Resource, str] = {}
    not_included: Mapping[str, str]


LOCAL = Traits(
    name="local",
    evidence_scheme="file",
    link_parameter="signature=",
    broken_returns=1,
    retry_path="the sweep",
    not_included={
        "deployment": "the functions run from the checkout",
        "empty secret": "the sandbox's secret is always set",
        "unsigned request": "no authentication",
        "download": "only `kycourier serve` serves the link",
        "renewed credentials": "no credentials",
        "denied state": "no access control",
        "redrive": "no dead-letter queue",
        "denied evidence": "no access control",
        "denied events": "no access control",
        "recovery": "no access control",
    },
)

AWS = Traits(
    name="AWS",
    evidence_scheme="s3",
    link_parameter="X-Amz-Signature=",
    broken_returns=5,  # maxReceiveCount in template.yaml
    retry_path="a delayed message",
    permissions={
        "state": "dynamodb:UpdateItem",
        "evidence": "s3:PutObject",
        "events": "events:PutEvents",
    },
    not_included={
        "unsigned request": "the HTTP API of AWS rejects it, and moto has none",
        "renewed credentials": "Lambda does not renew them in a running process",
    },
)

TENCENT = Traits(
    name="Tencent Cloud",
    evidence_scheme="cos",
    link_parameter="X-Amz-Signature=",
    broken_returns=0,
    retry_path="the sweep",
    permissions={"evidence": "cos:PutObject", "events": "eb:PutEvents"},
    not_included={
        "denied state": "Redis has no permissions per role",
        "redrive": "CKafka has no dead-letter queue",
    },
)
