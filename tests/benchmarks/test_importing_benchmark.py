"""The made-up dump of the benchmark is one that is read whole."""

from __future__ import annotations

from pathlib import Path

import importing
from sociolect.dumps.posts import Post
from sociolect.dumps.stackexchange import read_site


def test_every_post_that_was_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "made-up.xml"
    n = importing.write_posts(path, 50_000)
    posts = list(read_site(path))
    assert len(posts) == n and path.stat().st_size >= 50_000
    assert all(isinstance(post, Post) and not post.dropped for post in posts)
    questions = {post.question for post in posts if isinstance(post, Post) and post.asked}
    assert {post.question for post in posts if isinstance(post, Post) and post.answer} == questions


def test_what_it_takes_is_measured_in_a_process_of_its_own(tmp_path: Path) -> None:
    seconds, memory, tables, posts = importing.measured(tmp_path, 1)
    assert seconds > 0 and 50 < memory < 2000 and tables > 0 and posts > 100
