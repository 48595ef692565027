"""The archive of the functions' code: all of the source, and nothing that depends on what has run here."""

from __future__ import annotations

import compileall
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from samcli.lib.package.utils import make_zip_with_lambda_permissions, zip_folder

if TYPE_CHECKING:
    import pytest


def _build(functions: Path, artifacts: Path) -> tuple[str, set[str]]:
    """What sam names the archive by that it makes of one function's build, and the files in it."""
    artifacts.mkdir()
    subprocess.run(
        ["make", f"--directory={functions}", "build-WebhookFunction", f"ARTIFACTS_DIR={artifacts}"], check=True
    )
    with zip_folder(str(artifacts), zip_method=make_zip_with_lambda_permissions) as (_, digest):
        return digest, {str(path.relative_to(artifacts)) for path in artifacts.rglob("*") if path.is_file()}


def test_the_same_source_is_the_same_archive_whatever_has_run(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CLOUD_AGENT_LOCAL_PYTHON", raising=False)
    tracked = subprocess.check_output(["git", "ls-files", "functions/cloud_agent*"], cwd=root, text=True).splitlines()
    functions = tmp_path / "functions"
    for name in ["functions/Makefile", *tracked]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / name, tmp_path / name)
    fresh, files = _build(functions, tmp_path / "fresh")

    assert compileall.compile_dir(functions / "cloud_agent" / "webhook", quiet=1)
    (functions / "cloud_agent" / ".DS_Store").touch()

    assert (fresh, files) == _build(functions, tmp_path / "used")
    assert files == {str(Path(name).relative_to("functions")) for name in tracked}


def test_all_functions_have_the_same_code_built_by_that_makefile(template: dict[str, Any]) -> None:
    functions = [one for one in template["Resources"].values() if one["Type"] == "AWS::Serverless::Function"]
    assert len(functions) > 10
    assert {one["Properties"]["CodeUri"] for one in functions} == {"functions/"}
    assert {one["Metadata"]["BuildMethod"] for one in functions} == {"makefile"}
