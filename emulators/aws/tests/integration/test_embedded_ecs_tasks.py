"""ECS tasks as local processes: what a container sees and what ECS says of it."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from embedded_aws.testing import eventually

if TYPE_CHECKING:
    from embedded_aws.testing import EmbeddedAws, Json


def test_a_task_runs_its_command_to_its_exit_code(aws: EmbeddedAws) -> None:
    arn = aws.run_task("sys.exit(7)")
    task = aws.task_when(arn, "STOPPED")
    assert task["containers"][0]["exitCode"] == 7
    assert task["stopCode"] == "EssentialContainerExited"


def test_the_stopped_reason_is_worded_as_aws_words_it(aws: EmbeddedAws) -> None:
    task = aws.task_when(aws.run_task("pass"), "STOPPED")
    assert task["stoppedReason"] == "Essential container in task exited"


def test_death_by_a_signal_is_128_plus_its_number(aws: EmbeddedAws) -> None:
    task = aws.task_when(aws.run_task("os.kill(os.getpid(), 9)"), "STOPPED")
    assert task["containers"][0]["exitCode"] == 137


def test_an_unknown_image_stops_the_task_with_cannot_pull(aws: EmbeddedAws) -> None:
    task = aws.task_when(aws.run_task(image="nobody/knows:1"), "STOPPED")
    words = "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref nobody/"
    assert task["stoppedReason"].startswith(words)
    assert task["stopCode"] == "TaskFailedToStart"


def test_a_program_that_does_not_exist_ends_with_127_and_says_so(aws: EmbeddedAws) -> None:
    arn = aws.run_task(entryPoint=["/no/such/program"])
    assert aws.task_when(arn, "STOPPED")["containers"][0]["exitCode"] == 127
    assert "cannot start /no/such/program: No such file or directory" in aws.task_log(arn)


def test_the_environment_is_the_definitions_the_overrides_and_the_platforms_alone(aws: EmbeddedAws) -> None:
    arn = aws.run_task(
        "print(json.dumps(dict(os.environ)))",
        environment=[{"name": "FROM_DEFINITION", "value": "1"}, {"name": "BOTH", "value": "definition"}],
        overrides=[{"name": "BOTH", "value": "override"}],
    )
    environment = aws.task_output(arn)
    assert (environment.pop("FROM_DEFINITION"), environment.pop("BOTH")) == ("1", "override")
    assert environment.pop("SSL_CERT_FILE") == "/host/ca.pem"
    expected = {"PATH", "HOME", "LANG", "TMPDIR", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_EXECUTION_ENV"}
    expected |= {"AWS_ENDPOINT_URL", "ECS_CONTAINER_METADATA_URI_V4"}
    assert expected == environment.keys() - {"LC_CTYPE"}  # which Python itself sets
    assert aws.url == environment["AWS_ENDPOINT_URL"]
    assert (environment["AWS_REGION"], environment["LANG"]) == ("us-east-1", "C.UTF-8")


def test_the_home_directory_is_empty_writable_the_tasks_own_and_gone_afterwards(aws: EmbeddedAws) -> None:
    code = """
        home = os.environ["HOME"]
        print(json.dumps([os.listdir(home), os.access(home, os.W_OK), home]))
    """
    content, writable, home = aws.task_output(aws.run_task(code))
    assert (content, writable) == ([], True)
    assert home.startswith(str(aws.state_dir / "tasks"))
    eventually(lambda: not Path(home).exists())
    # The next one's is at the same place, as in an image: programs that are kept for it name the folder they're in.
    assert home == aws.task_output(aws.run_task(code))[2]


def test_a_task_does_not_run_in_its_home_directory_which_the_repositorys_code_can_write(aws: EmbeddedAws) -> None:
    assert aws.task_output(aws.run_task("print(json.dumps(os.getcwd()))")) == "/"


def test_secrets_come_from_secrets_manager_whole_or_by_json_key(aws: EmbeddedAws) -> None:
    secrets = aws.client("secretsmanager")
    whole = secrets.create_secret(Name=f"w-{uuid.uuid4().hex}", SecretString="key-1")["ARN"]
    parts = secrets.create_secret(Name=f"p-{uuid.uuid4().hex}", SecretString=json.dumps({"token": "t-2"}))["ARN"]
    arn = aws.run_task(
        "print(json.dumps([os.environ['WHOLE'], os.environ['PART']]))",
        secrets=[{"name": "WHOLE", "valueFrom": whole}, {"name": "PART", "valueFrom": f"{parts}:token::"}],
    )
    assert aws.task_output(arn) == ["key-1", "t-2"]


def test_a_missing_secret_stops_the_task_as_on_fargate(aws: EmbeddedAws) -> None:
    missing = "arn:aws:secretsmanager:us-east-1:000000000000:secret:none-abcdef"
    arn = aws.run_task(secrets=[{"name": "X", "valueFrom": missing}])
    assert aws.task_when(arn, "STOPPED")["stoppedReason"].startswith("ResourceInitializationError: unable to pull")


def test_metadata_tells_a_task_its_own_address_which_it_can_listen_on(aws: EmbeddedAws) -> None:
    code = """
        import urllib.request, socket
        container = json.load(urllib.request.urlopen(os.environ["ECS_CONTAINER_METADATA_URI_V4"]))
        network = container["Networks"][0]
        socket.create_server((network["IPv4Addresses"][0], 3000))
        print(json.dumps([network, time.sleep(1)]))
    """
    first, second = aws.run_task(code), aws.run_task(code)  # the same port at the same time
    networks = [aws.task_output(arn)[0] for arn in (first, second)]
    addresses = [network["IPv4Addresses"][0] for network in networks]
    assert {"awsvpc"} == {network["NetworkMode"] for network in networks}
    assert len(set(addresses)) == 2
    (details,) = [attachment["details"] for attachment in aws.task(first)["attachments"]]
    assert addresses[0] == {each["name"]: each["value"] for each in details}["privateIPv4Address"]


def test_output_goes_to_the_log_file_and_to_the_awslogs_group(aws: EmbeddedAws) -> None:
    group = f"/tests/{uuid.uuid4().hex}"
    aws.client("logs").create_log_group(logGroupName=group)
    options = {"awslogs-group": group, "awslogs-region": "us-east-1", "awslogs-stream-prefix": "task"}
    arn = aws.run_task(
        "print('to out'); print('to err', file=sys.stderr); sys.stdout.write('no newline')",
        logConfiguration={"logDriver": "awslogs", "options": options},
    )
    task = aws.task_when(arn, "STOPPED")
    family = task["taskDefinitionArn"].rsplit("/", 1)[-1].split(":")[0]
    lines = ["to out", "to err", "no newline"]
    assert lines == (aws.log_dir / f"{family}-{arn.rsplit('/', 1)[-1]}.log").read_text().splitlines()

    def in_cloudwatch() -> bool:
        stream = f"task/main/{arn.rsplit('/', 1)[-1]}"
        events = aws.client("logs").get_log_events(logGroupName=group, logStreamName=stream)["events"]
        return lines == [event["message"] for event in events]

    eventually(in_cloudwatch)


def test_a_family_is_its_latest_active_revision_and_no_task_is_run_from_an_inactive_one(aws: EmbeddedAws) -> None:
    ecs, first = aws.client("ecs"), aws.define_task()
    family = first.rpartition("/")[2].partition(":")[0]
    container = {"name": "main", "image": "local/python", "command": ["-c", "pass"]}

    def run(definition: str) -> str:
        (task,) = ecs.run_task(cluster=aws.cluster, taskDefinition=definition, launchType="FARGATE")["tasks"]
        return str(task["taskDefinitionArn"])

    registered = ecs.register_task_definition(family=family, networkMode="awsvpc", containerDefinitions=[container])
    second = registered["taskDefinition"]["taskDefinitionArn"]
    assert (second, first) == (run(family), run(first))

    ecs.deregister_task_definition(taskDefinition=second)
    assert first == run(family)
    assert first == ecs.describe_task_definition(taskDefinition=family)["taskDefinition"]["taskDefinitionArn"]
    assert ecs.describe_task_definition(taskDefinition=second)["taskDefinition"]["status"] == "INACTIVE"
    with pytest.raises(ecs.exceptions.ClientException, match="TaskDefinition is inactive"):
        run(second)

    ecs.deregister_task_definition(taskDefinition=first)
    with pytest.raises(ecs.exceptions.ClientException):
        run(family)


def test_tasks_are_found_by_who_started_them(aws: EmbeddedAws) -> None:
    ecs = aws.client("ecs")
    who = f"session-{uuid.uuid4().hex[:8]}"
    definition = aws.define_task("time.sleep(60)")
    started = ecs.run_task(cluster=aws.cluster, taskDefinition=definition, startedBy=who)["tasks"][0]["taskArn"]
    assert [started] == ecs.list_tasks(cluster=aws.cluster, startedBy=who)["taskArns"]
    ecs.stop_task(cluster=aws.cluster, task=started)
    assert ecs.list_tasks(cluster=aws.cluster, startedBy=who)["taskArns"] == []
    stopped = ecs.list_tasks(cluster=aws.cluster, startedBy=who, desiredStatus="STOPPED")
    assert [started] == stopped["taskArns"]


def test_every_change_of_a_tasks_state_is_an_event_with_the_task_in_it(aws: EmbeddedAws) -> None:
    sqs, events = aws.client("sqs"), aws.client("events")
    name = f"states-{uuid.uuid4().hex[:8]}"
    queue = sqs.create_queue(QueueName=name)["QueueUrl"]
    queue_arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    cluster_arn = aws.client("ecs").describe_clusters(clusters=[aws.cluster])["clusters"][0]["clusterArn"]
    pattern = {
        "source": ["aws.ecs"],
        "detail-type": ["ECS Task State Change"],
        "detail": {"clusterArn": [cluster_arn], "group": [{"prefix": "states-"}]},
    }
    events.put_rule(Name=name, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": queue_arn}])
    aws.run_task("pass")  # of no such group
    aws.client("ecs").run_task(
        cluster=aws.cluster,
        taskDefinition=aws.define_task("sys.exit(3)"),
        group=name,
        networkConfiguration={"awsvpcConfiguration": {"subnets": ["subnet-1"]}},
        overrides={"containerOverrides": [{"name": "main", "environment": [{"name": "TASK_TOKEN", "value": "t"}]}]},
    )

    seen: dict[str, Json] = {}

    def stopped() -> Json | None:
        for message in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", []):
            event = json.loads(message["Body"])
            seen[event["detail"]["lastStatus"]] = event
        return seen.get("STOPPED")

    last = eventually(stopped)
    details = [seen[status]["detail"] for status in ("PROVISIONING", "PENDING", "RUNNING", "STOPPED")]
    assert sorted(seen) == sorted(detail["lastStatus"] for detail in details)
    versions = [detail["version"] for detail in details]
    assert versions[:3] == [1, 2, 3]
    assert versions[3] > 3
    for detail in details:
        assert detail["group"] == name
        assert "startedBy" not in detail, "nobody was named"
        assert detail["overrides"]["containerOverrides"][0]["environment"] == [{"name": "TASK_TOKEN", "value": "t"}]
    assert [bool(detail["attachments"]) for detail in details[:3]] == [False, False, True]
    ((interface,), (container,)) = details[2]["attachments"], last["detail"]["containers"]
    assert interface["type"] == "eni"
    assert [one["name"] for one in interface["details"]] == ["subnetId", "privateIPv4Address"]
    assert (container["exitCode"], container["name"]) == (3, "main")
    assert last["detail"]["stoppedReason"] == "Essential container in task exited"
    assert last["detail"]["desiredStatus"] == "STOPPED"
    assert [last["detail"]["taskArn"]] == last["resources"]
