"""How calls are followed from a function through the sources: tests/permissions/reach.py on sources made for it."""

from __future__ import annotations

import pytest
from tests.permissions.reach import Reach
from tests.permissions.roles import called_from
from tests.permissions.source import Place, Sources
from tests.permissions.types import Types

_CLIENTS = """
from mypy_boto3_ecs import ECSClient

def ecs() -> ECSClient:
    return client("ecs")
"""


def methods(text: str) -> set[str]:
    """The methods of clients that are used from `handler` of a module `m`, beside a module `clients`."""
    types = Types(Sources({"clients": _CLIENTS, "m": f"import clients\n{text}"}))
    return {use.method for use in Reach(types, Place("m", "handler")).uses if use.service == "ecs"}


def test_a_call_is_reached_through_functions_methods_and_attributes() -> None:
    assert methods("""
class Tasks:
    def __init__(self, cluster: str) -> None:
        self._client = clients.ecs()

    def stop(self) -> None:
        self._client.stop_task()

    def run(self) -> None:
        self._client.run_task()

class Context:
    tasks: Tasks

def handler(event: Context) -> None:
    end(event)

def end(context: Context) -> None:
    context.tasks.stop()
""") == {"stop_task"}


def test_what_is_only_handed_on_is_reached() -> None:
    """A callback, a registry's entry, a lambda's body, a bound method."""
    assert methods("""
REGISTRY = {"a": lambda: clients.ecs().run_task()}

def stop() -> None:
    clients.ecs().stop_task()

def handler() -> None:
    attempt(stop)
    REGISTRY["a"]()
    attempt(clients.ecs().list_tasks)
""") == {"run_task", "stop_task", "list_tasks"}


def test_the_elements_of_a_container_and_of_a_tuple_are_known_by_its_annotation() -> None:
    assert methods("""
class Task:
    def stop(self) -> None:
        clients.ecs().stop_task()

def tasks() -> dict[str, list[Task]]: ...

def handler() -> None:
    number, found = 1, tasks()
    for name, of in found.items():
        [one.stop() for one in of]
""") == {"stop_task"}


def test_what_implements_a_protocol_and_what_inherits_is_reached_through_it() -> None:
    assert methods("""
from typing import Protocol

class Store(Protocol):
    def stop(self) -> None: ...

class Tasks:
    def stop(self) -> None:
        clients.ecs().stop_task()

class Base:
    def run(self) -> None: ...

class Heir(Base):
    def run(self) -> None:
        clients.ecs().run_task()

def handler(store: Store, base: Base) -> None:
    store.stop()
    base.run()
""") == {"stop_task", "run_task"}


def test_what_a_variable_decorates_is_reached_with_it() -> None:
    """As routes are: nothing names their handlers."""
    assert methods("""
app = make()

@app.route("/stop")
def stop() -> None:
    clients.ecs().stop_task()

def handler() -> None:
    app.resolve()
""") == {"stop_task"}


def test_a_type_variable_stands_for_what_it_is_given() -> None:
    assert methods("""
from typing import TypeVar

T = TypeVar("T")

class Settings:
    def apply(self) -> None:
        clients.ecs().run_task()

def load(kind: type[T]) -> T: ...

def handler() -> None:
    load(Settings).apply()
""") == {"run_task"}


def test_a_paginator_calls_the_operation_that_it_is_of() -> None:
    assert "list_tasks" in methods("""
def handler() -> None:
    clients.ecs().get_paginator("list_tasks").paginate()
""")


def test_a_paginator_of_an_operation_that_is_no_literal_is_refused() -> None:
    with pytest.raises(ValueError, match="line 4: name is no literal"):
        methods("""
def handler(name: str) -> None:
    clients.ecs().get_paginator(name)
""")


def test_annotations_alone_reach_nothing() -> None:
    assert (
        methods("""
class Tasks:
    def __init__(self) -> None:
        clients.ecs().run_task()

def handler(tasks: Tasks) -> None: ...
""")
        == set()
    )


def test_a_transaction_takes_the_actions_of_its_items_and_a_waiter_that_of_its_operation() -> None:
    text = """
from mypy_boto3_dynamodb import DynamoDBClient

def handler(client: DynamoDBClient) -> None:
    client.transact_write_items(TransactItems=[{"Put": {}}, {"Delete": {}}])
    client.get_waiter("table_exists").wait(TableName="")
"""
    found = called_from(Types(Sources({"m": text})), Place("m", "handler"))
    assert found.keys() == {"dynamodb:PutItem", "dynamodb:DeleteItem", "dynamodb:DescribeTable"}
