"""`sam build` on one machine: what was built for one installation serves the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent_local import deployment
from cloud_agent_local.installation import Installation, Ports

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


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

    layers = [sorted(path.name for path in layer.iterdir()) for layer in built.glob("*/DependenciesLayer/python")]
    assert layers[0]
    assert layers == [layers[0]] * 3  # the one that serves all, and each installation's

    monkeypatch.setattr(deployment, "version", lambda _package: "another SAM")
    assert _build(tmp_path / "third")
