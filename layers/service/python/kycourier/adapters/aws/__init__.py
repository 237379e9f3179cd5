"""AWS: DynamoDB, S3, EventBridge, SQS, Secrets Manager and Parameter Store."""
