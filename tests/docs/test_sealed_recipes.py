"""The recipes of docs/how-to/read-sealed-results.md open what is sealed."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from jwcrypto.jwk import JWK

from kycourier.adapters.sealing.jwe import open_sealer
from kycourier.core.events.sealed_content import SealedContent
from kycourier.core.redaction import Secret
from kycourier_devkit.errors import ToolUnavailableError
from kycourier_devkit.repository import ROOT
from kycourier_devkit.tool_envs import node_tool
from support.openapi_check import load_schema

PAGE = (ROOT / "docs/how-to/read-sealed-results.md").read_text()
RECIPES = re.findall(r"(?ms)^```(python|javascript)\n(.*?)^```", PAGE)
[CONTENT] = load_schema("sealed.schema.json")["examples"]
KINDS = [
    {"kty": "EC", "crv": "P-256"},
    {"kty": "OKP", "crv": "X25519"},
    {"kty": "RSA", "size": 2048},
]


def sealed_event(kind):
    """Return an event of the content, and the private key that opens it."""
    key = JWK.generate(**kind)
    algorithm = "RSA-OAEP-256" if kind["kty"] == "RSA" else "ECDH-ES+A256KW"
    sealer = open_sealer(Secret(key.export_public()))
    sealed = sealer.seal(SealedContent(json.dumps(CONTENT).encode()))
    names = ("app_id", "order_no", "document")
    data = {name: CONTENT[name] for name in names} | {"sealed": sealed}
    return {"data": data}, {**key.export(as_dict=True), "alg": algorithm}


def run_python(recipe, event, key, _):
    names = {}
    exec(recipe, names)  # noqa: S102 - the page's own text
    return names["open_sealed"](event, key)


def run_javascript(recipe, event, key, folder):
    try:
        modules = node_tool("osls").parents[1]
    except ToolUnavailableError as missing:
        pytest.skip(str(missing))
    (folder / "node_modules").symlink_to(modules)
    (folder / "input.json").write_text(json.dumps([event, key]))
    (folder / "recipe.mjs").write_text(
        f"""import {{ readFileSync }} from "node:fs";
{recipe}
const [event, key] = JSON.parse(readFileSync("input.json"));
console.log(JSON.stringify(await openSealed(event, key)));
"""
    )
    done = subprocess.run(
        ["node", "recipe.mjs"],  # noqa: S607 - the one of npm
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise ValueError(done.stderr)
    return json.loads(done.stdout)


RUN = {"python": run_python, "javascript": run_javascript}
SLOW = {"python": (), "javascript": (pytest.mark.slow, pytest.mark.timeout(900))}
CASES = [
    pytest.param(RUN[language], text, id=f"{language} {index}", marks=SLOW[language])
    for index, (language, text) in enumerate(RECIPES)
]


def test_page_has_three_recipes_that_can_be_run():
    assert [language for language, _ in RECIPES] == ["python", "python", "javascript"]


@pytest.mark.leaks_on_purpose
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind["kty"])
@pytest.mark.parametrize(("run", "recipe"), CASES)
def test_recipe_opens_what_is_sealed(run, recipe, kind, tmp_path: Path):
    event, key = sealed_event(kind)

    assert run(recipe, event, key, tmp_path) == CONTENT


@pytest.mark.parametrize(("run", "recipe"), CASES)
def test_recipe_refuses_the_content_of_another_order(run, recipe, tmp_path: Path):
    event, key = sealed_event(KINDS[0])
    event["data"]["order_no"] = "another"

    with pytest.raises(ValueError, match="of another order"):
        run(recipe, event, key, tmp_path)
