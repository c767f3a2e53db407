"""Generated files must not drift."""

from __future__ import annotations

import re

from conftest import ROOT
from sociolect.settings.documents import generated_files


def test_generated_files_are_up_to_date() -> None:
    stale = [p.name for p, text in generated_files(ROOT).items() if p.read_text(encoding="utf-8") != text]
    assert not stale, "run `make schema`"


def test_messages_that_the_manual_explains_are_said() -> None:
    # pieces of a message that goes over several lines are put together
    sources = [*(ROOT / "workflow").rglob("*.py"), *(ROOT / "workflow/rules").glob("*.smk")]
    said = "\n".join(re.sub(r'"\s*\n\s*f?"', "", path.read_text(encoding="utf-8")) for path in sources)
    rows = re.findall(r"^\| (`.+?) \|", (ROOT / "docs/troubleshooting.md").read_text(encoding="utf-8"), re.MULTILINE)
    messages = [message for row in rows for message in re.findall(r"`([^`]+)`", row)]
    assert len(messages) > 30
    assert [message for message in messages if message not in said] == []
