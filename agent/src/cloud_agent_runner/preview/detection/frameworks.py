"""Evidence: the files that a framework makes in each of its projects, other than those of Python."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from cloud_agent_runner.preview.detection import install
from cloud_agent_runner.preview.detection.folder import table
from cloud_agent_runner.preview.detection.found import Program

if TYPE_CHECKING:
    from cloud_agent_runner.preview.detection.folder import Folder


_RAILS_6 = re.compile(r"^    railties \(6\.", re.MULTILINE)
_RAILS_6_RACKUP = Path(__file__).with_name("rails_6.ru")


def rails(folder: Folder) -> Program | None:
    """Return Rails' own server, which with Rails 6 has to be told in another way by what names it may be called."""
    if not folder.has("bin/rails"):
        return None
    rackup = f" --config {shlex.quote(str(_RAILS_6_RACKUP))}" if _RAILS_6.search(folder.text("Gemfile.lock")) else ""
    dev = f'bin/rails server --binding "$HOST" --port "$PORT"{rackup}'
    return Program(folder, dev, f"Rails: {folder.named('bin/rails')}", (folder.command("bundle install"),))


def laravel(folder: Folder) -> Program | None:
    """Return Laravel's own server; Vite, which is beside it, only builds for its pages.

    These name their scripts by the host that the dev server is called, unless there's another root for them. (`/` alone
    was doubled until Laravel 10.) Beside an `.env`, `artisan serve` takes away all of the environment that PHP lists in
    `$_ENV`, which without a php.ini is everything: the root, and the database's URL.
    """
    if not folder.has("artisan"):
        return None
    dev = 'ASSET_URL=/. php -d variables_order=GPCS artisan serve --host "$HOST" --port "$PORT"'
    return Program(folder, dev, f"Laravel: {folder.named('artisan')}", install.everything(folder))


def phoenix(folder: Folder) -> Program | None:
    """Return Phoenix' own server."""
    if not re.search(r"\{:phoenix,", folder.text("mix.exs")):
        return None
    return Program(folder, "mix phx.server", f"Phoenix: {folder.named('mix.exs')}", install.everything(folder))


def deno(folder: Folder) -> Program | None:
    """Return the task of deno.json that follows edits, or else that starts the application."""
    file = folder.first("deno.json", "deno.jsonc")
    tasks = table(folder.jsonc(file), "tasks") if file else {}
    name = next((name for name in ("dev", "serve", "start") if tasks.get(name)), None)
    if name is None:
        return None
    why = f"the `{name}` task in {folder.named(file or '')}"
    return Program(
        folder, f"deno task {name}", why, (folder.command("deno install"),), reloads="watch" in str(tasks[name])
    )


def spring(folder: Folder) -> Program | None:
    """Return Spring Boot's own server, by the wrapper that the project has."""
    for wrapper, manifest, task in (
        ("mvnw", "pom.xml", "spring-boot:run"),
        ("gradlew", "build.gradle", "bootRun"),
        ("gradlew", "build.gradle.kts", "bootRun"),
    ):
        if folder.has(wrapper) and re.search(r"spring-boot|springframework\.boot", folder.text(manifest)):
            return Program(folder, f"sh {wrapper} {task}", f"Spring Boot: {folder.named(manifest)}", reloads=False)
    return None


def php(folder: Folder) -> Program | None:
    """Return PHP's own server, which reads each file anew."""
    root = next((name for name in ("public", "web", ".") if folder.has(f"{name}/index.php")), None)
    if root is None:
        return None
    why = f"PHP: {folder.named(f'{root}/index.php' if root != '.' else 'index.php')}"
    return Program(folder, f'php -S "$HOST:$PORT" -t {root}', why, install.everything(folder))
