"""How tasks end, and that no process of theirs is left whatever ended them."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from embedded_aws.testing import eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    from embedded_aws.testing import EmbeddedAws, Json

# A main process that ignores SIGTERM, a child in its group, and a grandchild in a session of its own.
STUBBORN_TREE = """
    import signal, subprocess
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    nap = [sys.executable, "-c", "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(300)"]
    started = [subprocess.Popen(nap), subprocess.Popen(nap, start_new_session=True)]
    print(json.dumps([os.getpid(), *(process.pid for process in started)]))
    time.sleep(300)
"""


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not (stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z")


def pids_of(aws: EmbeddedAws, arn: str) -> list[int]:
    def printed() -> list[int] | None:
        logs = list(aws.log_dir.glob(f"*-{arn.rsplit('/', 1)[-1]}.log"))
        lines = logs[0].read_text().splitlines() if logs else []
        return json.loads(lines[0]) if lines else None

    pids: list[int] = eventually(printed)
    assert all(is_running(pid) for pid in pids)
    return pids


def stop(aws: EmbeddedAws, arn: str, **request: object) -> Json:
    task: Json = aws.client("ecs").stop_task(cluster=aws.cluster, task=arn, **request)["task"]
    return task


def test_stop_lets_the_main_process_finish_and_reports_its_exit_code(aws: EmbeddedAws) -> None:
    arn = aws.run_task(
        """
        import signal
        def finish(*_):
            print("finished")
            sys.exit(5)
        signal.signal(signal.SIGTERM, finish)
        print("[%d]" % os.getpid())
        while True: time.sleep(0.1)
        """
    )
    pids_of(aws, arn)
    answer = stop(aws, arn, reason="the session is over")
    assert (answer["desiredStatus"], answer["lastStatus"]) == ("STOPPED", "RUNNING")
    task = aws.task_when(arn, "STOPPED")
    assert (
        task["containers"][0]["exitCode"],
        task["stopCode"],
        task["stoppedReason"],
    ) == (5, "UserInitiated", "the session is over")
    assert "finished" in aws.task_log(arn)


def test_sigterm_reaches_the_main_process_alone(aws: EmbeddedAws) -> None:
    arn = aws.run_task(
        """
        import signal, subprocess
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
        signal.signal(signal.SIGTERM, lambda *_: (print(child.poll()), sys.exit(0)))
        print("[%d]" % child.pid)
        while True: time.sleep(0.1)
        """
    )
    (child,) = pids_of(aws, arn)
    stop(aws, arn)
    aws.task_when(arn, "STOPPED")
    assert aws.task_log(arn).splitlines()[-1] == "None"
    assert not is_running(child)


def test_after_the_stop_timeout_the_whole_tree_is_killed(aws: EmbeddedAws) -> None:
    arn = aws.run_task(STUBBORN_TREE, stopTimeout=2)
    pids = pids_of(aws, arn)
    stop(aws, arn)
    assert aws.task(arn)["lastStatus"] == "RUNNING"  # it has its two seconds
    task = aws.task_when(arn, "STOPPED")
    assert task["containers"][0]["exitCode"] == 137
    assert [is_running(pid) for pid in pids] == [False, False, False]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has subreapers")
def test_when_the_main_process_ends_what_it_left_behind_is_killed(aws: EmbeddedAws) -> None:
    arn = aws.run_task(STUBBORN_TREE.replace("time.sleep(300)\n", "time.sleep(1)\n"))
    pids = pids_of(aws, arn)
    aws.task_when(arn, "STOPPED")
    assert [is_running(pid) for pid in pids] == [False, False, False]


def test_an_address_is_not_given_out_again_while_its_task_stops(aws: EmbeddedAws) -> None:
    arn = aws.run_task(STUBBORN_TREE, stopTimeout=2)
    pids_of(aws, arn)
    stop(aws, arn)
    others = [aws.task_when(aws.run_task("time.sleep(2)"), "RUNNING") for _ in range(3)]
    addresses = [_address(task) for task in [aws.task(arn), *others]]
    assert len(addresses) == len(set(addresses))


def _address(task: Json) -> str:
    details = {each["name"]: each["value"] for each in task["attachments"][0]["details"]}
    address: str = details["privateIPv4Address"]
    return address


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_no_process_outlives_the_embedded_aws(start_aws: Callable[..., EmbeddedAws], number: int) -> None:
    aws = start_aws()
    function = aws.function("import os\ndef handler(event, context): return os.getpid()")
    pids = [aws.invoke(function), *pids_of(aws, aws.run_task(STUBBORN_TREE))]
    aws.stop(number)
    eventually(lambda: not any(is_running(pid) for pid in pids), 5)


def test_a_graceful_end_takes_less_than_five_seconds_and_is_status_0(start_aws: Callable[..., EmbeddedAws]) -> None:
    aws = start_aws()
    pids_of(aws, aws.run_task(STUBBORN_TREE))
    aws.begin({"Wait": {"Type": "Wait", "Seconds": 300, "End": True}})
    parked = {"Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken", "TimeoutSeconds": 300}
    queue = aws.client("sqs").create_queue(QueueName="parked")["QueueUrl"]
    body = {"QueueUrl": queue, "MessageBody": "{% $states.context.Task.Token %}"}
    aws.begin({"Park": {"Type": "Task", **parked, "Arguments": body, "End": True}})
    aws.process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + 5
    eventually(lambda: aws.process.poll() is not None, deadline - time.monotonic())
    assert aws.process.returncode == 0


def service(aws: EmbeddedAws, code: str, **settings: object) -> str:
    name = f"service-{time.monotonic_ns()}"
    aws.client("ecs").create_service(
        cluster=aws.cluster,
        serviceName=name,
        taskDefinition=aws.define_task(code),
        desiredCount=1,
        launchType="FARGATE",
        **settings,
    )
    return name


def tasks_of(aws: EmbeddedAws, name: str) -> list[str]:
    arns: list[str] = aws.client("ecs").list_tasks(cluster=aws.cluster, serviceName=name)["taskArns"]
    return [arn for arn in arns if aws.task(arn)["lastStatus"] == "RUNNING"]


def end_service(aws: EmbeddedAws, name: str) -> None:
    aws.client("ecs").delete_service(cluster=aws.cluster, service=name, force=True)


def test_a_service_keeps_its_task_running_and_registered_in_its_target_group(aws: EmbeddedAws) -> None:
    elb = aws.client("elbv2")
    group = elb.create_target_group(Name=f"tg-{time.monotonic_ns()}", Protocol="HTTP", Port=8080, TargetType="ip")
    group_arn = group["TargetGroups"][0]["TargetGroupArn"]
    balancer = {"targetGroupArn": group_arn, "containerName": "main", "containerPort": 8080}
    name = service(aws, "time.sleep(300)", loadBalancers=[balancer])

    def registered(arn: str) -> bool:
        targets = elb.describe_target_health(TargetGroupArn=group_arn)["TargetHealthDescriptions"]
        return [(_address(aws.task(arn)), 8080)] == [(t["Target"]["Id"], t["Target"]["Port"]) for t in targets]

    try:
        (first,) = eventually(lambda: tasks_of(aws, name))
        eventually(lambda: registered(first))
        stop(aws, first)
        (second,) = eventually(lambda: [arn for arn in tasks_of(aws, name) if arn != first])
        eventually(lambda: registered(second))
    finally:
        end_service(aws, name)
    eventually(lambda: not tasks_of(aws, name))


def test_a_service_replaces_its_task_though_its_definition_has_been_deregistered(aws: EmbeddedAws) -> None:
    name = service(aws, "time.sleep(300)")
    try:
        (first,) = eventually(lambda: tasks_of(aws, name))
        aws.client("ecs").deregister_task_definition(taskDefinition=aws.task(first)["taskDefinitionArn"])
        stop(aws, first)
        eventually(lambda: [arn for arn in tasks_of(aws, name) if arn != first])
    finally:
        end_service(aws, name)


def test_a_service_whose_task_dies_gets_a_new_one_but_not_a_storm_of_them(aws: EmbeddedAws) -> None:
    name = service(aws, "sys.exit(1)")

    def dead() -> list[str]:
        stopped = {"cluster": aws.cluster, "serviceName": name, "desiredStatus": "STOPPED"}
        arns: list[str] = aws.client("ecs").list_tasks(**stopped)["taskArns"]
        return arns

    try:
        eventually(lambda: len(dead()) > 1)
        time.sleep(4)
        assert len(dead()) < 6  # after 0.5, 1, 2 and 4 s; without pauses about ten a second
    finally:
        end_service(aws, name)
