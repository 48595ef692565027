"""The targets by which Nx serves a project, where no script does.

They stand in its project.json, or a plugin infers them from the configuration of what serves it, under the names that
nx.json gives them (Nx: "Inferred Tasks", "Project Configuration").
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent_runner.preview.detection import install
from cloud_agent_runner.preview.detection.folder import table
from cloud_agent_runner.preview.detection.found import Program
from cloud_agent_runner.preview.package_managers import node_packages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud_agent_runner.preview.detection.folder import Folder

_SERVING = ("dev", "serve")
_INFERRED_FROM = {
    "@nx/next/plugin": "next.config.*",
    "@nx/nuxt/plugin": "nuxt.config.*",
    "@nx/react/router-plugin": "react-router.config.*",
    "@nx/rspack/plugin": "rspack.config.*",
    "@nx/vite/plugin": "vite.config.*",
    "@nx/webpack/plugin": "webpack.config.*",
}
_NAMES_OF_TARGETS = ("devTargetName", "serveTargetName")


def find(folder: Folder) -> Program | None:
    """Return what serves a project of an Nx workspace by the first of its usual targets."""
    paths = (folder.path, *folder.path.parents)
    root = next((above for above in map(folder.at, paths) if above.has("nx.json")), None)
    if root is None or not folder.has("project.json", "package.json"):
        return None
    target = next(_serving(folder, root), None)
    if target is None:
        return None
    project = folder.json("project.json").get("name") or folder.json("package.json").get("name") or folder.path.name
    return Program(
        root,
        node_packages(root.work_tree, str(root.path)).execute(("nx", target, str(project))),
        why=f"Nx: the target `{target}` of {folder.path}",
        install=(install.node(root),),
        starts=frozenset({folder}),
    )


def _serving(folder: Folder, root: Folder) -> Iterator[str]:
    targets = table(folder.json("project.json"), "targets")
    yield from (name for name in _SERVING if name in targets)
    plugins = root.jsonc("nx.json").get("plugins")
    for plugin in plugins if isinstance(plugins, list) else ():
        file = _INFERRED_FROM.get(str(plugin.get("plugin") if isinstance(plugin, dict) else plugin))
        if file and any(folder.files((file,))):
            options = table(plugin, "options")
            yield next((str(options[name]) for name in _NAMES_OF_TARGETS if options.get(name)), "serve")
