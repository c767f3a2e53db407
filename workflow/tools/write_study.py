"""Put what a rule's page says into a page of the manual: --page results/<run>/study/embedding/<experiment>.md.

The text goes between the marks of the block in the page, with its headings two levels deeper.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from pathlib import Path

import library_path  # noqa: F401, first: where sociolect lies

from sociolect.common.errors import InputError, exit_plainly
from sociolect.common.files import write_text


def put_block(page: str, name: str, text: str) -> str:
    """The page with this text between its marks `<!-- name -->` and `<!-- end of name -->`.

    Raises:
        InputError: the page has no such marks.
    """
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    before, found, rest = page.partition(begin)
    if not found or end not in rest:
        raise InputError(f"no {begin} ... {end} in the page; put both on lines of their own where the text belongs")
    return f"{before}{begin}\n\n{text.strip()}\n\n{end}{rest.partition(end)[2]}"


def sections_of(page: str, wanted: Sequence[str]) -> str:
    """The page's title and what stands before its first section, then the wanted sections in the page's order.

    Args:
        page: Markdown with sections of level 2.
        wanted: how their headings begin; none for all.

    Raises:
        InputError: no section begins so.
    """
    first, *rest = re.split(r"^(?=## )", page, flags=re.MULTILINE)
    missing = [name for name in wanted if not any(part.startswith(f"## {name}") for part in rest)]
    if missing:
        raise InputError(f"no section begins with {missing[0]!r}; there are {', '.join(map(_heading, rest))}")
    return first + "".join(p for p in rest if not wanted or any(p.startswith(f"## {name}") for name in wanted))


def _heading(part: str) -> str:
    return part.partition("\n")[0].removeprefix("## ")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--page", type=Path, required=True, help="page in Markdown that a rule wrote")
    parser.add_argument("--docs", type=Path, required=True, help="page of the manual")
    parser.add_argument("--block", required=True, help="name in the marks")
    parser.add_argument("--section", action="append", default=[], help="beginning of a heading; all without it")
    flags = parser.parse_args()
    kept = sections_of(flags.page.read_text(encoding="utf-8"), flags.section)
    deeper = re.sub(r"^#", "###", kept, flags=re.MULTILINE)
    write_text(put_block(flags.docs.read_text(encoding="utf-8"), flags.block, deeper), flags.docs)


if __name__ == "__main__":
    exit_plainly(main)
