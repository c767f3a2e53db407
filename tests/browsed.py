"""Pages as a browser has them, and as a reader of their source does."""

from __future__ import annotations

import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

from conftest import skip_here


class Tags(HTMLParser):
    """Tags with their attributes, and what stands in scripts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1][0] == "script" and data.strip():
            self.scripts.append(data)


def browsed(page: str, folder: Path, action: str = "", anchor: str = "") -> str:
    """What a page is in Chromium after a script at its end.

    Args:
        page: its source.
        folder: where it is put.
        action: the script.
        anchor: of the address, with its #.
    """
    browser = shutil.which("chromium")
    if browser is None:
        skip_here("no chromium: apt-get install chromium")
    file = folder / "page.html"
    file.write_text(page.replace("</body>", f"<script>{action}</script></body>") if action else page, encoding="utf-8")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}/profile", "--dump-dom"]
    done = subprocess.run([browser, *flags, f"{file.as_uri()}{anchor}"], capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr
    return done.stdout
