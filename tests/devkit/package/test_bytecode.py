"""Lambda's Python loads the bytecode in the zips and compiles nothing."""

import json

import pytest

from kycourier_devkit.emulators.running_function import FUNCTIONS
from support.built_packages import PACKAGED, run_in

pytestmark = PACKAGED
UNCHECKED_HASH = 0b01
START = """
import importlib.machinery, json, os, sys
compiled = []
compile_source = importlib.machinery.SourceFileLoader.source_to_code
def record(self, data, path, **options):
    compiled.append(str(path))
    return compile_source(self, data, path, **options)
importlib.machinery.SourceFileLoader.source_to_code = record
start = importlib.import_module(sys.argv[1])
paths = os.environ["PYTHONPATH"].split(":")
loaded = [
    module.__name__
    for module in list(sys.modules.values())
    if any((getattr(module, "__file__", None) or "").startswith(p) for p in paths)
]
print(json.dumps({"compiled": compiled, "loaded": loaded}))
"""
PATHS = """
import json, marshal, pathlib, sys
def paths(code):
    yield code.co_filename
    for constant in code.co_consts:
        if hasattr(constant, "co_filename"):
            yield from paths(constant)
found = {}
for folder in sys.argv[1:]:
    for cached in pathlib.Path(folder).rglob("*.pyc"):
        content = cached.read_bytes()
        flags = int.from_bytes(content[4:8], "little")
        found[str(cached)] = [flags, sorted(set(paths(marshal.loads(content[16:]))))]
print(json.dumps(found))
"""


@pytest.mark.parametrize("name", FUNCTIONS)
def test_start_compiles_no_module(lambda_rig, lambda_deployment, tmp_path, name):
    def start(**environ):
        environ |= lambda_rig.environ
        return json.loads(run_in(lambda_deployment, START, name, **environ))

    result = start()
    assert len(result["loaded"]) > 100
    assert result["compiled"] == []
    without_bytecode = start(PYTHONPYCACHEPREFIX=str(tmp_path))
    assert len(without_bytecode["compiled"]) > 100


def test_every_module_has_unchecked_bytecode_with_paths_of_lambda(lambda_deployment):
    folders = lambda_deployment.task, lambda_deployment.opt
    found = json.loads(run_in(lambda_deployment, PATHS, *map(str, folders)))
    modules = [path for folder in folders for path in folder.rglob("*.py")]
    assert len(found) == len(modules) > 500
    assert {flags for flags, _ in found.values()} == {UNCHECKED_HASH}
    for cached, (_, [path]) in found.items():
        in_task = cached.startswith(str(lambda_deployment.task))
        here, there = folders[0 if in_task else 1], "/var/task" if in_task else "/opt"
        assert path == cache_to_source(cached).replace(str(here), there, 1)


def cache_to_source(cached):
    folder, _, name = cached.partition("/__pycache__/")
    return f"{folder}/{name.removesuffix('.cpython-313.pyc')}.py"


def test_boto3_comes_from_the_runtime_and_the_rest_from_the_layer(lambda_deployment):
    names = "boto3, requests, urllib3, obstore, hiredis"
    script = f"import json, {names}\nprint(json.dumps([m.__file__ for m in ({names})]))"
    boto3, *rest = json.loads(run_in(lambda_deployment, script))
    assert boto3.startswith(str(lambda_deployment.python.parents[1]))
    assert all(path.startswith(str(lambda_deployment.opt / "python")) for path in rest)
