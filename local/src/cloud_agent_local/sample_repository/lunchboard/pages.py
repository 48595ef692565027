"""Pages made of templates: a file per page, one frame around all of them."""

import json
import re
from html import escape
from pathlib import Path
from string import Template

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES = ROOT / "templates"
CONTENT = ROOT / "content"
NAME = re.compile(r"[a-z0-9][a-z0-9-]*")
TITLE = re.compile(r"<!-- title: (.*?) -->")


def page_names() -> list[str]:
    """Return the names of all pages, the front page first."""
    names = sorted(path.stem for path in TEMPLATES.glob("*.html") if path.stem != "frame")
    return sorted(names, key=lambda name: name != "home")


def render(name: str, votes: dict[str, int]) -> str | None:
    """Return the page as HTML, or None when there is no page of that name."""
    path = TEMPLATES / f"{name}.html"
    if not NAME.fullmatch(name) or name == "frame" or not path.is_file():
        return None
    fragment = path.read_text(encoding="utf-8")
    body = Template(fragment).safe_substitute(dishes=_dishes(votes), notes=_notes())
    frame = Template((TEMPLATES / "frame.html").read_text(encoding="utf-8"))
    return frame.safe_substitute(
        title=_title(name, fragment), navigation=_navigation(name), body=body
    )


def menu() -> list[dict[str, str]]:
    """Return today's dishes."""
    dishes: list[dict[str, str]] = json.loads((CONTENT / "menu.json").read_text(encoding="utf-8"))
    return dishes


def _title(name: str, fragment: str) -> str:
    found = TITLE.search(fragment)
    return found[1] if found else escape(name.replace("-", " ").capitalize())


def _navigation(current: str) -> str:
    links = []
    for name in page_names():
        fragment = (TEMPLATES / f"{name}.html").read_text(encoding="utf-8")
        here = ' aria-current="page"' if name == current else ""
        address = "/" if name == "home" else f"/{name}"
        links.append(f'<a href="{address}"{here}>{_title(name, fragment)}</a>')
    return "\n".join(links)


def _dishes(votes: dict[str, int]) -> str:
    most = max(votes.values(), default=0)
    return "\n".join(_dish(dish, votes.get(dish["id"], 0), most) for dish in menu())


def _dish(dish: dict[str, str], count: int, most: int) -> str:
    share = round(100 * count / most) if most else 0
    return (
        f'<li class="dish" data-dish="{escape(dish["id"])}">'
        f'<span class="sign" aria-hidden="true">{escape(dish["name"][0])}</span>'
        f'<div class="about"><h3>{escape(dish["name"])}</h3><p>{escape(dish["about"])}</p>'
        f'<div class="bar"><i style="width:{share}%"></i></div></div>'
        f'<button type="button"><b>{count}</b> votes</button></li>'
    )


def _notes() -> str:
    notes = json.loads((CONTENT / "notes.json").read_text(encoding="utf-8"))
    return "\n".join(f"<li>{escape(note)}</li>" for note in notes)
