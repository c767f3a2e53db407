"""Posts.xml of a Stack Exchange dump: one post a line, of which one line at a time is held."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path
from xml.etree import ElementTree

from sociolect.common.errors import InputError
from sociolect.dumps.packed import dump_lines
from sociolect.dumps.posts import Post, Rule, Unread, whole_number

__all__ = ["posts_file", "read_site", "site_of"]

QUESTION, ANSWER = "1", "2"
# the account of the system itself
COMMUNITY = "-1"
# lines that a post of another writer may take; a dump of Stack Exchange has one
MOST_LINES = 1000
# references to characters that XML does not allow, which dumps have
_ILLEGAL = re.compile(rb"&#(?:x0*(?:[0-8bBcCeEfF]|1[0-9a-fA-F])|0*(?:[0-8]|1[124-9]|2\d|3[01]));")
# the beginning of a tag, which no value holds: < is &lt; there
_STARTS = re.compile(rb"\s*(?=<(?:row|/?posts)\b)")
_ENCODING = re.compile(rb"""encoding\s*=\s*["']([\w.-]+)["']""")
_DOMAIN = re.compile(r"(\.stackexchange)?\.(com|net|org)$")


def posts_file(path: Path) -> Path:
    """The file of posts, of a file or the folder of a site.

    Raises:
        InputError: the folder has none.
    """
    if not path.is_dir():
        return path
    found = sorted(file for file in path.iterdir() if file.name.lower().startswith("posts.xml"))
    if len(found) != 1:
        raise InputError(f"{path}: {len(found)} files Posts.xml in this folder; give the one file of posts")
    return found[0]


def site_of(path: Path) -> str:
    """Name of the site: that of the file, or of its folder where the file is called Posts."""
    name = path.name.lower().partition(".xml")[0]
    if name.endswith("posts"):
        name = name.removesuffix("posts").rstrip("-_.") or path.resolve().parent.name.lower()
    return _DOMAIN.sub("", name) or name


def read_site(path: Path, tags: Collection[str] | None = None) -> Iterator[Post | Unread]:
    """The posts of a site.

    Args:
        path: Posts.xml, packed or not.
        tags: a question's group is the one of these tags that it has; None: the group is the site.

    Raises:
        InputError: see `dump_lines`; or the file says that it is in another encoding than UTF-8.
    """
    site = site_of(path)
    for number, line in _rows(path):
        try:
            row = _attributes(line)
            yield _post(row, number, site, tags)
        except (ElementTree.ParseError, KeyError, ValueError) as error:
            why = f"no {error.args[0]}" if isinstance(error, KeyError) else str(error)
            # its place is that within the line
            yield Unread(number, why.partition(": line ")[0])


def _rows(path: Path) -> Iterator[tuple[int, bytes]]:
    """(line, XML) of each post, and of what else is no frame of the file: a line that was cut."""
    begun, first, number, lines, ended = b"", 0, 0, 0, False
    for number, line in _parts(path):
        frame = line.startswith((b"<?", b"<posts", b"</posts", b"<!"))
        # <posts /> has none
        ended = ended or line.startswith(b"</posts") or (line.startswith(b"<posts") and line.endswith(b"/>"))
        if begun and (frame or line.startswith(b"<row") or lines == MOST_LINES):
            yield first, begun
            begun = b""
        if frame or not (line or begun):
            continue
        first, lines = (first, lines + 1) if begun else (number, 1)
        begun = begun + b"\n" + line if begun else line
        if line.endswith(b"/>"):
            yield first, begun
            begun = b""
    if begun:
        yield first, begun
    if not ended:
        yield number + 1, b""


def _parts(path: Path) -> Iterator[tuple[int, bytes]]:
    """(line, XML) of each part of the frame, row, or line of a row; some writers have several on a line."""
    for number, line in dump_lines(path):
        line = line.strip()
        if number == 1:
            _refuse_encoding(path, line)
        if line.count(b"<") > 1 and not line.startswith(b"<!"):
            yield from ((number, part) for part in _STARTS.split(line) if part)
        else:
            yield number, line


def _attributes(line: bytes) -> dict[str, str]:
    if not line:
        raise ValueError("the file ends without </posts>: it is cut off")
    try:
        return ElementTree.fromstring(line).attrib
    except ElementTree.ParseError:
        return ElementTree.fromstring(_ILLEGAL.sub(b" ", line)).attrib


def _post(row: dict[str, str], line: int, site: str, tags: Collection[str] | None) -> Post:
    kind, post = row["PostTypeId"], row["Id"]
    if kind not in (QUESTION, ANSWER):
        return Post(line, dropped=Rule.OTHER_KIND)
    owner, name = row.get("OwnerUserId", ""), row.get("OwnerDisplayName", "")
    author = f"{site} {owner or name}" if owner or name else ""
    shared = {"source": site, "author": author, "name": name, "score": whole_number(row.get("Score"))}
    shared["dropped"] = Rule.BOT if owner == COMMUNITY else ""
    if kind == ANSWER:
        question = f"{site}-{row['ParentId']}"
        return Post(line, question, answer=f"{question}-{post}", text=row["Body"], **shared)  # type: ignore[arg-type]
    question, accepted = f"{site}-{post}", row.get("AcceptedAnswerId")
    group, why = (site, "") if tags is None else _tagged(row.get("Tags", ""), tags)
    return Post(
        line,
        question,
        title=row.get("Title", ""),
        asked=row.get("Body", ""),
        group=group,
        best=f"{question}-{accepted}" if accepted else None,
        **{**shared, "dropped": shared["dropped"] or why},  # type: ignore[arg-type]
    )


def _tagged(said: str, tags: Collection[str]) -> tuple[str, str]:
    """The group of a question by its tags (`<a><b>`, or `|a|b|`), and why it has none."""
    found = sorted({*re.findall(r"[^<>|]+", said)} & {*tags})
    if len(found) == 1:
        return found[0], ""
    return "", Rule.TWO_GROUPS if found else Rule.OTHER_GROUP


def _refuse_encoding(path: Path, line: bytes) -> None:
    said = _ENCODING.search(line)
    if said and said[1].lower() not in (b"utf-8", b"us-ascii"):
        name = said[1].decode()
        raise InputError(
            f"{path}: line 1: it is in {name}; write it as UTF-8 (`iconv -f {name} -t UTF-8`, and encoding in line 1)"
        )
