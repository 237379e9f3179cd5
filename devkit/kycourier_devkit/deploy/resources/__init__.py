"""One module for each kind of cloud resource: compares it with tencent.yml."""
