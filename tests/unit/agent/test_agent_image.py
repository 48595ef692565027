from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import cloud_agent_runner
from cloud_agent_runner.browser.installed import PACKAGES
from cloud_agent_runner.secret_scan.rules import COMPILED_RULES

ROOT = Path(__file__).parents[3]
DOCKERFILE = (ROOT / "agent" / "Dockerfile").read_text()
MISE = ROOT / ".node/node_modules/@jdxcode/mise-linux-x64/bin/mise"


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


def test_the_image_has_the_mise_that_the_tests_run_with_by_the_hash_of_its_file() -> None:
    [version] = re.findall(r"^ARG MISE_VERSION=(.*)$", DOCKERFILE, re.MULTILINE)
    packages = json.loads((ROOT / "requirements/node/package.json").read_text())["optionalDependencies"]
    assert {"@jdxcode/mise-linux-x64": version} == packages
    hashes = dict(re.findall(r"(amd64|arm64)\) echo \"([0-9a-f]{64}) ", DOCKERFILE))
    assert set(hashes) == {"amd64", "arm64"}
    assert DOCKERFILE.index("sha256sum --check") < DOCKERFILE.index("strip -o /usr/local/bin/mise /tmp/mise")
    if MISE.is_file():
        with MISE.open("rb") as file:
            assert hashlib.file_digest(file, "sha256").hexdigest() == hashes["amd64"]


def test_perls_modules_are_left_out_only_where_nothing_is_compiled_and_nothing_served() -> None:
    [(condition, paths)] = re.findall(r"if \[ (.*) \]; then \\\n +printf 'path-exclude=%s\\n' (.*) \\\n", DOCKERFILE)
    assert condition == '-z "$COMPILERS$SERVICES"'
    assert all("perl" in path for path in paths.split())
    defaults = dict(re.findall(r'^ARG (COMPILERS|SERVICES)="(.+)"$', DOCKERFILE, re.MULTILINE))
    assert "build-essential" in defaults["COMPILERS"]
    assert "postgresql" in defaults["SERVICES"]  # its commands are Perl's


def test_the_agent_finds_the_browsers_packages_where_the_image_has_them_and_both_can_be_left_out() -> None:
    source = Path(cloud_agent_runner.__file__).parent
    assert source.parent / "browser/node_modules" == PACKAGES
    assert "browser/package-lock.json /opt/cloud-agent/browser/\n" in DOCKERFILE
    [optional] = re.findall(r'^RUN if \[ -n "\$BROWSER" \]; then ((?:.|\n)*?); fi', DOCKERFILE, re.MULTILINE)
    assert "apt-get install --yes --no-install-recommends $BROWSER" in optional
    assert "cd /opt/cloud-agent/browser && npm ci " in optional


def test_what_the_repositorys_code_runs_stands_on_its_path() -> None:
    assert "ln -s /opt/cloud-agent/bin/uv /opt/cloud-agent/bin/uvx /usr/local/bin/\n" in DOCKERFILE
