"""Deploys to Tencent Cloud and reads what is deployed on AWS; runs nothing."""
