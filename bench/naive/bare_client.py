"""The least that a function on AWS starts with: boto3 and a client for S3."""

import boto3

s3 = boto3.client("s3")


def handler(event, context):
    """Do nothing."""
