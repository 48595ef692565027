from __future__ import annotations

import json
import re
from pathlib import Path

DOCKERFILE = (Path(__file__).parents[3] / "agent" / "Dockerfile").read_text()


def test_the_image_starts_the_program_that_one_machine_starts_and_not_as_root() -> None:
    entrypoint = json.loads(re.search(r"^ENTRYPOINT (.*)$", DOCKERFILE, re.MULTILINE)[1])  # type: ignore[index]
    assert entrypoint[:5] == ["/usr/bin/tini", "--", "setpriv", "--reuid=agent", "--regid=agent"]
    assert entrypoint[-5:] == ["python", "-P", "-s", "-m", "cloud_agent_runner"]


def test_the_image_does_not_run_in_a_directory_of_the_agents_user() -> None:
    assert re.findall(r"^WORKDIR (.*)$", DOCKERFILE, re.MULTILINE) == ["/opt/cloud-agent"]
    assert re.findall(r"^USER |--chown|\bchown\b|\bRUN chmod\b", DOCKERFILE, re.MULTILINE) == []


def test_pnpm_and_yarn_are_linked_by_root_after_corepack_is_there() -> None:
    assert DOCKERFILE.index("bin/corepack \\\n") < DOCKERFILE.index("&& corepack enable\n")
