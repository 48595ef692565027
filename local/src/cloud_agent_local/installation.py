"""Where local mode keeps what it needs, and what it remembers of a running system."""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import suppress
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cloud_agent_local.errors import StateDirectoryError
from cloud_agent_local.task_engine import TaskEngine

PROJECT = Path(__file__).resolve().parents[3]
STATE_DIR = PROJECT / ".local"
AWS_PART = "embedded-aws"
GITHUB_PART = "github"
MODEL_PART = "model"  # runs unless a real model is configured


class Ports(BaseModel):
    """The loopback ports that local mode listens on."""

    model_config = ConfigDict(frozen=True)

    aws: int = 4566
    github: int = 4580
    model: int = 4590
    proxy: int = 8080

    def by_part(self) -> dict[str, int]:
        """Each port under the name of the part that listens on it."""
        return {"embedded AWS": self.aws, "local GitHub": self.github, "model": self.model, "proxy": self.proxy}


class RunningPart(BaseModel):
    """A process that `up` started; pid and start time together are never reused."""

    name: str
    pid: int
    start_time: float


class Installation(BaseModel):
    """What `up` wrote down, for `status`, `logs`, `demo` and `down`. Grows as parts come up."""

    ports: Ports
    state_dir: Path
    parts: list[RunningPart] = Field(default_factory=list)
    parameters: dict[str, str] = Field(default_factory=dict)
    outputs: dict[str, str] = Field(default_factory=dict)
    repository: str = ""
    engine: TaskEngine | None = None  # tasks are containers of it; without one they're local processes

    @property
    def log_dir(self) -> Path:
        """One log file for each part and each ECS task."""
        return self.state_dir / "logs"

    @property
    def github_dir(self) -> Path:
        """The local GitHub's data and credentials."""
        return self.state_dir / "github"

    @property
    def aws_endpoint(self) -> str:
        """The embedded AWS."""
        return f"http://127.0.0.1:{self.ports.aws}"

    @property
    def github_url(self) -> str:
        """The local GitHub's pages and Git."""
        return f"http://localhost:{self.ports.github}"

    @property
    def github_api_url(self) -> str:
        """The local GitHub's REST API."""
        return f"{self.github_url}/api/v3"

    @property
    def model_url(self) -> str:
        """The scripted model, when no real one is configured."""
        return f"http://127.0.0.1:{self.ports.model}"

    @property
    def model_is_scripted(self) -> bool:
        """Whether the model is the one that costs nothing."""
        return any(part.name == MODEL_PART for part in self.parts)

    @property
    def proxy_url(self) -> str:
        """The load balancer in front of the proxy."""
        return f"http://127.0.0.1:{self.ports.proxy}"

    @property
    def uat_domain(self) -> str:
        """Sessions are at http://<session id>.<this>:<proxy port>."""
        return "uat.localhost"

    @property
    def uat_url(self) -> str:
        """A session's URL without its id."""
        return f"http://{self.uat_domain}:{self.ports.proxy}"

    @property
    def sign_in_callback_url(self) -> str:
        """Where the local GitHub sends those back to who have signed in."""
        return f"http://sign-in.{self.uat_domain}:{self.ports.proxy}/callback"

    @classmethod
    def load(cls, state_dir: Path) -> Self | None:
        """Return what the last `up` wrote; None when there was none.

        Raises:
            StateDirectoryError: it cannot be read; says how to start over.
        """
        try:
            return cls.model_validate_json(_file(state_dir).read_text())
        except FileNotFoundError:
            return None
        except (OSError, ValidationError, UnicodeDecodeError) as error:
            raise StateDirectoryError(
                f"{_file(state_dir)} can't be read: it's damaged or was written by another version. Stop what runs "
                "and start over with: cloud-agent local down"
            ) from error

    def save(self) -> None:
        """Write it down at once and whole: `down` must find every process, whatever happens next."""
        prepared(self.log_dir)
        path = _file(self.state_dir)
        draft = path.with_suffix(".new")
        draft.write_text(self.model_dump_json(indent=2))
        draft.replace(path)

    def keep_earlier_logs(self) -> None:
        """Put the logs of the run before aside: what is quoted and shown is of this run alone."""
        earlier = self.log_dir.with_name("logs.earlier")
        shutil.rmtree(earlier, ignore_errors=True)
        if self.log_dir.exists():
            self.log_dir.rename(earlier)


def forget(state_dir: Path) -> None:
    """After `down`: nothing runs any more."""
    with suppress(FileNotFoundError, NotADirectoryError):
        _file(state_dir).unlink()


def prepared(folder: Path) -> Path:
    """Return the folder, which exists and can be written to.

    Raises:
        StateDirectoryError: it does not, or cannot.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StateDirectoryError(
            f"{folder} can't be created: {error.strerror}. Say another with --state-dir."
        ) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise StateDirectoryError(f"{folder} can't be written to. Say another with --state-dir.")
    return folder


def _file(state_dir: Path) -> Path:
    return state_dir / "installation.json"


def aws_environment(endpoint: str) -> dict[str, str]:
    """Return this process's environment with the embedded AWS in place of any real account it may be configured for."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_") or "CA_BUNDLE" in name}
    # First on the PATH: sam builds with the Python of this very environment, whatever else the machine has.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    return kept | {
        "PATH": path,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "SAM_CLI_TELEMETRY": "0",
    }
