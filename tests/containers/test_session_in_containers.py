"""A whole session in the real images: built from the Dockerfiles, run as their task definitions say."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from cloud_agent_local import demo
from cloud_agent_local import up as lifecycle
from cloud_agent_local.deployment import STACK
from cloud_agent_local.ending import end_sessions
from cloud_agent_local.installation import AWS_PART

if TYPE_CHECKING:
    from tests.e2e.system import System

    from embedded_aws.containers.engine import Engine

pytestmark = [pytest.mark.containers, pytest.mark.timeout(900)]

GREETING = "Another app on the same port"
LOOK = """
for status in /proc/[0-9]*/status; do
  pid=${status#/proc/}
  [ "${pid%/status}" = $$ ] || awk '/^Uid:/ {uid = $2} /^CapEff:/ {print uid, $2}' $status
done"""
_KILL, _SETGID, _SETUID, _SETPCAP = (1 << number for number in (5, 6, 7, 8))
# Which users have processes, and what these may: root is the first process alone, which passes signals on; the
# supervisor becomes `workspace` and ends it; `workspace`, who runs all that the repository brings, may nothing.
CAPABILITIES = {
    "agent": {"0": _KILL | _SETGID | _SETUID | _SETPCAP, "10002": _KILL | _SETGID | _SETUID, "10003": 0},
    "proxy": {"10001": 0},
}
MIB = 1024 * 1024


def test_a_session_lives_in_the_real_images(system: System, engine: Engine) -> None:
    demo.show(system.installation)  # from the label to the page, two turns, and what GitHub shows of them

    for unit in CAPABILITIES:
        (container,) = _containers(system, engine, unit)
        _assert_runs_as_defined(system, engine, unit, container)
    assert _arguments_with_a_secret(system) == []


def test_two_apps_that_listen_on_port_3000_are_both_served(system: System, engine: Engine) -> None:
    session = system.start("A second app", f'Please change the greeting on the front page to "{GREETING}".')

    page = system.visitor(session).wait_for(GREETING, 300)

    assert page.heading == GREETING
    rows = [row for row in system.rows() if row["status"] == "RUNNING"]
    assert len({row["ip"] for row in rows}) == len(_containers(system, engine, "agent")) == 2, rows
    assert {row["port"] for row in rows} == {"3000"}


def test_no_agents_container_outlives_its_session(system: System, engine: Engine) -> None:
    end_sessions(system.installation)

    assert _containers(system, engine, "agent") == []


def test_down_leaves_nothing_of_an_embedded_aws_that_was_killed(system: System, engine: Engine) -> None:
    (embedded_aws,) = (part for part in system.installation.parts if part.name == AWS_PART)
    psutil.Process(embedded_aws.pid).kill()

    lifecycle.down(system.installation)

    assert system.installation.engine
    network = system.installation.engine.network
    assert engine.run("ps", "--all", "--quiet", "--filter", f"label=embedded-aws.network={network}") == ""
    assert network not in engine.run("network", "ls", "--format", "{{.Name}}").split()


def _containers(system: System, engine: Engine, unit: str) -> list[dict[str, Any]]:
    """Return this system's running containers of a unit, as the engine describes them."""
    assert system.installation.engine
    labels = (
        f"embedded-aws.network={system.installation.engine.network}",
        f"com.amazonaws.ecs.container-name={unit}",
    )
    running = engine.run("ps", "--quiet", *(f"--filter=label={label}" for label in labels)).split()
    return list(json.loads(engine.run("inspect", *running))) if running else []


def _assert_runs_as_defined(system: System, engine: Engine, unit: str, container: dict[str, Any]) -> None:
    described = system.client("ecs").describe_task_definition(taskDefinition=f"{STACK}-{unit}")
    task, host = described["taskDefinition"], container["HostConfig"]
    (definition,) = task["containerDefinitions"]
    assert host["Memory"] == int(task["memory"]) * MIB
    assert (host["NanoCpus"] or host["CpuQuota"] * 10**9 // host["CpuPeriod"]) == int(task["cpu"]) * 10**9 // 1024
    assert host["ReadonlyRootfs"] == definition.get("readonlyRootFilesystem", False)
    # What is looked at leaves out the shell that looks, which is root's as tini is.
    listing = engine.run("exec", container["Id"], "sh", "-c", LOOK)
    seen = {(uid, int(effective, 16)) for uid, effective in (line.split() for line in listing.splitlines())}
    # The supervisor's process that searches for secrets gives its own up, for anybody may have written what it reads.
    assert seen - {("10002", 0)} == set(CAPABILITIES[unit].items()), listing


def _arguments_with_a_secret(system: System) -> list[str]:
    """Return the command lines on this machine, which all its users can read, that hold a secret's value."""
    secrets = system.client("secretsmanager")
    names = [secret["ARN"] for secret in secrets.list_secrets()["SecretList"]]
    values = [secrets.get_secret_value(SecretId=name)["SecretString"] for name in names]
    long = [value for value in values if len(value) > len("scripted")]
    assert long
    lines = [" ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"])]
    return [line for line in lines if any(value in line for value in long)]
