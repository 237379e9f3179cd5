"""Steps of the operator: checks of the evidence, the settings and all output."""

from collections.abc import Iterator

from kycourier_devkit.demo.environments.environment import Environment
from kycourier_devkit.demo.runner import Check


def verify_evidence(environment: Environment) -> Iterator[Check]:
    """Verifies every photo against its manifest."""
    verified = environment.verify()
    manifests = len(verified.lines) - 1
    with_photos = sum("photos" in event["data"] for event in environment.events())
    passed = verified.code == 0 and manifests == with_photos
    yield Check(verified.last_line, passed)


def examine_settings(environment: Environment) -> Iterator[Check]:
    """Examines the settings and everything they refer to."""
    examined = environment.examine()
    problems = [line for line in examined.lines if line.startswith("problem")]
    for line in problems or [examined.last_line]:
        yield Check(" ".join(line.split()), examined.code == 0)
    printed = "".join(examined.lines)
    secret = any(each in printed for each in environment.secrets())
    yield Check("its output has no secret", not secret)


def search_outputs(environment: Environment) -> Iterator[Check]:
    """Searches everything that was written for secrets and personal data."""
    text = environment.outputs()
    found = [secret for secret in environment.secrets() if secret in text]
    yield Check("no card number, secret, token, ticket or signature found", not found)
