"""Lambda functions: what they see, how they fail, how many run at once."""

from __future__ import annotations

import io
import os
import signal
import zipfile
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from embedded_aws.testing import eventually

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from embedded_aws.testing import EmbeddedAws


def test_an_error_is_reported_by_the_class_of_its_exception(aws: EmbeddedAws) -> None:
    function = aws.function(
        """
        class OddNameError(LookupError): pass
        def handler(event, context):
            try:
                raise ValueError("cause")
            except ValueError as cause:
                raise OddNameError("line 1\\nRuntimeError: line 2") from cause
        """
    )
    error = aws.invoke(function)
    assert (error["errorType"], error["errorMessage"]) == ("OddNameError", "line 1\nRuntimeError: line 2")
    assert any("raise OddNameError" in line for line in error["stackTrace"])


def test_an_environment_outlives_what_its_handler_raises(aws: EmbeddedAws) -> None:
    function = aws.function(
        """
        import os
        def handler(event, context):
            raise ValueError(str(os.getpid()))
        """
    )
    assert len({aws.invoke(function)["errorMessage"] for _ in range(3)}) == 1


def test_a_function_reaches_the_embedded_aws_with_an_sdk_that_is_told_nothing(aws: EmbeddedAws) -> None:
    function = aws.function(
        "import boto3\ndef handler(event, context): return boto3.client('sts').get_caller_identity()['Account']"
    )
    assert aws.invoke(function) == "000000000000"


def test_a_function_sees_its_own_variables_and_nothing_of_the_hosts(aws: EmbeddedAws) -> None:
    function = aws.function(
        "import os\ndef handler(event, context): return dict(os.environ)",
        Environment={"Variables": {"SESSIONS_TABLE": "sessions"}},
    )
    seen = aws.invoke(function)
    assert ("sessions", "us-east-1", aws.url) == (
        seen["SESSIONS_TABLE"],
        seen["AWS_REGION"],
        seen["AWS_ENDPOINT_URL"],
    )
    assert set() == {"ANTHROPIC_API_KEY", "GITHUB_TOKEN"} & seen.keys()


def test_a_function_finds_its_own_and_the_runtimes_packages_and_none_of_the_hosts(
    aws: EmbeddedAws, tmp_path: Path
) -> None:
    code = """
        import importlib.util
        def handler(event, context):
            return [name for name in event if importlib.util.find_spec(name)]
        """
    (tmp_path / "mine.py").touch()
    bare, own = aws.function(code), aws.function(code, Environment={"Variables": {"PYTHONPATH": str(tmp_path)}})
    asked = ["app", "sqlite3", "boto3", "botocore", "dateutil", "six", "ministack", "embedded_aws", "pytest", "mine"]
    found = ["app", "sqlite3", "boto3", "botocore", "dateutil", "six"]
    assert aws.invoke(bare, asked) == found
    assert aws.invoke(own, asked) == [*found, "mine"]


def test_no_more_than_eight_invocations_run_at_once_and_the_rest_wait(aws: EmbeddedAws, tmp_path: Path) -> None:
    function = aws.function(
        f"""
        import os, pathlib, time
        def handler(event, context):
            mine = pathlib.Path({str(tmp_path)!r}) / str(os.getpid())
            mine.touch()
            time.sleep(0.3)
            running = len(list(mine.parent.iterdir()))
            mine.unlink()
            return running
        """
    )
    with ThreadPoolExecutor(20) as pool:
        running = list(pool.map(lambda _: aws.invoke(function), range(20)))
    assert 1 < max(running) <= 8


def test_a_function_that_invokes_others_does_not_wait_for_its_own_slot(aws: EmbeddedAws) -> None:
    inner = aws.function("def handler(event, context): return 'inner'")
    outer = aws.function(
        f"""
        import boto3
        def handler(event, context):
            return boto3.client("lambda").invoke(FunctionName={inner!r})["Payload"].read().decode()
        """,
        Timeout=15,
    )
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda _: aws.invoke(outer), range(8))) == ['"inner"'] * 8


def layer(aws: EmbeddedAws, name: str, says: str) -> str:
    """The ARN of a new version of a layer whose one module is named as the layer and says this."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as zipped:
        # Of no date: the same content is the same archive, whenever it is packed.
        zipped.writestr(zipfile.ZipInfo(f"python/{name}.py"), f"SAYS = {says!r}")
    answer = aws.client("lambda").publish_layer_version(LayerName=name, Content={"ZipFile": archive.getvalue()})
    return str(answer["LayerVersionArn"])


def test_the_workers_of_all_functions_share_what_a_layers_version_holds_and_nothing_else(aws: EmbeddedAws) -> None:
    code = """
        import os, menu, wine
        def handler(event, context): return [menu.SAYS, wine.SAYS, menu.__file__, os.getpid()]
        """
    wine = layer(aws, "wine", "Riesling")
    old, new = layer(aws, "menu", "soup"), layer(aws, "menu", "salad")

    first, second = (aws.invoke(aws.function(code, Layers=[old, wine])) for _ in range(2))
    third = aws.invoke(aws.function(code, Layers=[wine, new]))

    assert ["soup", "Riesling"] == first[:2] == second[:2]
    assert first[2] == second[2]
    assert first[3] != second[3]
    assert third[:2] == ["salad", "Riesling"]
    assert first[2] != third[2]


def test_several_servers_share_the_trees_of_one_folder(start_aws: Callable[..., EmbeddedAws], tmp_path: Path) -> None:
    code = """
        import menu
        def handler(event, context): return menu.__file__
        """
    shared = tmp_path / "layers"

    servers = [start_aws(f"--layers-dir={shared}") for _ in range(2)]
    first, second = (aws.invoke(aws.function(code, Layers=[layer(aws, "menu", "soup")])) for aws in servers)

    assert first == second
    assert first.startswith(str(shared))


def test_the_workers_of_functions_with_the_same_code_share_one_tree_of_it(aws: EmbeddedAws) -> None:
    code = """
        import os
        def handler(event, context):
            root = os.environ["LAMBDA_TASK_ROOT"]
            return [os.path.realpath(__file__), os.path.realpath(root), os.getcwd(), os.getpid()]
        """
    first, second = (aws.invoke(aws.function(code)) for _ in range(2))
    other = aws.invoke(aws.function(f"{code}\n        # another\n"))
    assert first[:3] == second[:3]
    assert first[0] == f"{first[1]}/app.py"
    assert first[1] == first[2]
    assert first[3] != second[3]
    assert other[0] != first[0]


def test_a_worker_has_what_is_preloaded_of_its_own_layers(start_aws: Callable[..., EmbeddedAws]) -> None:
    code = """
        import os, sys
        found = "menu" in sys.modules
        def handler(event, context):
            import menu
            return [menu.SAYS, found, os.getppid(), os.getpid()]
        """
    aws = start_aws("--preload=menu", "--preload=missing")
    soup, salad = (layer(aws, "menu", says) for says in ("soup", "salad"))
    first, second, third = (aws.invoke(aws.function(code, Layers=[version])) for version in (soup, soup, salad))
    assert [first[:2], second[:2], third[:2]] == [["soup", True], ["soup", True], ["salad", True]]
    assert first[2] == second[2] != third[2]
    assert len({*first[2:], *second[2:], *third[2:]}) == 5


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_no_process_of_a_function_outlives_the_server(start_aws: Callable[..., EmbeddedAws], number: int) -> None:
    aws = start_aws()
    processes = aws.invoke(aws.function("import os\ndef handler(event, context): return [os.getpid(), os.getppid()]"))
    assert eventually(lambda: all(map(_runs, processes)))
    aws.stop(number)
    assert eventually(lambda: not any(map(_runs, processes)))


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
