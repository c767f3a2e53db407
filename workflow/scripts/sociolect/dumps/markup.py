"""HTML and Markdown to text: paragraphs stay, markup goes, and so do code and quotations where they are not wanted."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from functools import cache
from html.parser import HTMLParser

from markdown_it import MarkdownIt

__all__ = ["KINDS", "html_text", "markdown_text", "plain_text", "unescaped"]

_PARAGRAPHS = {"p", "div", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "dl", "table", "blockquote", "pre", "hr"}
_LINES = {"br", "li", "tr", "dt", "dd"}
_CELLS = {"td", "th"}
_NO_TEXT = {"script", "style", "head"}
# where Markdown has none of these, nothing in it is markup, but for lists, lines of signs and kept line breaks
_SIGNS = re.compile(r"[*_`#>~\[\]\\&<|]|^ {4}|\t| {2}[\r\n]|^\s*(?:[-+=]|\d{1,9}[.)])", re.MULTILINE)
# Reddit's own mark, which would begin a quotation; it ends with the paragraph at the latest
_SPOILER = re.compile(r">!((?:[^\n]|\n(?!\s*\n))*?)!<")
_DECLARATION = re.compile(r"<!(?!--)[^>]*>?")
_ESCAPED = {"&lt;": "<", "&gt;": ">", "&amp;": "&"}


class _Text(HTMLParser):
    """Collects the text of a document, by lines and paragraphs."""

    def __init__(self, without: Collection[str]) -> None:
        super().__init__(convert_charrefs=True)
        self.without = {*_NO_TEXT, *without}
        self.paragraphs: list[str] = []
        self.lines: list[str] = []
        self.words: list[str] = []
        self.inside: list[str] = []
        self.verbatim = 0

    def updatepos(self, i: int, j: int) -> int:
        """Lines are not counted: nobody asks for them, and it takes time."""
        return j

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._break(tag)
        if tag in self.without:
            self.inside.append(tag)
        self.verbatim += tag == "pre"
        if tag == "li":
            self.words.append("- ")

    def handle_endtag(self, tag: str) -> None:
        self._break(tag)
        if tag in self.inside:
            # what was left open in it ends with it
            while self.inside.pop() != tag:
                continue
        self.verbatim = max(0, self.verbatim - (tag == "pre"))

    def handle_data(self, data: str) -> None:
        if self.inside:
            return
        if self.verbatim:
            first, *rest = data.split("\n")
            self.words.append(first)
            for line in rest:
                self._end_line()
                self.words.append(line)
        else:
            self.words.append(re.sub(r"[ \t\r\n\f]+", " ", data))

    def text(self) -> str:
        self.close()
        self._end_paragraph()
        return "\n\n".join(self.paragraphs)

    def _break(self, tag: str) -> None:
        if tag in _PARAGRAPHS:
            self._end_paragraph()
        elif tag in _LINES:
            self._end_line()
        elif tag in _CELLS:
            self.words.append(" ")

    def _end_line(self) -> None:
        line = "".join(self.words)
        line = line.rstrip() if self.verbatim else re.sub(" {2,}", " ", line).strip()
        if line and line != "-":
            self.lines.append(line)
        self.words = []

    def _end_paragraph(self) -> None:
        # the mark of an item whose text is a paragraph of its own waits for it
        if self.words == ["- "]:
            return
        self._end_line()
        if self.lines:
            self.paragraphs.append("\n".join(self.lines))
        self.lines = []


def html_text(source: str, without: Collection[str] = ("pre", "blockquote")) -> str:
    """The text of HTML: paragraphs with a blank line between them, items of lists with a dash, a line each.

    Args:
        source: HTML, whole or in part; what is wrong in it is read as browsers do.
        without: tags whose content is left out.
    """
    if "<" not in source and "&" not in source:
        return plain_text(source)
    parser = _Text(without)
    # declarations, at some of which the parser stumbles, are comments to a browser
    parser.feed(_DECLARATION.sub("", source))
    return parser.text()


def markdown_text(source: str, without: Collection[str] = ("pre", "blockquote")) -> str:
    """The text of Markdown: CommonMark with tables and spoilers (>!so!<), with &, < and > escaped or not."""
    source = _SPOILER.sub(r"\1", unescaped(source))
    if not _SIGNS.search(source):
        return plain_text(source)
    return html_text(_markdown().render(source), without)


def unescaped(source: str) -> str:
    """A text of which Reddit escaped &, < and >, and nothing else."""
    return re.sub("&(?:lt|gt|amp);", lambda found: _ESCAPED[found[0]], source)


def plain_text(source: str, without: Collection[str] = ()) -> str:
    """A text without markup: a line break is a blank, blank lines part paragraphs."""
    paragraphs = (" ".join(part.split()) for part in re.split(r"\n\s*\n", source))
    return "\n\n".join(part for part in paragraphs if part)


def _as_is(source: str, without: Collection[str] = ()) -> str:
    return source.strip()


@cache
def _markdown() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


KINDS: dict[str, Callable[[str, Collection[str]], str]] = {
    "html": html_text,
    "markdown": markdown_text,
    "plain": _as_is,
}
