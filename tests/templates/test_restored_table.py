"""A stack with RestoredTable works on a table restored to a moment, and on no other."""

from pathlib import Path

import pytest

from aws.access import aws_environ, client
from aws.table import make_table, open_held
from fakes import FakeClock
from kycourier.adapters.aws.orders import DynamoOrderStore
from kycourier_devkit.command_line import run
from kycourier_devkit.errors import ToolMissing
from kycourier_devkit.stand_ins.stack import Stack, StackFunction, make_stack
from records import draft
from rendered import APP_ID, BY_TOOLS, as_list, copy_project

pytestmark = BY_TOOLS


@pytest.fixture(scope="module")
def restored(moto: str) -> str:
    """Restore a table with ORDER1 as it was before ORDER2 came; give its name."""
    before = make_table(moto)
    name, orders = f"{before}-restored", open_orders(moto, before)
    orders.register(draft("ORDER1"))
    client("dynamodb", moto).restore_table_to_point_in_time(
        SourceTableName=before, TargetTableName=name, UseLatestRestorableTime=True
    )
    orders.register(draft("ORDER2"))
    return name


@pytest.fixture(scope="module")
def stack(moto: str, restored: str, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """Make a stack that is given the restored table."""
    folder: Path = copy_project(tmp_path_factory.mktemp("restored"))
    name = f"restored-{folder.parent.name}".replace("_", "-")
    parameters = APP_ID | {"RestoredTable": restored}
    try:
        return make_stack(aws_environ(moto), parameters, project=folder, name=name)
    except ToolMissing as missing:
        pytest.skip(str(missing))


def open_orders(url: str, table: str) -> DynamoOrderStore:
    """Open the orders in a table."""
    return DynamoOrderStore(open_held(url, table, FakeClock()))


def tables_of(function: StackFunction) -> set[str]:
    """Give the tables and indexes on which a function's role allows anything."""
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
def test_every_role_allows_the_restored_table_alone(
    stack: Stack, moto: str, restored: str, file: str, *, lists_due: bool
) -> None:
    table = client("dynamodb", moto).describe_table(TableName=restored)["Table"]
    (index,) = table["GlobalSecondaryIndexes"]
    due = f"{table['TableArn']}/index/{index['IndexName']}"

    allowed = {table["TableArn"], due} if lists_due else {table["TableArn"]}
    assert tables_of(stack.functions[file]) == allowed


def test_the_stack_s_own_table_is_made_all_the_same(
    stack: Stack, moto: str, restored: str
) -> None:
    own = stack.resources["StateTable"]

    assert own != restored
    assert (
        client("dynamodb", moto).describe_table(TableName=own)["Table"]["ItemCount"]
        == 0
    )


@pytest.mark.parametrize(("order", "code"), [("ORDER1", 0), ("ORDER2", 1)])
def test_orders_are_those_of_the_moment_that_was_restored(
    stack: Stack, moto: str, monkeypatch: pytest.MonkeyPatch, order: str, code: int
) -> None:
    environ = aws_environ(moto)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)

    assert run(["--stack", stack.name, "show", order], environ) == code
