"""The demo on AWS's own terms: built packages, Lambda's runtime client, template.yaml."""
