"""The tagger's rate is that of texts that it tags."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl
import pytest

from conftest import skip_here
from sociolect.common.errors import InputError
from sociolect.estimate import syntax_probes
from sociolect.estimate.probing import TAGGING
from sociolect.settings.config import load_config
from sociolect.settings.estimate import ProbeJob
from sociolect.settings.syntax import is_installed
from sociolect.syntax.tagging import Tagger

CONFIG: dict[str, Any] = {
    "run": "x",
    "experiments": {"main": {"fit": ["single"], "ask": "single"}},
    "syntax": {"tagger": "en_core_web_sm"},
    "estimate": {"seconds": 0.5},
}


def test_answers_are_tagged_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    if not is_installed("en_core_web_sm"):
        skip_here("spaCy is not installed: make setup-syntax")
    config = load_config(CONFIG, "test")
    settings = ProbeJob.model_validate({name: getattr(config, name) for name in ProbeJob.model_fields})
    tagged: list[int] = []
    tag = syntax_probes.tag_texts

    def counting(texts: Sequence[str], tagger: Tagger) -> pl.DataFrame:
        tagged.append(len(texts))
        return tag(texts, tagger)

    monkeypatch.setattr(syntax_probes, "tag_texts", counting)
    ((name, unit, timed),) = syntax_probes.probe_tagger(settings, ["The cook ate the bread."] * 20)
    assert (name, unit) == (TAGGING, "answer")
    # the rounds of all texts are those that count
    assert timed.n % 20 == 0 and tagged.count(20) >= timed.n // 20 and timed.rate > 0
    with pytest.raises(InputError, match="no text to work on"):
        list(syntax_probes.probe_tagger(settings, []))
