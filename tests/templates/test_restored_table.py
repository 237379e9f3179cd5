"""A stack with RestoredTable uses only the table that was restored to a moment."""

from pathlib import Path

import pytest

from kycourier.adapters.aws.orders import DynamoOrderStore
from kycourier_devkit.cli.app import run
from kycourier_devkit.emulators.aws.stack import Stack, StackFunction, create_stack
from kycourier_devkit.errors import ToolUnavailableError
from support.aws.clients import aws_client, aws_environ
from support.aws.dynamo_table import make_table, open_table
from support.fakes import FakeClock
from support.rendered_templates import APP_ID, NEEDS_TOOLS, as_list, copy_project
from support.sample_records import draft

pytestmark = NEEDS_TOOLS


@pytest.fixture(scope="module")
def restored(moto: str) -> str:
    """Restore a table to the moment between ORDER1 and ORDER2; return its name."""
    before = make_table(moto)
    name, orders = f"{before}-restored", open_orders(moto, before)
    orders.register(draft("ORDER1"))
    aws_client("dynamodb", moto).restore_table_to_point_in_time(
        SourceTableName=before, TargetTableName=name, UseLatestRestorableTime=True
    )
    orders.register(draft("ORDER2"))
    return name


@pytest.fixture(scope="module")
def stack(moto: str, restored: str, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """Create a stack with the restored table as its parameter."""
    folder: Path = copy_project(tmp_path_factory.mktemp("restored"))
    name = f"{folder.name}-{folder.parent.name}".replace("_", "-")
    parameters = APP_ID | {"RestoredTable": restored}
    try:
        return create_stack(aws_environ(moto), parameters, project=folder, name=name)
    except ToolUnavailableError as missing:
        pytest.skip(str(missing))


def open_orders(url: str, table: str) -> DynamoOrderStore:
    """Open the order store of a table."""
    return DynamoOrderStore(open_table(url, table, FakeClock()))


def tables_of(function: StackFunction) -> set[str]:
    """Return the tables and indexes that a function's role allows to use."""
    return {
        resource
        for policy in function.policies
        for statement in policy["Statement"]
        for resource in as_list(statement["Resource"])
        if any(each.startswith("dynamodb:") for each in as_list(statement["Action"]))
    }


def test_every_function_uses_the_restored_table(stack: Stack, restored: str) -> None:
    assert len(stack.functions) == 4
    for function in stack.functions.values():
        assert function.environ["KYCOURIER_STATE"] == f"dynamodb://{restored}"
    assert stack.outputs["StateTableName"] == restored


@pytest.mark.parametrize(
    ("file", "lists_due"),
    [
        ("refresh_ticket", False),
        ("collect_results", False),
        ("sweep_orders", True),
        ("orders_api", True),
    ],
)
def test_every_role_allows_only_the_restored_table(
    stack: Stack, moto: str, restored: str, file: str, *, lists_due: bool
) -> None:
    table = aws_client("dynamodb", moto).describe_table(TableName=restored)["Table"]
    (index,) = table["GlobalSecondaryIndexes"]
    due = f"{table['TableArn']}/index/{index['IndexName']}"

    allowed = {table["TableArn"], due} if lists_due else {table["TableArn"]}
    assert tables_of(stack.functions[file]) == allowed


def test_original_table_is_still_created(
    stack: Stack, moto: str, restored: str
) -> None:
    own = stack.resources["StateTable"]

    assert own != restored
    assert (
        aws_client("dynamodb", moto).describe_table(TableName=own)["Table"]["ItemCount"]
        == 0
    )


@pytest.mark.parametrize(("order", "code"), [("ORDER1", 0), ("ORDER2", 1)])
def test_orders_of_the_restored_table_are_shown(
    stack: Stack, moto: str, monkeypatch: pytest.MonkeyPatch, order: str, code: int
) -> None:
    environ = aws_environ(moto)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)

    assert run(["--stack", stack.name, "show", order], environ) == code
