"""The demo on AWS: built packages, Lambda's runtime client, the template's stack."""
