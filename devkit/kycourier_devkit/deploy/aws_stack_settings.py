"""Reads the settings of a stack on AWS from its functions' variables."""

from collections.abc import Mapping
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from kycourier.adapters.aws.credentials import REASONS, mute_sdk
from kycourier.adapters.aws.urls import find_endpoint
from kycourier.settings.declarations import PREFIX
from kycourier_devkit.errors import UsageError

_PREFERRED = "collect_results.handler"  # it has the most settings


def read_stack_settings(name: str, environ: Mapping[str, str]) -> Mapping[str, str]:
    """Reads the KYCOURIER_ variables of a stack's functions with the caller's rights.

    Where functions differ, the value of collect_results is returned. The values hold
    references to secrets, no secret.

    Args:
        name: The stack.
        environ: May set region and endpoints; AWS's own configuration files otherwise.

    Raises:
        UsageError: The stack cannot be read, or is no stack of kycourier.
    """
    try:
        found = _read_functions(name, environ)
    except ClientError as error:
        reason = str(error.response.get("Error", {}).get("Code", "refused"))
    except (BotoCoreError, ResponseParserError) as error:
        type_name = type(error).__name__
        reason = REASONS.get(type_name, type_name)
    else:
        if found:
            return found
        reason = "it has no function with a KYCOURIER_ variable"
    raise UsageError(f"the stack {name} cannot be read here: {reason}")


def _read_functions(stack: str, environ: Mapping[str, str]) -> dict[str, str]:
    region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION")
    mute_sdk()  # a setting may hold a password
    session = boto3.Session(region_name=region)
    cloudformation, functions = (
        session.client(service, endpoint_url=find_endpoint(environ, service))
        for service in ("cloudformation", "lambda")
    )
    pages = cloudformation.get_paginator("list_stack_resources").paginate(
        StackName=stack
    )
    configurations = [
        functions.get_function_configuration(FunctionName=each["PhysicalResourceId"])
        for page in pages
        for each in page["StackResourceSummaries"]
        if each["ResourceType"] == "AWS::Lambda::Function"
    ]
    configurations.sort(key=lambda function: function["Handler"] == _PREFERRED)
    return {
        variable: value
        for function in configurations
        for variable, value in _variables(function).items()
        if variable.startswith(PREFIX)
    }


def _variables(function: Mapping[str, Any]) -> Mapping[str, str]:
    variables: Mapping[str, str] = function.get("Environment", {}).get("Variables", {})
    return variables
