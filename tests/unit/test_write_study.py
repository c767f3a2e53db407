"""Pages of rules in the manual: the block that is named, the sections that are wanted, nothing else."""

from __future__ import annotations

import pytest
import write_study

from sociolect.common.errors import InputError

PAGE = "# Title\n\nWords.\n\n## First one\n\n| a |\n\n## Second\n\ntext\n\n## First two\n\nend\n"


def test_the_text_goes_between_the_marks() -> None:
    page = "before\n<!-- x -->\nold\n<!-- end of x -->\nafter\n"
    new = write_study.put_block(page, "x", "\nnew\n")
    assert new == "before\n<!-- x -->\n\nnew\n\n<!-- end of x -->\nafter\n"
    assert write_study.put_block(new, "x", "new") == new
    with pytest.raises(InputError, match=r"no <!-- y --> \.\.\. <!-- end of y --> in the page"):
        write_study.put_block(page, "y", "new")


def test_sections_are_chosen_by_how_their_headings_begin() -> None:
    assert write_study.sections_of(PAGE, []) == PAGE
    assert write_study.sections_of(PAGE, ["First"]) == PAGE.replace("## Second\n\ntext\n\n", "")
    assert write_study.sections_of(PAGE, ["Second"]) == "# Title\n\nWords.\n\n## Second\n\ntext\n\n"
    with pytest.raises(InputError, match="no section begins with 'Third'; there are First one, Second, First two"):
        write_study.sections_of(PAGE, ["Second", "Third"])
