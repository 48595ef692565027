"""`sam build` on one machine: what was built for one installation serves the next, and is packed once."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING
from zipfile import ZipFile

import pytest

from cloud_agent_local import deployment, packaging
from cloud_agent_local.installation import PROJECT, Installation, Ports

if TYPE_CHECKING:
    from pathlib import Path

_TEMPLATE = """
Resources:
  DependenciesLayer: {Type: "AWS::Serverless::LayerVersion", Properties: {ContentUri: DependenciesLayer}}
  WebhookFunction: {Type: "AWS::Serverless::Function", Properties: {CodeUri: WebhookFunction, Role: !GetAtt Role.Arn}}
  DoctorFunction: {Type: "AWS::Serverless::Function", Properties: {CodeUri: DoctorFunction}}
"""


def _build(state_dir: Path) -> bool:
    """Build for an installation; returns whether sam ran."""
    installation = Installation(ports=Ports(), state_dir=state_dir)
    installation.save()
    deployment.build(installation, lambda _line: None)
    return (installation.log_dir / "sam-build.log").exists()


def test_what_was_built_is_built_anew_only_when_it_would_differ(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = tmp_path / ".aws-sam" / "local"
    monkeypatch.setattr(deployment, "_BUILT", built / "build")
    assert _build(tmp_path / "first")
    assert not _build(tmp_path / "second")

    layers = [ZipFile(path).namelist() for path in built.glob("*/DependenciesLayer.zip")]
    assert "python/boto3/__init__.py" in layers[0]
    assert layers == [layers[0]] * 3  # the one that serves all, and each installation's

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(deployment, "_sam", interrupted)
    with monkeypatch.context() as patch:
        patch.setattr(deployment, "version", lambda _package: "another SAM")
        with pytest.raises(KeyboardInterrupt):
            _build(tmp_path / "third")
    with pytest.raises(KeyboardInterrupt):  # what was left half-way serves nobody
        _build(tmp_path / "fourth")


def test_a_deployment_uploads_one_archive_of_the_code_as_it_is_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = tmp_path / ".aws-sam" / "local" / "build"
    project = tmp_path / "project"
    monkeypatch.setattr(packaging, "PROJECT", project)
    shutil.copytree(PROJECT / "functions", project / "functions", symlinks=False)
    (layer := built / "DependenciesLayer" / "python").mkdir(parents=True)
    (layer / "library.py").touch()
    (built / "template.yaml").write_text(_TEMPLATE)
    packaging.pack(built, built.with_name("packed"))

    (project / "functions" / "cloud_agent" / "new.py").touch()
    packaging.pack_code(built.with_name("packed"))

    template = json.loads((built.with_name("packed") / packaging.TEMPLATE).read_text())
    uploaded = {
        name: resource["Properties"].get("CodeUri") or resource["Properties"]["ContentUri"]
        for name, resource in template["Resources"].items()
    }
    assert uploaded == {
        "DependenciesLayer": "DependenciesLayer.zip",
        "WebhookFunction": "code.zip",
        "DoctorFunction": "code.zip",
    }
    packed = {name: ZipFile(built.with_name("packed") / name).namelist() for name in set(uploaded.values())}
    assert packed["DependenciesLayer.zip"] == ["python/library.py"]
    assert {"cloud_agent/new.py", "cloud_agent_doctor/handler.py"} <= set(packed["code.zip"])
