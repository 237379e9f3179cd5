"""The smallest function on AWS: boto3 and an S3 client."""

import boto3

s3 = boto3.client("s3")


def handler(event, context):
    """Does nothing."""
