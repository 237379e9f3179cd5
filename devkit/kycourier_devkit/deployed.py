"""The settings of a stack on AWS, as its functions have them: references, no secret."""

from collections.abc import Mapping
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from kycourier.adapters.aws.account import SAID
from kycourier.adapters.aws.endpoints import find_endpoint
from kycourier.adapters.aws.silence import silence_libraries
from kycourier.settings import PREFIX
from kycourier_devkit.errors import UsageProblem

_FIRST = "collect_results.handler"  # it has the most settings


def read_stack(name: str, environ: Mapping[str, str]) -> Mapping[str, str]:
    """Read the KYCOURIER_ variables of a stack's functions, with the caller's rights.

    Region and endpoint are those of `environ`, else those of AWS's own files.
    Where functions differ, collect_results counts. Raises UsageProblem.
    """
    try:
        found = _read_functions(name, environ)
    except ClientError as error:
        why = str(error.response.get("Error", {}).get("Code", "refused"))
    except (BotoCoreError, ResponseParserError) as error:
        name_of = type(error).__name__
        why = SAID.get(name_of, name_of)
    else:
        if found:
            return found
        why = "it has no function with a KYCOURIER_ variable"
    raise UsageProblem(f"the stack {name} cannot be read here: {why}")


def _read_functions(stack: str, environ: Mapping[str, str]) -> dict[str, str]:
    region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION")
    silence_libraries()  # a setting may hold a password
    session = boto3.Session(region_name=region)
    formation, functions = (
        session.client(service, endpoint_url=find_endpoint(environ, service))
        for service in ("cloudformation", "lambda")
    )
    pages = formation.get_paginator("list_stack_resources").paginate(StackName=stack)
    described = [
        functions.get_function_configuration(FunctionName=each["PhysicalResourceId"])
        for page in pages
        for each in page["StackResourceSummaries"]
        if each["ResourceType"] == "AWS::Lambda::Function"
    ]
    described.sort(key=lambda function: function["Handler"] == _FIRST)
    return {
        variable: value
        for function in described
        for variable, value in _variables(function).items()
        if variable.startswith(PREFIX)
    }


def _variables(function: Mapping[str, Any]) -> Mapping[str, str]:
    variables: Mapping[str, str] = function.get("Environment", {}).get("Variables", {})
    return variables
