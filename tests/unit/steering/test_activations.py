"""Attribute vectors: which token is read, which contrast, which source."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from sociolect.common.artifacts import check_table, matrix
from sociolect.common.errors import InputError
from sociolect.common.schemas import ACTIVATIONS
from sociolect.lm.hooks import read_blocks
from sociolect.lm.prompts import encode_prompt, render_chat
from sociolect.lm.requests import Request, Result
from sociolect.lm.transformers_backend import TransformersBackend
from sociolect.lm.wordings import open_wording
from sociolect.scratch.tokenizer import train_tokenizer
from sociolect.settings.models import ScratchTokenizer
from sociolect.settings.steering import ActivationSettings
from sociolect.steering.activations import attribute_vectors, locate
from spoken import spaced_tokenizer
from tiny_models import tiny_reader

torch.set_num_threads(1)
TEXT = "You use short words. You use a comma. You write a text. Write a short text."


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> TransformersBackend:
    return tiny_reader(tmp_path_factory.mktemp("lm"), TEXT)


def catalogue(*attributes: str) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "attribute_id": [f"a{i}" for i in range(len(attributes))],
            "attribute": attributes,
            "you_sentence": [f"You use {a}." for a in attributes],
        }
    )


def direct(backend: TransformersBackend, text: str, position: int) -> np.ndarray:
    with torch.inference_mode(), read_blocks(backend.model, range(3)) as seen:
        backend.model(input_ids=torch.tensor([encode_prompt(backend.tokenizer, text)]))
    return np.stack([seen[layer][0, position].numpy() for layer in range(3)])


@pytest.mark.parametrize("kind", ["word", "bpe"])
@pytest.mark.parametrize("role", ["raw", "system", "user"])
def test_the_last_content_token_is_read(kind: Any, role: Any) -> None:
    tokenizer: Any = train_tokenizer([TEXT] * 3, ScratchTokenizer(kind=kind, vocabulary=320))
    wording = open_wording(tokenizer, None)
    last = locate(wording, "You use short words.", "short words", ActivationSettings(role=role))
    mean = locate(wording, "You use short words.", "short words", ActivationSettings(role=role, token="mean"))
    assert mean.positions[-1:] == last.positions and len(mean.positions) >= 2
    assert tokenizer.decode([mean.ids[i] for i in mean.positions]).strip() == "short words"
    assert tokenizer.convert_ids_to_tokens(mean.ids[0]) == "<bos>" and 0 not in mean.positions
    assert tokenizer.decode([last.ids[last.positions[0] + 1]]).strip() == "."


@pytest.mark.parametrize(
    ("role", "tokens"),
    [
        ("system", "<s>|You| use| short| words.|\n|\n|Question:| Write| a| text.|\n|Answer:"),
        ("user", "<s>|Question:| You| use| short| words.|\n|Answer:"),
        ("raw", "<s>|You| use| short| words."),
    ],
)
def test_the_sentence_is_found_in_a_document(role: Any, tokens: str) -> None:
    wording = open_wording(spaced_tokenizer(), "document")
    settings = ActivationSettings(role=role, token="mean", request="Write a text.")
    reading = locate(wording, "You use short words.", "short words", settings)
    assert wording.tokenizer.convert_ids_to_tokens(list(reading.ids)) == tokens.split("|")
    read = wording.tokenizer.convert_ids_to_tokens([reading.ids[i] for i in reading.positions])
    assert read == [" short", " words."]


class Silent:
    """Ends every text at a stop string, before its first token."""

    one_queue = guides = False
    context = None
    end_token: int | None = None
    tokenizer: Any = None

    def __init__(self) -> None:
        self.ends: set[int] = set()
        self.stops: set[tuple[str, ...]] = set()

    def info(self) -> dict[str, Any]:
        return {}

    def generate(self, requests: Sequence[Request], progress: Any = None) -> Iterator[Result]:
        self.stops |= {request.stop for request in requests}
        yield from (Result(request.id, (), "", "stop_string") for request in requests)

    def close(self) -> None:
        pass


def test_where_nothing_is_generated_the_end_of_the_prompt_is_read(backend: TransformersBackend) -> None:
    wording, silent = open_wording(backend.tokenizer, "document"), Silent()
    settings = ActivationSettings(source="greedy", contrast="raw", role="raw")
    frame = attribute_vectors(backend, wording, catalogue("a comma"), settings, 1, generator=silent)
    ids = wording.encode("You use a comma.", rendered=False)
    found = matrix(frame["vector"])
    with torch.inference_mode(), read_blocks(backend.model, range(3)) as seen:
        backend.model(input_ids=torch.tensor([ids]))
    assert np.allclose(found, np.stack([seen[layer][0, -1].numpy() for layer in range(3)]), atol=1e-6)
    assert silent.stops == {wording.stop} and wording.stop


class Thinker(Silent):
    """A backend that thinks two tokens, answers with one, and then ends."""

    end_token = 3

    def generate(self, requests: Sequence[Request], progress: Any = None) -> Iterator[Result]:
        yield from (Result(request.id, (9,), "", "stop", (7, 8)) for request in requests)


def test_generated_tokens_are_read_after_thoughts_that_do_not_count(backend: TransformersBackend) -> None:
    wording = open_wording(backend.tokenizer, "document")
    settings = ActivationSettings(source="greedy", contrast="raw", role="raw")
    frame = attribute_vectors(backend, wording, catalogue("a comma"), settings, 1, generator=Thinker())
    ids = wording.encode("You use a comma.", rendered=False)
    with torch.inference_mode(), read_blocks(backend.model, range(3)) as seen:
        backend.model(input_ids=torch.tensor([[*ids, 7, 8, 9, 3]]))
    wanted = np.stack([seen[layer][0, -2:].mean(dim=0).numpy() for layer in range(3)])
    assert np.allclose(matrix(frame["vector"]), wanted, atol=1e-6)


def test_forward_reading_and_contrasts(backend: TransformersBackend) -> None:
    attributes = catalogue("short words", "a comma")

    def read(**settings: Any) -> np.ndarray:
        frame = attribute_vectors(
            backend, open_wording(backend.tokenizer, None), attributes, ActivationSettings(**settings), 1
        )
        check_table(frame, ACTIVATIONS, "test")
        assert frame.select("attribute_id", "layer").rows() == [(a, layer) for a in ("a0", "a1") for layer in range(3)]
        return matrix(frame["vector"]).reshape(2, 3, 32)

    text = render_chat(backend.tokenizer, "You use a comma.", "Write a short text.")
    tokens = backend.tokenizer.convert_ids_to_tokens(encode_prompt(backend.tokenizer, text))
    position = next(i for i, token in enumerate(tokens) if token.endswith("comma"))
    raw = read(contrast="raw")
    assert np.allclose(raw[1], direct(backend, text, position), atol=1e-6)
    centered = read(contrast="centred")
    assert np.allclose(centered.mean(axis=0), 0, atol=1e-6)
    assert np.allclose(centered, raw - raw.mean(axis=0), atol=1e-6)
    neutral = read(contrast="neutral", neutral="You use a comma.")
    # the same sentence read to its last word: nothing is left
    assert np.allclose(neutral[1], 0, atol=1e-6) and np.abs(neutral[0]).max() > 1e-3
    assert np.allclose(read(contrast="raw", batch_tokens=1), raw, atol=1e-6)


def test_recorded_token_and_errors(backend: TransformersBackend) -> None:
    frame = attribute_vectors(
        backend, open_wording(backend.tokenizer, None), catalogue("short words"), ActivationSettings(contrast="raw"), 1
    )
    assert set(frame["token"].str.strip_chars()) == {"words"}
    assert frame["token_id"][0] == backend.tokenizer.convert_tokens_to_ids("▁words")
    with pytest.raises(InputError, match="'dots' is not found in the rendered prompt"):
        locate(open_wording(backend.tokenizer, None), "You use a comma.", "dots", ActivationSettings())


def test_greedy_is_deterministic_and_sampled_follows_the_seed(backend: TransformersBackend) -> None:
    def read(source: Any, seed: int) -> np.ndarray:
        settings = ActivationSettings(source=source, samples=2, max_new_tokens=4, contrast="raw")
        return matrix(
            attribute_vectors(
                backend, open_wording(backend.tokenizer, None), catalogue("short words", "a comma"), settings, seed
            )["vector"]
        )

    assert np.array_equal(read("greedy", 1), read("greedy", 2))
    assert np.array_equal(read("sampled", 1), read("sampled", 1))
    assert not np.allclose(read("sampled", 1), read("sampled", 2))
    assert not np.allclose(read("sampled", 1), read("greedy", 1))
