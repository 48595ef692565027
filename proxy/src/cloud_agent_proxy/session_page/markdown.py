"""Claude's and people's Markdown as HTML that loads nothing and runs nothing, whoever wrote it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markdown_it import MarkdownIt
from markupsafe import Markup, escape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it.renderer import RendererHTML
    from markdown_it.token import Token
    from markdown_it.utils import EnvType, OptionsDict

_MOST_CHARACTERS = 20_000  # a longer text is shown as it is: nobody's page waits for it


def markdown(text: str) -> Markup:
    """Render a text; raw HTML in it is shown as text, and a picture becomes a link."""
    if len(text) > _MOST_CHARACTERS:
        return Markup("<p class=plain>{}</p>").format(text)
    return Markup(_PARSER.render(text))  # noqa: S704 - the parser escapes; `html` is off


def _is_web_address(url: str) -> bool:
    return url.lower().startswith(("https://", "http://", "mailto:"))


def _open_link(_: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    del options, env
    return f'<a href="{escape(str(tokens[index].attrGet("href")))}" rel="noreferrer nofollow" target="_blank">'


def _heading(renderer: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    """Leave the page's own outline alone: what a message calls a heading is bold."""
    del renderer, options, env
    return '<p class="heading"><strong>' if tokens[index].nesting == 1 else "</strong></p>\n"


def _code(renderer: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    del renderer, options, env
    return f'<pre tabindex="0"><code>{escape(tokens[index].content)}</code></pre>\n'


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "breaks": True, "maxNesting": 20})
    parser.enable(["table", "strikethrough"]).disable(["image"])
    parser.validateLink = _is_web_address  # type: ignore[method-assign]  # as its documentation says
    for name, rule in {
        "link_open": _open_link,
        "heading_open": _heading,
        "heading_close": _heading,
        "fence": _code,
        "code_block": _code,
    }.items():
        parser.add_render_rule(name, rule)
    return parser


_PARSER = _parser()
