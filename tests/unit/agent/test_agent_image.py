from __future__ import annotations

import json
import re
from pathlib import Path

import cloud_agent_runner
from cloud_agent_runner.secret_scan.rules import COMPILED_RULES

DOCKERFILE = (Path(__file__).parents[3] / "agent" / "Dockerfile").read_text()


def test_the_image_starts_the_program_that_one_machine_starts_and_not_as_root() -> None:
    entrypoint = json.loads(re.search(r"^ENTRYPOINT (.*)$", DOCKERFILE, re.MULTILINE)[1])  # type: ignore[index]
    assert entrypoint[:5] == ["/usr/bin/tini", "--", "setpriv", "--reuid=supervisor", "--regid=supervisor"]
    assert entrypoint[-5:] == ["python", "-P", "-s", "-m", "cloud_agent_runner"]


def test_the_image_does_not_run_in_a_directory_that_anybody_but_root_can_write() -> None:
    assert re.findall(r"^WORKDIR (.*)$", DOCKERFILE, re.MULTILINE) == ["/opt/cloud-agent"]
    assert re.findall(r"^USER |--chown|\bchown\b|\bRUN chmod\b", DOCKERFILE, re.MULTILINE) == []
    assert re.findall(r"\bchmod .*$", DOCKERFILE, re.MULTILINE) == [
        "chmod 711 /home/supervisor && chmod 755 /home/workspace"
    ]


def test_the_supervisor_compiles_the_scanners_rules_where_it_looks_for_them() -> None:
    made = DOCKERFILE.index("--owner=supervisor --mode=700 /opt/cloud-agent/secret-rules")
    became = DOCKERFILE.index("--reuid=supervisor", made)
    assert became < DOCKERFILE.index("import secret_scanner; secret_scanner()")
    source = Path(cloud_agent_runner.__file__).parent
    assert source.parent / "secret-rules" == COMPILED_RULES
    assert f"COPY --chmod=755 src/{source.name} /opt/cloud-agent/{source.name}\n" in DOCKERFILE


def test_pnpm_and_yarn_are_linked_by_root_after_corepack_is_there() -> None:
    assert DOCKERFILE.index("bin/corepack \\\n") < DOCKERFILE.index("&& corepack enable\n")
