"""The embedded AWS as a program."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import uuid
from typing import TYPE_CHECKING

import pytest

from embedded_aws import version
from embedded_aws.testing import eventually

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from embedded_aws.testing import EmbeddedAws


def run(directory: Path, port: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "embedded_aws", "--port", str(port)]
    command += ["--state-dir", str(directory / "s"), "--log-dir", str(directory / "l"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def test_a_port_in_use_is_a_line_that_says_so(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = run(tmp_path, port)
    assert ended.returncode == 2
    assert f"embedded AWS: 127.0.0.1:{port} cannot be listened on (Address already in use)" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_an_image_runs_the_program_of_its_argument(start_aws: Callable[..., EmbeddedAws]) -> None:
    program = json.dumps([sys.executable, "-c", "print('from the image')"])
    aws = start_aws("--image", f"acme/shop:1={program}")
    arn = aws.run_task(image="acme/shop:1", command=[])
    assert aws.task_when(arn, "STOPPED")["containers"][0]["exitCode"] == 0
    assert aws.task_log(arn) == "from the image\n"


@pytest.mark.parametrize("image", ["acme/shop:1", "acme/shop:1=shop", "=[]", "acme/shop:1=[]", "acme/shop:1=[1]"])
def test_an_image_without_a_program_is_refused(tmp_path: Path, image: str) -> None:
    ended = run(tmp_path, 0, "--image", image)
    assert ended.returncode == 2
    assert f"argument --image: {image!r} isn't an image's name, '=' and a JSON list of strings" in ended.stderr


def test_another_ministack_version_is_refused_with_the_one_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(version, "REQUIRED", "0.0.1")
    with pytest.raises(version.UnsupportedMinistackError, match=r"ministack 0\.0\.1 is required, found: 1\.5\.33"):
        version.require_supported_ministack()


def test_the_installed_version_is_the_required_one() -> None:
    version.require_supported_ministack()


def test_state_is_kept_over_a_graceful_end_and_services_run_again(start_aws: Callable[..., EmbeddedAws]) -> None:
    aws = start_aws("--keep-state")
    secret = aws.client("secretsmanager").create_secret(Name="kept", SecretString="value")["ARN"]
    task = aws.define_task("time.sleep(300)")
    aws.client("ecs").create_service(
        cluster=aws.cluster, serviceName="kept", taskDefinition=task, desiredCount=1, launchType="FARGATE"
    )

    def running() -> list[str]:
        arns: list[str] = aws.client("ecs").list_tasks(cluster=aws.cluster, serviceName="kept")["taskArns"]
        return [arn for arn in arns if aws.task(arn)["lastStatus"] == "RUNNING"]

    (before,) = eventually(running)
    assert aws.stop() == 0
    assert list((aws.state_dir / "tasks").iterdir()) == []
    aws.start()
    assert aws.client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"] == "value"
    (after,) = eventually(running)
    assert before != after


def test_an_account_that_is_not_kept_is_empty_after_each_start(start_aws: Callable[..., EmbeddedAws]) -> None:
    aws = start_aws()
    aws.client("secretsmanager").create_secret(Name="forgotten", SecretString="value")
    aws.client("s3").create_bucket(Bucket="forgotten")
    aws.client("s3").put_object(Bucket="forgotten", Key="one", Body=b"1")
    aws.stop()
    aws.start()
    assert aws.client("secretsmanager").list_secrets()["SecretList"] == []
    assert aws.client("s3").list_buckets()["Buckets"] == []


def test_nothing_is_printed_but_logs_on_standard_error(start_aws: Callable[..., EmbeddedAws]) -> None:
    aws = start_aws()
    aws.invoke(aws.function("def handler(event, context): print('from a function')"))
    aws.task_when(aws.run_task("print('from a task')"), "STOPPED")
    aws.stop()
    assert (aws.directory / "out").read_text() == ""
    assert "Traceback" not in (aws.directory / "err").read_text()


def test_two_on_one_machine_never_share_an_address(aws: EmbeddedAws, start_aws: Callable[..., EmbeddedAws]) -> None:
    code = """
        import urllib.request
        container = json.load(urllib.request.urlopen(os.environ["ECS_CONTAINER_METADATA_URI_V4"]))
        print(json.dumps(container["Networks"][0]["IPv4Addresses"][0]))
    """
    other = start_aws()
    addresses = [each.task_output(each.run_task(code)) for each in (aws, other) for _ in range(3)]
    assert len(addresses) == len(set(addresses))


def test_a_stack_that_fails_names_the_reason(aws: EmbeddedAws) -> None:
    name = f"stack-{uuid.uuid4().hex[:8]}"
    rule = {"Type": "AWS::EC2::SecurityGroupIngress", "Properties": {"GroupId": "sg-none", "IpProtocol": "tcp"}}
    cloudformation = aws.client("cloudformation")
    cloudformation.create_stack(StackName=name, TemplateBody=json.dumps({"Resources": {"Rule": rule}}))
    with pytest.raises(Exception, match="Waiter StackCreateComplete failed"):
        cloudformation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
    assert any("'sg-none' does not exist" in event.get("ResourceStatusReason", "") for event in events)
