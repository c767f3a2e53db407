"""HTML and Markdown to text, worked out by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sociolect.dumps import markup
from sociolect.dumps.markup import html_text, markdown_text, plain_text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("<p>One.</p>\n\n<p>Two<br>lines &amp; <em>more</em>.</p>", "One.\n\nTwo\nlines & more."),
        ("<p>See</p><pre><code>x = 1\n  y</code></pre><p>there</p>", "See\n\nthere"),
        ("<blockquote><p>yours</p></blockquote><p>mine</p>", "mine"),
        ("<ul><li>a</li><li><p>b</p></li></ul>", "- a\n- b"),
        ("<p>inline <code>x &lt; 1</code> stays</p>", "inline x < 1 stays"),
        ("<script>alert(1)</script><p>safe</p>", "safe"),
        ("a   b\nc", "a b c"),
        ("<p>not closed <b>at all", "not closed at all"),
        ("<pre>left <b>open</pre><p>after</p>", "after"),
        ("<table><tr><th>a</th><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
        ("<p></p>", ""),
    ],
)
def test_html(source: str, text: str) -> None:
    assert html_text(source) == text


def test_code_and_quotations_stay_by_choice() -> None:
    source = "<blockquote>yours</blockquote><pre><code>if x:\n    y &lt; 1\n</code></pre><p>mine</p>"
    assert html_text(source, without=()) == "yours\n\nif x:\n    y < 1\n\nmine"
    assert html_text(source, without=("pre",)) == "yours\n\nmine"


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("One **bold** line\nand more.\n\nTwo [link](https://x.org).", "One bold line and more.\n\nTwo link."),
        ("&gt; yours\n\nmine &amp; ours", "mine & ours"),
        ("* a\n* b", "- a\n- b"),
        ("1. a\n2. b", "- a\n- b"),
        ("    x = 1\n\nsaid", "said"),
        ("```\nx = 1\n```\nsaid", "said"),
        ("a ~~b~~ `c`", "a b c"),
        ("2 &lt; 3 <b>", "2 < 3 <b>"),
        ("Title\n=====\ntext", "Title\n\ntext"),
        ("Roses are red  \nviolets are blue", "Roses are red\nviolets are blue"),
        ("Roses are red  \r\nviolets are blue", "Roses are red\nviolets are blue"),
        ("&gt;!Snape kills him!&lt; and that is why.\n\nSo.", "Snape kills him and that is why.\n\nSo."),
        ("I say >!this\nand that!<, not >!more", "I say this and that, not >!more"),
        # of a quotation, and one that does not end in its paragraph
        ("> yours >!too!<\n\nmine", "mine"),
        (">!yours\n\nmine!<", "mine!<"),
    ],
)
def test_markdown(source: str, text: str) -> None:
    assert markdown_text(source) == text


@given(st.text("ab .,!?\n-+=123()\t'\"é", max_size=60))
def test_text_that_looks_unmarked_is_read_as_markdown_reads_it(source: str) -> None:
    """The short way past the parser gives the same."""
    assert markdown_text(source) == html_text(f"<div>{markup._markdown().render(source)}</div>")


@given(st.text("<>![]-/&;#x?\"'= \np1abcCDATA", max_size=40))
def test_no_html_and_no_markdown_is_too_broken(source: str) -> None:
    assert "\n\n\n" not in html_text(source) + markdown_text(source)


@pytest.mark.parametrize("source", ["<![foo[ bar", "<![if x]>a", "<!DOCTYPE a [ <!", "<!--", "</", "&#xFFFFFFF;"])
def test_what_parsers_stumble_over(source: str) -> None:
    html_text(f"<p>said</p>{source}")


def test_plain_text_keeps_paragraphs() -> None:
    assert plain_text(" a\nb \n \n\n c") == "a b\n\nc"
