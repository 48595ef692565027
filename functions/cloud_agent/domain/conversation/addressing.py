"""Whom a comment speaks to, and whether it asks for anything, as a colleague on the pull request would take it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyromark import Options, events

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

CLAUDE = "claude"
_GITHUB = Options.ENABLE_TABLES | Options.ENABLE_FOOTNOTES | Options.ENABLE_STRIKETHROUGH | Options.ENABLE_TASKLISTS
# A person, an App without its suffix "[bot]", or a team with its organization. What goes on as a name of code does
# (`@pytest.fixture`, `@override()`) is none.
_LOGIN = r"@([A-Za-z0-9](?:[A-Za-z0-9-]{0,37}[A-Za-z0-9])?(?:/[A-Za-z0-9][\w.-]*)?)(?![\w(-]|\.\w|['\u2019]s\b)"
_MENTION = re.compile(rf"(?<![\w/.@`-]){_LOGIN}")
# "@zoe", "Hi @zoe", "cc @zoe and @kim": those that a text is for stand first.
_GREETING = r"(?:(?:hi|hello|hey|hej|dear|cc|ping|fyi|thanks|thank you)[\s,:]+)?"
_ADDRESSEES = re.compile(rf"\s*{_GREETING}((?:{_LOGIN}[\s,:;&+]*(?:and\b\s*|or\b\s*)?)+)", re.IGNORECASE)
# Of a text without punctuation, emoji and case. What answers a question ("yes", "ok", "go ahead") isn't among these.
_THANKS = r"(?:many )?(?:thanks|thank you|thx|ty|cheers)(?: a lot| so much| very much| again)?"
_PRAISE = r"(?:very |really |so )?(?:good|great|nice|perfect|fine)"
_LOOKS = rf"(?:(?:this |it |that |all )?looks )?{_PRAISE}(?: to me)?(?: now)?(?: (?:job|work|one))?"
_CHEERS = (
    "awesome|amazing|excellent|wonderful|brilliant|fantastic|beautiful|lovely|cool|well done|(?:i )?love (?:it|this)"
)
_PHRASE = rf"(?:{_THANKS}|[ls]gtm|approved|{_LOOKS}|{_CHEERS}|claude|everyone|all|team|folks)"
_COURTESY = re.compile(rf"(?:\s*\b{_PHRASE}\b)*\s*")
_COURTESY_LIMIT = 200  # characters
_SHORTCODE = re.compile(r":[a-z0-9_+-]+:")
_CODE = "(code)"
# Of HTML, which GitHub itself pastes for a screenshot. An attribute's text isn't shown.
_PICTURE = re.compile(r"<(?:img|picture|video)\b", re.IGNORECASE)
_TAG = re.compile(r"<[^>]*(?:>|\Z)")
_NO_WORD = re.compile(r"[^\w\s]|_")


@dataclass(frozen=True)
class Listener:
    """Decides what Claude takes up. What only GitHub knows is asked for where a text depends on it.

    `app_name` returns the App's name in mentions, `may_write` whether somebody has write access to the repository.
    `only_when_called` leaves alone what doesn't mention Claude by name.
    """

    owner: str
    app_name: Callable[[], str]
    may_write: Callable[[str], bool]
    only_when_called: bool = False

    def is_called(self, text: str) -> bool:
        """Whether the text mentions Claude or the App by name."""
        mentioned = {login.lower() for login in _MENTION.findall(_plain(text))}
        return CLAUDE in mentioned or bool(mentioned and self.app_name().lower() in mentioned)

    def disregards(self, texts: Iterable[str]) -> bool:
        """Whether texts that were written together are left alone, because none of them mentions Claude."""
        return self.only_when_called and not any(map(self.is_called, texts))

    def why_not(self, text: str) -> str | None:
        """Why the text asks nothing of Claude; None where it does.

        In doubt it does: whoever is not answered has to find out why.
        """
        if self.is_called(text):
            return None
        plain = _plain(text)
        if is_courtesy(plain):
            return "the comment thanks or approves, and asks for nothing"
        others = self._addressees(plain)
        return f"the comment is addressed to {others[0]}" if others else None

    def _addressees(self, plain: str) -> list[str]:
        """Return the people and teams that a text begins with, unless somebody unknown here is among them."""
        match = _ADDRESSEES.match(plain)
        logins = _MENTION.findall(match[1]) if match else []
        return logins if all(self._is_known(login) for login in logins) else []

    def _is_known(self, login: str) -> bool:
        owner, is_team, _ = login.partition("/")
        return owner.lower() == self.owner.lower() if is_team else self.may_write(login)


def is_courtesy(plain: str) -> bool:
    """Whether a text is thanks, praise, approval or emoji, and nothing else."""
    if not plain.strip() or "?" in plain or len(plain) > _COURTESY_LIMIT:
        return False
    words = _NO_WORD.sub(" ", _MENTION.sub(" ", _SHORTCODE.sub(" ", plain.lower().replace("+1", " "))))
    return _COURTESY.fullmatch(" ".join(words.split())) is not None


def _plain(text: str) -> str:
    """Return what a text says in its own words, with a mark where it shows code, an image or a block of HTML."""
    words, hidden = list[str](), 0
    for event in events(text, options=_GITHUB):
        match event:
            case {"Start": {"BlockQuote": _}}:
                hidden += 1
            case {"Start": {"CodeBlock": _}}:
                hidden += 1
                words.append(_CODE)
            case {"End": {"BlockQuote": _}} | {"End": "CodeBlock"}:
                hidden -= 1
            case {"Text": str(said)} if not hidden:
                words.append(said)
            case {"Code": _} | {"Start": {"Image": _}}:
                words.append(_CODE)
            case {"Html": str(markup)} | {"InlineHtml": str(markup)}:
                words.append(_CODE if _PICTURE.search(markup) or _has_text(markup, hidden) else "")
            case {"End": _} | "SoftBreak" | "HardBreak":
                words.append("\n")
    return "".join(words)


def _has_text(markup: str, hidden: int) -> bool:
    """Whether a line of a block of HTML says something, unless it's quoted. Inline HTML is a tag alone."""
    return not hidden and bool(_TAG.sub("", markup).strip())
