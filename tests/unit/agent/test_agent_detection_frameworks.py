# ruff: noqa: E501 - a table reads best with a shape in few lines
"""Go's programs, what makes sites from texts, and pages that are served as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.kit.repository_shapes import GO_SERVER, HUGO, VITE, lay_out, named, package

from cloud_agent_runner.preview.detection import DevServerNotConfiguredError, dev_server_plan
from cloud_agent_runner.repository.config import RepositoryConfig

if TYPE_CHECKING:
    from pathlib import Path

GO = {"go.mod": "module x\n"}
GIN = {"go.mod": "module x\n\nrequire (\n\tgithub.com/gin-gonic/gin v1.10.0\n)\n"}
COBRA = {"go.mod": "module x\n\nrequire github.com/spf13/cobra v1.8.0\n"}
ELEVENTY = package(build="eleventy", more={"devDependencies": {"@11ty/eleventy": "3"}})
JEKYLL = 'bundle exec jekyll serve --host "$HOST" --port "$PORT"'


@pytest.mark.parametrize(
    ("files", "dev"),
    [
        ({**GO, "main.go": "package main\n", "internal/http/server.go": GO_SERVER}, "go run ."),
        ({**GO, "cmd/worker/main.go": "package main\n", "cmd/server/main.go": GO_SERVER}, "go run ./cmd/server"),
        ({**GIN, "cmd/shop/main.go": "package main\n"}, "go run ./cmd/shop"),
        ({"go.mod": GIN["go.mod"].replace("\n", "\r\n"), "cmd/shop/main.go": "package main\n"}, "go run ./cmd/shop"),
        ({**GO, "cmd/tool/main.go": "package main\n", "cmd/shop/main.go": GO_SERVER}, "go run ./cmd/shop"),
        ({**GO, "cmd/api/main.go": "package main\n", "cmd/tool/main.go": "package main\n"}, "go run ./cmd/api"),
        ({**GO, "cmd/tool/main.go": "package main\n"}, None),
        ({**COBRA, "main.go": GO_SERVER, "cmd/serve.go": '\tUse:   "serve",\n'}, "go run . serve"),
        ({**COBRA, "main.go": GO_SERVER}, None),
        ({**GO, "main.go": "package main\n"}, None),
        ({"go.mod": "module x\n\nrequire github.com/gin-gonic/gin v1.10.0 // indirect\n", "main.go": "package main\n"}, None),
        ({**GO, "server.go": GO_SERVER.replace("main", "x")}, None),
        ({"hugo.toml": "", "content/a.md": ""}, f"hugo server {HUGO}"),
        ({"config/_default/hugo.yaml": ""}, f"hugo server {HUGO}"),
        ({"config.toml": 'baseURL = "/"\n', "content/a.md": ""}, f"hugo server {HUGO}"),
        ({"config.toml": 'name = "x"\n', "content/a.md": ""}, None),
        ({"eleventy.config.js": "", "package.json": ELEVENTY}, 'npm exec --no -- eleventy --serve --port "$PORT"'),
        ({"_config.yml": "theme: minima\n", "index.md": ""}, f'BUNDLE_GEMFILE="$HOME/.github-pages/Gemfile" {JEKYLL}'),
        ({"_config.yml": "theme: minima\n", "README.md": ""}, None),
        ({"package.json": named({"storybook": "storybook dev -p 6006"})}, "npm run storybook"),
        ({"package.json": package(more={"devDependencies": {"vite": "7"}}), "index.html": ""}, f"npm exec --no -- vite {VITE}"),
        ({"docs/index.html": ""}, 'cd docs && exec python3 -m http.server --bind "$HOST" "$PORT"'),
        ({"src/index.html": ""}, 'cd src && exec python3 -m http.server --bind "$HOST" "$PORT"'),
        ({"src/index.html": "", "package.json": package(build="rollup -c")}, None),
        ({"Trunk.toml": "", "index.html": ""}, None),
    ],
)  # fmt: skip
def test_what_serves_is_found_and_what_does_not_is_left_alone(
    tmp_path: Path, files: dict[str, str], dev: str | None
) -> None:
    lay_out(tmp_path, files)
    try:
        found = dev_server_plan(tmp_path, RepositoryConfig()).dev
    except DevServerNotConfiguredError:
        found = None
    assert found == dev
