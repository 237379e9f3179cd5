"""The scenario: its steps in order. Environments name the steps they cannot run."""

from typing import Any

from kycourier_devkit.demo import api_steps, cloud_steps, operator_steps, queue_steps
from kycourier_devkit.demo.api_steps import PHOTO_PATH, REJECTED_PATH, REQUESTED
from kycourier_devkit.demo.cloud_steps import NO_EVENTS, NO_EVIDENCE, NO_STATE, RENEWED
from kycourier_devkit.demo.queue_steps import (
    FACE,
    GOOD,
    ID_CARD,
    LATE,
    REVOKED,
    UNREADABLE,
)
from kycourier_devkit.demo.runner import Step

# Any: a step needs Environment or one of its extensions; `not_included` decides.
STEPS: tuple[Step[Any], ...] = (
    Step("deployment", "The packages are deployed.", cloud_steps.deploy),
    Step(
        "empty secret",
        "A function starts while the app secret is empty.",
        cloud_steps.start_without_secret,
    ),
    Step("refresh", "The refresh timer fires.", queue_steps.refresh_ticket),
    Step(
        "queue",
        f"A queue message announces the result of {GOOD}.",
        queue_steps.collect_from_queue,
    ),
    Step(
        "late photos",
        f"The photos of {LATE} are one second late.",
        queue_steps.wait_for_photos,
    ),
    Step(
        "documents",
        f"{ID_CARD} is an ID card, {FACE} a face.",
        queue_steps.collect_documents,
    ),
    Step(
        "unreadable",
        f"The scan {UNREADABLE} is unreadable.",
        queue_steps.reject_unreadable,
    ),
    Step(
        "batch",
        "The queue delivers ten messages, one of them broken.",
        queue_steps.collect_batch,
    ),
    Step(
        "redelivery",
        "The queue delivers the same messages again.",
        queue_steps.repeat_batch,
    ),
    Step(
        "unsigned request",
        f"HTTP: PUT /v1/orders/{REQUESTED} without a signature",
        api_steps.reject_unsigned,
    ),
    Step("registration", f"HTTP: PUT /v1/orders/{REQUESTED}", api_steps.register),
    Step(
        "collection",
        f"HTTP: POST /v1/orders/{REQUESTED}/collection",
        api_steps.collect,
    ),
    Step("order", f"HTTP: GET /v1/orders/{REQUESTED}", api_steps.read_order),
    Step("list", f"HTTP: GET {REJECTED_PATH}", api_steps.list_rejected),
    Step("photo link", f"HTTP: GET {PHOTO_PATH}", api_steps.link_photo),
    Step("download", "A browser follows the link.", api_steps.download_photo),
    Step(
        "revoked ticket",
        f"The platform revokes the ticket; {REVOKED} is announced.",
        queue_steps.replace_revoked_ticket,
    ),
    Step(
        "renewed credentials",
        f"The cloud renews the role's credentials; {RENEWED} is announced.",
        cloud_steps.renew_credentials,
    ),
    Step(
        "denied state",
        f"The role may not write orders; {NO_STATE} is announced.",
        cloud_steps.deny_state,
    ),
    Step(
        "redrive",
        "The permission is restored, the dead letter redriven.",
        cloud_steps.redrive,
    ),
    Step(
        "denied evidence",
        f"The role may not store photos; {NO_EVIDENCE} is announced.",
        cloud_steps.deny_evidence,
    ),
    Step(
        "denied events",
        f"The role may not publish events; {NO_EVENTS} is announced.",
        cloud_steps.deny_events,
    ),
    Step(
        "recovery",
        "Both permissions are restored, and the sweep timer fires.",
        cloud_steps.recover,
    ),
    Step(
        "not ready",
        "Two orders are collected before their results are ready.",
        api_steps.retry_not_ready,
    ),
    Step(
        "forgotten orders",
        "Two orders are registered, but never announced.",
        api_steps.sweep_forgotten,
    ),
    Step(
        "verification",
        "Operator: kycourier verify, on all evidence",
        operator_steps.verify_evidence,
    ),
    Step("doctor", "Operator: kycourier doctor", operator_steps.examine_settings),
    Step(
        "secrets",
        "Events, log lines and all other output are searched for secrets.",
        operator_steps.search_outputs,
    ),
)
