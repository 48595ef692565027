"""The form of an answer: one template for people, JSON for programs."""

import hashlib
import json
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from cloud_agent_proxy.answers import Answer


@dataclass(frozen=True)
class Page:
    """An answer ready to be sent."""

    status: int
    phrase: str
    headers: dict[str, str]
    body: bytes

    def as_http(self) -> bytes:
        """Return the whole response, as HAProxy reads its error files."""
        headers = {**self.headers, "Content-Length": str(len(self.body))}
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"HTTP/1.1 {self.status} {self.phrase}\r\n{head}\r\n".encode() + self.body


class Pages:
    """Writes answers with the template and the style of one folder."""

    def __init__(self, folder: Path) -> None:
        templates = Environment(
            loader=FileSystemLoader(folder), autoescape=select_autoescape(["jinja"]), undefined=StrictUndefined
        )
        self._template = templates.get_template("answer.html.jinja")
        self._style = (folder / "answer.css").read_text()
        digest = b64encode(hashlib.sha256(self._style.encode()).digest()).decode()
        self._policy = (
            f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; "
            "form-action 'none'; frame-ancestors 'none'"
        )

    def html(self, answer: Answer) -> Page:
        """Return the answer as a page that loads nothing and can be framed by nobody."""
        body = self._template.render(answer=answer, style=self._style)
        headers = {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": self._policy}
        return _page(answer, headers, body)

    def json(self, answer: Answer) -> Page:
        """Return the answer as a JSON object."""
        fields = {
            "error": answer.error,
            "message": answer.message,
            "reason": answer.reason or None,
            "session_id": answer.session_id or None,
            "pull_request": answer.pull_request or None,
            "retry_after_seconds": answer.retry_after_seconds,
        }
        return _page(answer, {"Content-Type": "application/json"}, json.dumps(fields))


def _page(answer: Answer, headers: dict[str, str], body: str) -> Page:
    headers |= {
        "Cache-Control": "no-store",
        "Vary": "Accept",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "X-Robots-Tag": "noindex",
    }
    if answer.retry_after_seconds:
        headers["Retry-After"] = str(answer.retry_after_seconds)
    return Page(answer.status.value, answer.status.phrase, headers, body.encode())
