"""The archives that a local deployment uploads: those of layers made once for each build, that of the code once in all.

`sam deploy` itself would zip 70 MB of layers for each system, and the code for each function. It takes an archive as it
is, and reads a template in JSON in no time: together two thirds of its work.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from cloud_agent_local.errors import PartFailedError
from cloud_agent_local.installation import PROJECT

TEMPLATE = "template.json"
_CODE = "code"


def pack(built: Path, packed: Path) -> None:
    """Put the layers' archives, and the built template that refers to archives, into the folder `packed`.

    It must lie beside `built`: the template names other files by the way there.

    Raises:
        PartFailedError: with what was printed.
    """
    argv = [sys.executable, "-m", __name__, str(built), str(packed)]
    done = subprocess.run(argv, check=False, capture_output=True, text=True)  # noqa: S603 - this module
    if done.returncode != 0:
        raise PartFailedError(f"The layers couldn't be packed:\n{done.stderr}")


def _pack(built: Path, packed: Path) -> None:
    # SAM's library has the whole process log at INFO, and teaches PyYAML what only a template means: hence a process.
    from samcli.lib.package.utils import make_zip_with_lambda_permissions  # noqa: PLC0415
    from samcli.yamlhelper import yaml_parse  # noqa: PLC0415

    shutil.rmtree(packed, ignore_errors=True)
    packed.mkdir()
    template = yaml_parse((built / "template.yaml").read_text())
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = f"{_CODE}.zip"
        elif resource["Type"] == "AWS::Serverless::LayerVersion":
            # The same files are the same archive, which the embedded AWS has unpacked already.
            make_zip_with_lambda_permissions(str(packed / name), str(built / name))
            resource["Properties"]["ContentUri"] = f"{name}.zip"
    (packed / TEMPLATE).write_text(json.dumps(template))


def pack_code(folder: Path) -> None:
    """Put the archive of the functions' code into the folder, with what `sam build` takes for AWS.

    Raises:
        PartFailedError: make failed, with what it printed.
    """
    with TemporaryDirectory() as artifacts:
        argv = ["make", f"--directory={PROJECT / 'functions'}", "build-code", f"ARTIFACTS_DIR={artifacts}"]
        environment = {"PATH": os.environ["PATH"]}  # nothing of a make that runs this, nor of local mode
        made = subprocess.run(argv, env=environment, check=False, capture_output=True, text=True)  # noqa: S603 - this repository's
        if made.returncode != 0:
            raise PartFailedError(f"The functions' code couldn't be packed:\n{made.stderr}")
        shutil.make_archive(str(folder / _CODE), "zip", artifacts)


if __name__ == "__main__":
    _pack(Path(sys.argv[1]), Path(sys.argv[2]))
