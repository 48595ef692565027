"""What a contributor meets first names only what there is: paths, make targets, versions, ports, owners' folders."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it has no annotations of its own
import pytest
import yaml

from cloud_agent_local.installation import Ports
from cloud_agent_runner.repository.config import CONFIG_PATH, RepositoryConfig
from cloud_agent_runner.repository.config_file import read_repository_config

Document = dict[str, Any]

ROOT = Path(__file__).parents[2]
GITHUB = ROOT / ".github"
YAML_FILES = [*sorted(GITHUB.rglob("*.yml")), ROOT / ".pre-commit-config.yaml"]
FORMS = [path for path in sorted((GITHUB / "ISSUE_TEMPLATE").glob("*.yml")) if path.name != "config.yml"]


def _files() -> set[str]:
    """Every file of the repository, also one that is not committed yet."""
    arguments = ["ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return {line for line in listed.splitlines() if (ROOT / line).is_file()}


# Not those that packages bring along, which `make conformance` installs.
GUIDES = sorted(ROOT / path for path in _files() if Path(path).name == "AGENTS.md")
PROSE = [*GUIDES, ROOT / "SECURITY.md", GITHUB / "PULL_REQUEST_TEMPLATE.md"]


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _yaml(path: Path) -> Document:
    # The syntax of YAML 1.2, as GitHub reads it: `on` is a key and not a boolean.
    document = yaml.load(path.read_text(), Loader=yaml.BaseLoader)  # noqa: S506 - it builds nothing but text
    assert isinstance(document, dict)
    return document


def _targets() -> set[str]:
    return set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def _make_targets_in(text: str) -> set[str]:
    commands = re.findall(r"\bmake((?: [a-z][a-z-]*\b)+)", text)
    return {target for command in commands for target in command.split()}


# What GitHub reads


@pytest.mark.parametrize("path", YAML_FILES, ids=_name)
def test_github_can_read_the_file(path: Path) -> None:
    assert _yaml(path) != {}


@pytest.mark.parametrize("path", FORMS, ids=_name)
def test_an_issue_form_has_what_github_requires(path: Path) -> None:
    form = _yaml(path)
    questions = [element for element in form["body"] if element["type"] != "markdown"]

    assert all(form[key].strip() for key in ("name", "description"))
    assert {element["type"] for element in form["body"]} <= {"markdown", "input", "textarea", "dropdown", "checkboxes"}
    assert len(questions) == len({question["id"] for question in questions})
    assert len(questions) == len({question["attributes"]["label"] for question in questions})
    assert any(question.get("validations", {}).get("required") == "true" for question in questions)


def test_a_bug_report_asks_for_what_a_maintainer_needs() -> None:
    questions = {element["id"]: element for element in _yaml(GITHUB / "ISSUE_TEMPLATE/bug_report.yml")["body"][1:]}
    required = {name for name, one in questions.items() if one.get("validations", {}).get("required") == "true"}

    assert {"where", "happened", "expected", "doctor", "version"} == required
    assert {"session", "region"} <= set(questions) - required
    assert "cloud-agent doctor --json" in questions["doctor"]["attributes"]["description"]


def test_every_folder_with_an_owner_exists() -> None:
    lines = [line.split() for line in (GITHUB / "CODEOWNERS").read_text().splitlines() if line.strip()]
    patterns = [line[0] for line in lines if line[0] != "#"]

    assert patterns[0] == "*"
    assert [pattern for pattern in patterns[1:] if not (ROOT / pattern.lstrip("/")).exists()] == []


def test_dependabot_watches_each_folder_with_a_lock_file() -> None:
    watched = {update["package-ecosystem"]: update for update in _yaml(GITHUB / "dependabot.yml")["updates"]}
    locks = {f"/{Path(path).parent}" for path in _files() if (ROOT / path).read_bytes()[:200].count(b"    make lock\n")}

    assert {"github-actions", "pip"} == set(watched)
    assert locks == set(watched["pip"]["directories"])


# The workflows

WORKFLOWS = {
    "ci": ["make ci", "make test-emulators", "make test-containers", "make demo"],
    "nightly": ["make test-all"],
}
STARTED_BY = {
    "ci": {"push": {"branches": ["main"]}, "pull_request": ""},
    "nightly": {"schedule": [{"cron": "17 3 * * *"}], "workflow_dispatch": ""},
}
each_workflow = pytest.mark.parametrize("name", WORKFLOWS)


def _workflow(name: str) -> Document:
    return _yaml(GITHUB / f"workflows/{name}.yml")


def _steps(workflow: Document) -> list[Document]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def test_there_is_no_other_workflow() -> None:
    assert {file.stem for file in (GITHUB / "workflows").iterdir()} == WORKFLOWS.keys()


@each_workflow
def test_a_workflow_is_started_as_meant_and_may_only_read(name: str) -> None:
    workflow = _workflow(name)

    assert workflow["on"] == STARTED_BY[name]
    assert workflow["permissions"] == {"contents": "read"}
    assert [job for job, what in workflow["jobs"].items() if "permissions" in what] == []
    assert "secrets." not in (GITHUB / f"workflows/{name}.yml").read_text()


@each_workflow
def test_every_job_ends(name: str) -> None:
    assert all(0 < int(job["timeout-minutes"]) <= 60 for job in _workflow(name)["jobs"].values())


@each_workflow
def test_every_job_runs_one_make_target_that_exists(name: str) -> None:
    runs = [step["run"] for step in _steps(_workflow(name)) if "run" in step and "if" not in step]
    commands = [run.removeprefix('sudo env "PATH=$PATH" ') for run in runs]

    assert commands == WORKFLOWS[name]
    assert [command for command in commands if command.removeprefix("make ") not in _targets()] == []


@each_workflow
def test_every_action_is_pinned_by_commit_and_names_its_version(name: str) -> None:
    uses = re.findall(r"^\s+uses: (.*)$", (GITHUB / f"workflows/{name}.yml").read_text(), re.MULTILINE)

    assert uses != []
    assert [one for one in uses if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", one)] == []


@each_workflow
def test_the_checkout_leaves_no_token_behind(name: str) -> None:
    workflow = _workflow(name)
    checkouts = [step for step in _steps(workflow) if step.get("uses", "").startswith("actions/checkout@")]

    assert len(workflow["jobs"]) == len(checkouts)
    assert all(step["with"]["persist-credentials"] == "false" for step in checkouts)


@each_workflow
def test_a_workflow_runs_the_lowest_python_that_the_project_supports(name: str) -> None:
    steps = _steps(_workflow(name))

    assert {_lowest_python()} == {
        step["with"]["python-version"] for step in steps if "python-version" in step.get("with", {})
    }


# A contributor's machine


def _lowest_python() -> str:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return str(project["requires-python"]).removeprefix(">=")


def test_the_development_container_is_made_of_what_the_project_runs_on() -> None:
    container = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text())
    node = re.search(r"^ARG NODE_IMAGE=node:(\d+)", (ROOT / "agent/Dockerfile").read_text(), re.MULTILINE)

    assert f"/python:{_lowest_python()}-" in container["image"]
    assert node is not None
    assert [{"version": node[1]}] == list(container["features"].values())
    assert _make_targets_in(container["postCreateCommand"]) <= _targets()
    assert [Ports().proxy, Ports().github] == container["forwardPorts"]
    assert {str(port) for port in container["forwardPorts"]} == set(container["portsAttributes"])


def test_the_hooks_run_the_projects_own_tools() -> None:
    repositories = _yaml(ROOT / ".pre-commit-config.yaml")["repos"]
    programs = [hook["entry"].split()[0] for repository in repositories for hook in repository["hooks"]]

    assert [repository["repo"] for repository in repositories] == ["local"]
    assert [program for program in programs if program != "git" and not (ROOT / program).is_file()] == []


def test_the_repositorys_own_settings_are_right() -> None:
    schema = json.loads((ROOT / "docs/claude-cloud-agent.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(yaml.safe_load((ROOT / CONFIG_PATH).read_text()))

    config = read_repository_config(ROOT)

    assert RepositoryConfig() != config
    assert Ports().github == config.port
    assert {"install"} == _make_targets_in(config.install or "") & _targets()
    assert {"up"} == _make_targets_in(config.dev or "") & _targets()


# What a contributor reads


def _named_paths(text: str) -> set[str]:
    """Return what stands in backticks, or behind a link, and has a slash or a file's ending."""
    named = set(re.findall(r"`([\w.*-]+(?:/[\w.*-]+)*/?)`", text)) | set(re.findall(r"\]\(([^)#:]+)", text))
    return {path for path in named if "/" in path or re.search(r"\w\.(cfg|json|md|py|toml|yaml|yml)$", path)}


@pytest.mark.parametrize("guide", PROSE, ids=_name)
def test_every_path_that_a_guide_names_exists(guide: Path) -> None:
    """A path starts at the guide's own folder or at the repository's; a bare file name may be anywhere."""
    names = {Path(path).name for path in _files()}

    missing = {
        path
        for path in _named_paths(guide.read_text())
        if not any(list(folder.glob(path)) for folder in (guide.parent, ROOT)) and path not in names
    }

    assert set() == missing


@pytest.mark.parametrize("guide", PROSE, ids=_name)
def test_every_make_target_that_a_guide_names_exists(guide: Path) -> None:
    code = "\n".join(re.findall(r"`(make [^`]+)`", guide.read_text()))

    assert set() == _make_targets_in(code) - _targets()


@pytest.mark.parametrize("guide", GUIDES, ids=_name)
def test_claude_code_reads_what_other_agents_read(guide: Path) -> None:
    assert (guide.parent / "CLAUDE.md").read_text() == "@AGENTS.md\n"


def test_no_guide_is_shipped_with_the_functions() -> None:
    assert [path for path in _files() if path.startswith("functions/") and path.endswith(".md")] == []


# README's map


def test_the_map_names_every_folder_and_every_document() -> None:
    readme = (ROOT / "README.md").read_text().partition("## Where things are")[2].partition("\n## ")[0]
    files = _files()
    folders = {name.partition("/")[0] for name in files if "/" in name and not name.startswith(".")}
    kinds = {name.split("/")[1] for name in files if name.startswith("tests/") and name.count("/") > 1}
    documents = {name for name in files if re.fullmatch(r"docs/[^/]+\.md", name)}

    assert set(re.findall(r"`([a-z]+)/`", readme)) == folders
    assert {kind for kind in kinds if not re.search(rf"\b{kind}\b", readme)} == set()
    assert {name for name in documents if f"({name})" not in readme} == set()
