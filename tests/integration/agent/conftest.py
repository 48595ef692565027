"""A GitHub, a control plane and a model for one agent process: all real servers on this machine."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import itertools
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.request import urlopen

import psutil
import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from tests.kit.agent_api_contract import AgentApiContract
from tests.kit.asgi_server import serve_asgi

import cloud_agent_local
import scripted_model.testing
from cloud_agent_local import images

if TYPE_CHECKING:
    from starlette.requests import Request

SAMPLE_REPOSITORY = Path(cloud_agent_local.__file__).parent / "sample_repository"
BRANCH = "claude/42"
PERSONAL_TOKEN = "ghp_the-personal-token"
READ_TOKEN = "ghs_the-shared-token-that-reads"
SESSION_TOKEN = "the-session-token"
TASK_TOKEN = "the-task-token"
MODEL_KEY = "sk-ant-the-real-key"
_addresses = itertools.count(2)
T = TypeVar("T")


def git(*arguments: str, at: Path) -> str:
    """Run git as an ordinary contributor would."""
    identity = ("-c", "user.name=Pat", "-c", "user.email=pat@example.com")
    done = subprocess.run(["git", *identity, *arguments], cwd=at, check=True, capture_output=True, text=True)
    return done.stdout.strip()


class GitHub:
    """One repository over smart HTTP, by git's own http-backend; nothing without a token that works.

    A token that pushes is a new one that its holder can revoke, and one that reads always the same, unless the
    deployment `has_personal_token`. Its branches begin with the files of `content`.
    """

    def __init__(self, root: Path, content: Path = SAMPLE_REPOSITORY) -> None:
        self.root = root
        self.url = ""
        self.has_personal_token = False
        self.read_token_works = True
        self.handed_out: list[str] = []
        self.revoked: list[str] = []
        self.bare = root / "acme" / "lunch.git"
        self.refused = 0
        revocation = Route("/api/installation/token", self._revoke, methods=["DELETE"])
        self.app = Starlette(routes=[revocation, Route("/{path:path}", self._serve, methods=["GET", "POST"])])
        self.bare.mkdir(parents=True)
        git("init", "--quiet", "--bare", "--initial-branch=main", at=self.bare)
        git("config", "http.receivepack", "true", at=self.bare)
        self.checkout = root / "checkout"
        shutil.copytree(content, self.checkout, symlinks=True)
        git("init", "--quiet", f"--initial-branch={BRANCH}", at=self.checkout)
        git("remote", "add", "origin", str(self.bare), at=self.checkout)
        self.commit({}, "start")
        git("push", "--quiet", "origin", f"{BRANCH}:main", at=self.checkout)

    def commit(self, files: dict[str, str | None], message: str = "a change") -> str:
        """Put files on the session's branch as somebody else would (None deletes); return the commit."""
        checkout = self.checkout
        if git("for-each-ref", at=self.bare):
            git("pull", "--quiet", "--ff-only", "origin", BRANCH, at=checkout)
        for name, content in files.items():
            path = checkout / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if content is None:
                path.unlink()
            else:
                path.write_text(content, encoding="utf-8")
        git("add", "--all", at=checkout)
        git("commit", "--quiet", "--allow-empty", "-m", message, at=checkout)
        git("push", "--quiet", "origin", BRANCH, at=checkout)
        return self.head()

    def remove(self) -> str:
        """Take the last commit off the session's branch as somebody else would; return what it's at then."""
        git("fetch", "--quiet", "origin", at=self.checkout)
        git("push", "--quiet", "--force", "origin", f"origin/{BRANCH}~1:{BRANCH}", at=self.checkout)
        return self.head()

    def head(self) -> str:
        return git("rev-parse", BRANCH, at=self.bare)

    def show(self, path: str) -> str:
        return git("show", f"{BRANCH}:{path}", at=self.bare)

    def files(self, folder: str) -> str:
        return git("ls-tree", BRANCH, folder, at=self.bare)

    def subjects(self) -> list[str]:
        return git("log", "--format=%s", BRANCH, at=self.bare).splitlines()

    def credentials(self) -> dict[str, str | None]:
        """Return what the Agent API hands out for one push."""
        personal = self.has_personal_token
        token = PERSONAL_TOKEN if personal else f"ghs_the-installation-token-{len(self.handed_out)}"
        self.handed_out.append(token)
        url = None if personal else f"{self.url}/api/installation/token"
        expires_at = "2026-11-22T11:00:00Z"
        return {"username": "x-access-token", "token": token, "expires_at": expires_at, "revocation_url": url}

    def read_credentials(self) -> dict[str, str | None]:
        """Return what the Agent API hands out to read by."""
        token = PERSONAL_TOKEN if self.has_personal_token else READ_TOKEN
        expires_at = "2026-11-22T11:00:00Z"
        return {"username": "x-access-token", "token": token, "expires_at": expires_at, "revocation_url": None}

    def _reads(self, request: Request) -> bool:
        """Whether a request has what only reads, and asks for no more."""
        known = {READ_TOKEN, PERSONAL_TOKEN} if self.has_personal_token else {READ_TOKEN}
        is_push = "git-receive-pack" in f"{request.url}"
        return self.read_token_works and _basic_password(request) in known and not is_push

    def _works(self, token: str) -> bool:
        return token in self.handed_out and token not in self.revoked

    async def _revoke(self, request: Request) -> Response:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not self._works(token):
            return JSONResponse({"message": "Bad credentials"}, 401)
        self.revoked.append(token)
        return Response(status_code=204)

    async def _serve(self, request: Request) -> Response:
        if not (self._reads(request) or self._works(_basic_password(request))):
            self.refused += 1
            return Response(status_code=401, headers={"WWW-Authenticate": 'Basic realm="git"'})
        environment = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REQUEST_METHOD": request.method,
            "PATH_INFO": f"/{request.path_params['path']}",
            "QUERY_STRING": request.url.query,
            "CONTENT_TYPE": request.headers.get("content-type", ""),
            "HTTP_CONTENT_ENCODING": request.headers.get("content-encoding", ""),
            "HTTP_GIT_PROTOCOL": request.headers.get("git-protocol", ""),
            "REMOTE_USER": "app",
        }
        process = await asyncio.create_subprocess_exec(
            "git", "http-backend", env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        head, _, body = (await process.communicate(await request.body()))[0].partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
        status = int(headers.pop("Status", "200").split()[0])
        return Response(body, status, headers)


def _basic_password(request: Request) -> str:
    pair = base64.b64decode(request.headers.get("authorization", "").removeprefix("Basic ")).decode()
    return pair.partition(":")[2]


@dataclass
class ControlPlane:
    """The Agent API: remembers what is reported, and responds as the tests want.

    `breaches` is what contracts/agent_api.openapi.json has against the agent's requests and against its own responses.
    `refused` names reports that it responds to with 400, as it would to a body that it does not understand.
    """

    address: str
    github: GitHub
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    prompts: list[dict[str, Any]] = field(default_factory=list)
    secrets: dict[str, str] = field(default_factory=dict)
    interrupt: str | None = None
    branch_sha: str | None = None
    base_branch: str = ""
    polls: int = 0
    over: bool = False
    stumbles: int = 0
    model: str | None = None
    refused: set[str] = field(default_factory=set)
    breaches: list[str] = field(default_factory=list)
    transcript: list[dict[str, Any]] = field(default_factory=list)
    pictures: dict[str, bytes] = field(default_factory=dict)
    kept: bytes | None = None
    contract: AgentApiContract = field(default_factory=AgentApiContract)

    @property
    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/agent/{call}", self._respond, methods=["GET", "POST"]),
                Route("/metadata", self._metadata),
                Route("/bucket", self._bucket, methods=["GET", "PUT"]),
            ]
        )

    def ask(self, title: str, body: str = "", kind: str = "issue", prompt_id: str = "") -> str:
        """Give the agent something to do; return the prompt's id."""
        prompt_id = prompt_id or f"{len(self.prompts):026}"
        url = "https://github.example/acme/lunch/issues/42"
        prompt = {"id": prompt_id, "kind": kind, "title": title, "body": body, "author": "pat", "url": url}
        provenance: dict[str, Any] = {
            "requested_by": "pat",
            "left_out": [],
            "is_edited": False,
            "edited_by": "",
            "threads": 0,
        }
        beside: dict[str, Any] = {"labels": [], "discussion": [], "mentioned": [], "history": ""}
        provenance |= {"requested_by_id": 7, "has_attachments": False}
        self.prompts.append({**prompt, **provenance, **beside, "created_at": "2026-11-22T10:00:00Z"})
        return prompt_id

    def told(self, call: str) -> list[dict[str, Any]]:
        return [body for name, body in list(self.calls) if name == call]

    def events(self, event: str) -> list[dict[str, Any]]:
        return [body for body in self.told("progress") if body["event"] == event]

    def recorded(self, kind: str) -> list[dict[str, Any]]:
        """The events of that kind in the transcript, once the last turn is in it; none before."""
        events, turns = list(self.transcript), len(self.events("turn_finished"))
        whole = turns and sum(event["kind"] == "turn_finished" for event in events) == turns
        return [event for event in events if event["kind"] == kind] if whole else []

    async def _respond(self, request: Request) -> Response:
        method, path, body = request.method, request.url.path, await request.body()
        objections = self.contract.objections_to_request(method, path, body, request.headers.get("authorization"))
        if objections:
            response: Response = JSONResponse({"message": "; ".join(objections)}, 400)
        else:
            response = self._refusal(request) or self._accept(request, json.loads(body or "{}"))
        objections += self.contract.objections_to_response(method, path, response.status_code, bytes(response.body))
        self.breaches += objections
        return response

    def _accept(self, request: Request, body: dict[str, Any]) -> Response:
        call, bucket = request.path_params["call"], str(request.base_url.replace(path="/bucket"))
        if call == "prompts":
            self.polls += 1
            return JSONResponse(self._requests())
        self.calls.append((call, body))
        if {call, body.get("event")} & self.refused:
            return JSONResponse({"message": "The request body is not as expected."}, 400)
        if call == "environment":
            return self._environment(body["names"])
        if call == "restore-unpublished":
            return JSONResponse({"url": None if self.kept is None else bucket})
        if call == "save-unpublished":
            return JSONResponse({"url": bucket, "headers": {"Content-Length": str(body["size_bytes"])}})
        return JSONResponse(self._response(call, body))

    def _response(self, call: str, body: dict[str, Any]) -> dict[str, Any]:
        if call == "restore-dependencies":
            return {"urls": []}
        if call == "transcript":
            self.transcript += body["events"]
            return {"accepted": True, "next_batch": body["batch"] + 1, "full": False}
        if call == "picture":
            picture = base64.b64decode(body["png"])
            self.pictures[hashlib.sha256(picture).hexdigest()] = picture
            return {"sha256": hashlib.sha256(picture).hexdigest()}
        if call == "git-read-token":
            return self.github.read_credentials()
        if call == "git-token":
            return self.github.credentials()
        return {"status": "RUNNING"} | self._requests() if call == "heartbeat" else {}

    def _environment(self, names: list[str]) -> Response:
        missing = [name for name in names if name not in self.secrets]
        if missing:
            return JSONResponse({"message": f"There is no secret for {', '.join(missing)}; create it."}, 400)
        return JSONResponse({"values": {name: self.secrets[name] for name in names}})

    def _requests(self) -> dict[str, Any]:
        answered = [event["prompt_id"] for event in self.events("turn_finished")]
        open_ones = sorted((p for p in self.prompts if p["id"] not in answered), key=lambda prompt: prompt["id"])
        asked: dict[str, Any] = {
            "interrupt": self.interrupt,
            "branch_sha": self.branch_sha,
            "base_branch": self.base_branch,
            "model": self.model,
            "effort": None,
            "is_watched": True,
        }
        asked |= {"app": {"login": "my-app[bot]", "id": 9}, "session_url": "https://0a1b2c3d.uat.example.com"}
        return {"prompts": open_ones, **asked}

    def _refusal(self, request: Request) -> Response | None:
        if request.headers.get("authorization") != f"Bearer {SESSION_TOKEN}":
            return JSONResponse({"message": "who are you?"}, 401)
        if self.stumbles:
            self.stumbles -= 1
            return JSONResponse({"message": "not now"}, 503)
        says_its_last = request.path_params["call"] in {"save-unpublished", "report-unpublished"}
        return JSONResponse({"message": "the session is over"}, 409) if self.over and not says_its_last else None

    async def _bucket(self, request: Request) -> Response:
        if request.method == "PUT":
            self.kept = await request.body()
        return Response(self.kept)

    async def _metadata(self, _request: Request) -> Response:
        return JSONResponse({"Networks": [{"NetworkMode": "awsvpc", "IPv4Addresses": [self.address]}]})


def shown(url: str) -> str:
    """Return the page, or nothing while the dev server is starting again."""
    with suppress(OSError), urlopen(url, timeout=5) as page:  # noqa: S310 - an http address of this test's own
        return str(page.read().decode())
    return ""


class Agent:
    """One agent process, in a home directory of its own."""

    def __init__(self, home: Path, environment: dict[str, str], working_directory: Path) -> None:
        self.home = home
        self.work_tree = home / "repository"
        self.log = home.parent / "agent.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                images.ENTRY_POINTS[images.AGENT],
                cwd=working_directory,
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def until(self, wanted: Callable[[], T], seconds: float = 60) -> T:
        """Return the first true value, or fail with the agent's log."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if value := wanted():
                return value
            time.sleep(0.05)
        raise AssertionError(f"not within {seconds} s; the agent's log:\n{self.log.read_text()[-6000:]}")

    def exit_status(self, seconds: float = 60) -> int:
        return self.until(lambda: [s] if (s := self.process.poll()) is not None else [], seconds)[0]

    def family(self, word: str = "") -> list[psutil.Process]:
        """Return the living descendants, or those with a certain word on their command line."""
        living = []
        for process in psutil.Process(self.process.pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                if process.status() != psutil.STATUS_ZOMBIE and (not word or word in process.cmdline()):
                    living.append(process)
        return living

    def end(self) -> None:
        """Kill it with all its descendants: how it ends by itself is a test of its own."""
        if self.process.poll() is None:
            for process in [*self.family(), psutil.Process(self.process.pid)]:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
        self.process.wait()


@pytest.fixture(scope="session")
def model_url() -> Iterator[str]:
    """The scripted model, as its own program."""
    with scripted_model.testing.running() as url:
        yield url


@pytest.fixture
def github(tmp_path: Path) -> GitHub:
    """A GitHub whose session branch holds the sample repository."""
    return GitHub(tmp_path / "github")


Served = Callable[[Starlette], str]


@pytest.fixture
def serve() -> Iterator[Served]:
    """A function that serves an application until the end of the test and returns its address."""
    with ExitStack() as stack:
        yield lambda app: stack.enter_context(serve_asgi(lambda _: app))


@pytest.fixture
def control_plane(github: GitHub) -> Iterator[ControlPlane]:
    """An Agent API; the test fails where agent and API did not keep to their contract."""
    control_plane = ControlPlane(address=f"127.0.44.{next(_addresses)}", github=github)
    yield control_plane
    assert control_plane.breaches == []


@pytest.fixture
def start_agent(
    tmp_path: Path, github: GitHub, control_plane: ControlPlane, model_url: str, serve: Served
) -> Iterator[Callable[..., Agent]]:
    """A function that starts the agent, with further variables if need be; it is ended after the test."""
    agents: list[Agent] = []
    github.url, api_url = serve(github.app), serve(control_plane.app)

    def start(*, working_directory: Path = Path("/"), **more: str) -> Agent:
        home = tmp_path / "home"
        home.mkdir(exist_ok=True)
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "ECS_CONTAINER_METADATA_URI_V4": f"{api_url}/metadata",
            "AGENT_API_URL": api_url,
            "GITHUB_URL": github.url,
            "MODEL_PROVIDER": "anthropic",
            "ANTHROPIC_BASE_URL": model_url,
            "ANTHROPIC_API_KEY": MODEL_KEY,
            "CLAUDE_MODEL": "claude-sonnet-5",
            "MAX_TURNS": "200",
            "MAX_BUDGET_USD": "5",
            "PICTURES": "off",  # a browser for each session would take more of this machine than all the rest of it
            "LOG_LEVEL": "INFO",
            "SESSION_ID": "09e22a8b",
            "SESSION_TOKEN": SESSION_TOKEN,
            "TASK_TOKEN": TASK_TOKEN,
            "REPOSITORY": "acme/lunch",
            "BRANCH": BRANCH,
            **more,
        }
        given = {name: value for name, value in environment.items() if value}
        agents.append(Agent(home, given, working_directory))
        return agents[-1]

    yield start
    for agent in agents:
        agent.end()


@pytest.fixture
def log_of() -> Callable[[Agent], list[dict[str, Any]]]:
    """Read the agent's log: every line must be JSON."""
    return lambda agent: [json.loads(line) for line in agent.log.read_text().splitlines()]
