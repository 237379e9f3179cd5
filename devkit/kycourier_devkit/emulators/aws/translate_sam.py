"""Translates a SAM template on standard input to CloudFormation as JSON.

This script runs in SAM's own environment. Its argument is a JSON object with the
parameters' values.
"""

import json
import sys

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse


class _NoManagedPolicies:
    """SAM looks up managed policies here; the template uses none."""

    def load(self) -> dict[str, str]:
        return {}


def main() -> None:
    """Translates."""
    template, parameters = yaml_parse(sys.stdin.read()), json.loads(sys.argv[1])
    translated = transform(template, parameters, _NoManagedPolicies())
    print(json.dumps(translated))  # noqa: T201 - the parent reads it


if __name__ == "__main__":
    main()
