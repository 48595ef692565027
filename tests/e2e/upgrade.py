"""A deployment of another version: changed functions, a changed workflow and new images, packaged as SAM does it."""

from __future__ import annotations

import io
import json
import zipfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from cloud_agent_local import images

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.system import System

STATE = "Upgraded"  # the changed workflow's first
# The same program as ever, pushed under another digest.
PROXY = f"123456789012.dkr.ecr.us-east-1.amazonaws.com/{images.PROXY}"
AGENT = f"local/python{Path(__file__).with_name('staging_agent.py')}"  # its replies begin with other words


@contextmanager
def upgraded(stage: System) -> Iterator[None]:
    """The stage in another version, until the block is left: then the former template is deployed again."""
    template = stage.template()
    properties = [resource.get("Properties", {}) for resource in template["Resources"].values()]
    (functions,) = {one["CodeUri"].rpartition("/")[2] for one in properties if "CodeUri" in one}
    (workflow,) = {one["DefinitionUri"]["Key"] for one in properties if "DefinitionUri" in one}
    text = json.dumps(template)
    for key, change in ((functions, _changed_functions), (workflow, _changed_workflow)):
        stage.upload(f"{key}-upgraded", change(stage.download(key)))
        text = text.replace(key, f"{key}-upgraded")
    with stage.updated_stack(text, AgentImageUri=AGENT, ProxyImageUri=PROXY):
        yield


def _changed_functions(packaged: bytes) -> bytes:
    code = io.BytesIO(packaged)
    with zipfile.ZipFile(code, "a") as package:
        package.writestr("upgraded.txt", "Another version.\n")
    return code.getvalue()


def _changed_workflow(packaged: bytes) -> bytes:
    definition = json.loads(packaged)
    definition["States"][STATE] = {"Type": "Pass", "Next": definition["StartAt"]}
    return json.dumps(definition | {"StartAt": STATE}).encode()
