"""Put what a study's page says into a page of the manual: --page results/<run>/study/embedding/<experiment>.md.

The text goes between the marks of the block in the page, with its headings two levels deeper.
"""

from __future__ import annotations

import argparse
import re
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--page", type=Path, required=True, help="what compare_cells wrote")
    parser.add_argument("--docs", type=Path, required=True, help="page of the manual")
    parser.add_argument("--block", required=True, help="name in the marks")
    flags = parser.parse_args()
    deeper = re.sub(r"^#", "###", flags.page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    write_text(put_block(flags.docs.read_text(encoding="utf-8"), flags.block, deeper), flags.docs)


if __name__ == "__main__":
    exit_plainly(main)
