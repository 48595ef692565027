"""The programs by which pages are served while somebody develops, and what makes each follow $HOST and $PORT."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloud_agent_runner.preview.detection.shell import Command

# By itself it only offers to run what has changed.
STREAMLIT = '--server.address "$HOST" --server.port "$PORT" --server.headless true --server.runOnSave true'
# Its links would lead to the address that it listens on.
HUGO = '--bind "$HOST" --port "$PORT" --baseURL / --appendPort=false'
_HOST_AND_PORT = '--host "$HOST" --port "$PORT"'


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


@dataclass(frozen=True)
class Server:
    """A program that serves.

    `verbs` are the first arguments with which it does: `""` where it needs none, None where any will do but those that
    build, test and so on. `flags` make it follow $HOST and $PORT; where they're unknown, the port is found.
    `follows_with` are the words with which it follows edits: nothing where it always does, None where it never does.
    """

    flags: str = ""
    verbs: frozenset[str] | None = None
    follows_with: frozenset[str] | None = frozenset()

    def serves(self, command: Command) -> bool:
        """Return whether it serves when it's run by this command."""
        verb = next(iter(command.arguments), "")
        return verb not in _ENDS if self.verbs is None else verb in self.verbs

    def reloads(self, command: Command) -> bool:
        """Return whether it follows edits when it's run by this command."""
        return self.follows_with is not None and (not self.follows_with or command.has(*self.follows_with))


_ENDS = _words("build preview optimize check lint test sync generate info init add export clean install deploy")
_RELOAD = _words("--reload --debug")
_RUNTIME = Server(follows_with=_words("--watch --watch-path --hot watch -w"))
_RUNTIMES = _words("babel-node bun node ts-node tsx vite-node")
# What runs a server of one's own, and not a framework's for pages.
OF_NODE = _RUNTIMES | _words("deno nest node-dev nodemon ts-node-dev tsc-watch tsnd")

SERVERS: dict[str, Server] = {
    "vite": Server(f"{_HOST_AND_PORT} --strictPort"),
    "next": Server('--hostname "$HOST" --port "$PORT"', frozenset({"", "dev", "start"})),
    **dict.fromkeys(("nuxt", "nuxi"), Server(_HOST_AND_PORT, frozenset({"", "dev"}))),
    "astro": Server(_HOST_AND_PORT, frozenset({"", "dev", "start"})),
    "ng": Server(_HOST_AND_PORT, _words("serve s dev")),
    **dict.fromkeys(
        _words(
            "blitz encore keystone max medusa mint qwik react-router remix rsbuild rspress rw sanity solid-start "
            "storybook strapi svelte-kit umi vinxi vuepress waku wrangler"
        ),
        Server(verbs=_words("dev vite:dev develop dev-server pages start")),
    ),
    **dict.fromkeys(_words("browser-sync craco docusaurus expo react-scripts"), Server(verbs=_words("start"))),
    **dict.fromkeys(
        _words("adonis docsify ember gatsby hexo honkit jekyll middleman panel rspack vue-cli-service webpack zola"),
        Server(verbs=_words("serve server s develop")),
    ),
    **dict.fromkeys(
        _words(
            "air chainlit farm five-server gradio gulp http-server json-server lite-server live-server node-dev "
            "nodemon parcel reflex serve shiny slidev sphinx-autobuild start-storybook ts-node-dev tsc-watch tsnd "
            "vitepress webpack-dev-server"
        ),
        Server(),
    ),
    **dict.fromkeys(_RUNTIMES, _RUNTIME),
    "hugo": Server(HUGO, _words("server serve")),
    "sirv": Server(f"{_HOST_AND_PORT} --dev"),  # else it keeps which files there were, and how long they were
    "nest": Server(verbs=_words("start"), follows_with=_words("--watch -w")),
    "deno": Server(verbs=_words("run serve task"), follows_with=_words("--watch --watch-hmr")),
    **dict.fromkeys(("flask", "quart", "litestar"), Server(_HOST_AND_PORT, _words("run"), _RELOAD)),
    "fastapi": Server(_HOST_AND_PORT, _words("dev run")),
    "uvicorn": Server(_HOST_AND_PORT, follows_with=_RELOAD),
    **dict.fromkeys(("gunicorn", "hypercorn"), Server('--bind "$HOST:$PORT"', follows_with=_RELOAD)),
    "daphne": Server('-b "$HOST" -p "$PORT"', follows_with=None),
    "waitress-serve": Server('--listen "$HOST:$PORT"', follows_with=None),
    "streamlit": Server(STREAMLIT, _words("run")),
    "mkdocs": Server('--dev-addr "$HOST:$PORT"', _words("serve")),
    "jupyter": Server('--no-browser --ip "$HOST" --port "$PORT"', _words("lab notebook")),
    "http.server": Server('--bind "$HOST" "$PORT"'),
    "python": Server(follows_with=None),
    "rails": Server('--binding "$HOST" --port "$PORT"', _words("server s")),
    **dict.fromkeys(_words("puma rackup ruby php"), Server(follows_with=None)),
    **dict.fromkeys(_words("cargo go"), Server(verbs=_words("run"), follows_with=None)),
    "mix": Server(verbs=_words("phx.server")),
}
# Those that run on other machines, in windows, as root, or by engines of containers: none of that is here.
CONTAINER_ENGINES = _words("docker docker-compose podman podman-compose nerdctl")
NOT_HERE = CONTAINER_ENGINES | _words(
    "sail lando ddev vagrant minikube skaffold tilt kubectl terraform sam heroku vercel netlify supabase electron "
    "electron-forge electron-vite electronmon react-native tauri sudo apt apt-get brew ssh"
)
# Servers in other languages, which take the packages of theirs.
OF_OTHERS = _words(
    "uvicorn gunicorn hypercorn daphne granian waitress-serve flask quart litestar fastapi streamlit chainlit python "
    "python3 mkdocs sphinx-autobuild celery honcho ruby rails rackup puma rake bundle php composer artisan go air mix"
)
_MANAGE = re.compile(r"(?:^|/)manage\.py$")
_PORT_OPTIONS = ("--port", "-p", "-P", "--server.port", "--server-port", "-l", "--listen", "--bind", "-b", "--dev-addr")
_ADDRESS = re.compile(r"(?:[\w.-]*|\[[\d:a-f]+\]|\*):(?P<port>\d{2,5})|(?P<alone>\d{4,5})")
_VARIABLE = re.compile(r"\$\{?PORT\b")


def server_of(command: Command) -> Server | None:
    """Return the server that a command runs; None where it serves nothing, or nobody knows."""
    name = _name(command)
    if name == "python":
        return _python(command)
    if name in {"mvn", "mvnw", "gradle", "gradlew"}:
        serves = re.search(r"\b(spring-boot:run|bootRun|quarkus:?[dD]ev|jetty:run|run)\b", " ".join(command.arguments))
        return Server(follows_with=None) if serves else None
    if (name == "eleventy" and not command.has("--serve")) or (name == "php" and not command.has("-S", "serve")):
        return None
    server = Server() if name == "eleventy" else SERVERS.get(name)
    return server if server and server.serves(command) else None


def serves_no_edits(command: Command) -> bool:
    """Return whether it's a known server in another of its modes: `docusaurus serve` shows what was built."""
    server = SERVERS.get(_name(command))
    return server is not None and server.verbs is not None and not server.serves(command)


def listening(command: Command, server: Server) -> tuple[str, int | None]:
    """Return the flags that make a command listen where it should, or else the port that it names itself.

    Of an option that is given twice the last one counts, but not of an address among the arguments.
    """
    if any(_VARIABLE.search(word) for word in command.words[1:]):
        return "", None
    given = _port(command.arguments)
    if server.flags and command.is_open and not given:
        return server.flags, None
    return "", given or _port([*command.values(*_PORT_OPTIONS), command.variables.get("PORT", "")])


def _port(texts: Iterable[str]) -> int | None:
    found = (_ADDRESS.fullmatch(text) for text in texts)
    ports = (int(one["port"] or one["alone"]) for one in found if one)
    return next((port for port in ports if 1 <= port <= 65535), None)  # noqa: PLR2004 - of TCP


def _name(command: Command) -> str:
    name = command.program
    if name in {"node", "bun"}:  # node node_modules/vite/bin/vite.js
        package = next((w for w in command.words[1:] if "node_modules/" in w), "").partition("node_modules/")[2]
        name = package.removeprefix(".bin/").partition("/")[0] or name
    # vite@5, python3.12, php8.3
    return re.sub(r"^(python|php|ruby)[\d.]+$", r"\1", re.sub(r"(?<=\w)@[\w.^~-]+$", "", name))


def _python(command: Command) -> Server | None:
    if any(_MANAGE.search(word) for word in command.words[1:]):
        serves = command.has("runserver", "runserver_plus")
        return (
            Server('"$HOST:$PORT"', follows_with=None if command.has("--noreload") else frozenset()) if serves else None
        )
    runs_file = any(word.endswith(".py") for word in command.arguments[:1])
    return SERVERS["python"] if runs_file else None
