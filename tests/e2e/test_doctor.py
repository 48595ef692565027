"""The doctor on a whole system, IAM enforced: a healthy one has no findings, and each fault is reported."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from tests.e2e.rows import LIVE
from tests.e2e.system import wait_for

if TYPE_CHECKING:
    from tests.e2e.rows import Rows
    from tests.e2e.system import System


def _doctor(stage: System, *arguments: str) -> tuple[int, dict[str, Any]]:
    command = [sys.executable, "-m", "cloud_agent_cli.main", "doctor", "--json", *arguments]
    command += ["--state-dir", str(stage.installation.state_dir)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    return ended.returncode, json.loads(ended.stdout)


def test_a_sound_system_is_found_sound_by_the_doctor_and_by_the_function_under_its_own_role(stage: System) -> None:
    stage.open_issue("Something arrives", "")  # the ping while everything started may have taken too long
    wait_for(stage.deliveries, lambda made: any(one["event"] == "issues" and one["status_code"] < 300 for one in made))
    code, report = _doctor(stage)
    wrong = [one for one in report["outcomes"] if one["findings"] or one["status"] == "unknown"]
    assert (code, wrong) == (0, [])
    result = stage.invoke("DoctorFunction")
    assert result == {"healthy": True, "DoctorFindings": 0, "DoctorUnknown": 0, "NewFindings": 0, "DriftedResources": 0}


def test_the_doctor_sees_everything_under_its_own_role(stage: System, rows: Rows) -> None:
    session = rows.session("RUNNING", ip="127.9.9.9")
    rows.place(session, LIVE)
    rows.run_agent(session)
    assert stage.invoke("DoctorFunction")["DoctorUnknown"] == 0


def test_a_fault_is_named_by_both_and_is_new_once(stage: System) -> None:
    ecs, cluster = stage.client("ecs"), stage.installation.outputs["ClusterArn"]
    service = stage.installation.outputs["ProxyServiceArn"]
    (counted,) = ecs.describe_services(cluster=cluster, services=[service])["services"]
    ecs.update_service(cluster=cluster, service=service, desiredCount=0)
    try:
        code, report = _doctor(stage)
        assert (code, report["first_broken"]) == (1, "proxy-service")
        results = [stage.invoke("DoctorFunction") for _ in range(2)]
        assert [result["NewFindings"] > 0 for result in results] == [True, False]
        assert all(result["DoctorFindings"] for result in results)
    finally:
        ecs.update_service(cluster=cluster, service=service, desiredCount=counted["desiredCount"])
        ecs.get_waiter("services_stable").wait(
            cluster=cluster, services=[service], WaiterConfig={"Delay": 1, "MaxAttempts": 90}
        )
