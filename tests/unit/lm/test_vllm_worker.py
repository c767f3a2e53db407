"""The look at a runner, without vLLM."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from sociolect.common.errors import InputError
from sociolect.lm.vllm_worker import check_runner


def test_runners_of_another_build_are_refused() -> None:
    def runner(**change: Any) -> Any:
        records = {"req_ids": [], "num_reqs": 0, "num_computed_tokens_cpu": [], "num_prompt_tokens": []}
        batch = SimpleNamespace(**{k: v for k, v in records.items() if k not in change.get("without", ())})
        start = SimpleNamespace(np=[]) if change.get("np", True) else SimpleNamespace()
        return SimpleNamespace(_model_forward=None, requests={}, query_start_loc=start, input_batch=batch)

    check_runner(runner())
    for other, missing in (
        (SimpleNamespace(requests={}), "_model_forward, query_start_loc, input_batch"),
        (runner(without=("req_ids", "num_reqs")), r"input_batch\.req_ids, input_batch\.num_reqs"),
        (runner(np=False), r"query_start_loc\.np"),
    ):
        with pytest.raises(InputError, match=rf"SimpleNamespace has no {missing}: .*make setup-vllm.*one_vector"):
            check_runner(other)
