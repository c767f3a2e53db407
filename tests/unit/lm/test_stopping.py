"""Stop strings: where a text ends, in tokens and in characters, and that a backend goes no further."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch

from sociolect.lm.requests import Request, SteerRef, result_of, write_vectors
from sociolect.lm.stopping import StopWatch, first_stop
from sociolect.lm.transformers_backend import TransformersBackend
from tiny_models import save_speaker, word_tokenizer

torch.set_num_threads(1)


@contextmanager
def rows_of_passes(backend: TransformersBackend) -> Iterator[list[int]]:
    """How many rows each forward pass has while the context is open."""
    seen: list[int] = []
    handle = backend.model.base_model.register_forward_hook(lambda module, args, output: seen.append(len(output[0])))
    yield seen
    handle.remove()


def test_the_first_of_several_ends_the_text() -> None:
    assert first_stop("one two three", ("three", "two", "four")) == 4
    assert first_stop("one", ("two",)) is None and first_stop("one", ()) is None


def test_text_and_tokens_end_before_the_stop_string() -> None:
    tokenizer = word_tokenizer()
    ids = tokenizer("waa wab wac wad", add_special_tokens=False)["input_ids"]
    end = tokenizer.eos_token_id

    def cut(*stop: str) -> tuple[str, tuple[int, ...], str]:
        result = result_of(Request("r", (2,), 9, 0.0, 1.0, 0, stop=stop), [*ids, end], {end}, tokenizer)
        return result.text, result.token_ids, result.finish_reason

    assert cut() == ("waa wab wac wad", tuple(ids), "stop")
    # the space before "wac" belongs to that token
    assert cut("wac") == ("waa wab ", tuple(ids[:2]), "stop_string")
    # inside a token: it goes as a whole, its first letters stay in the text
    assert cut("ad", "b wac") == ("waa wa", tuple(ids[:1]), "stop_string")


class Bytes:
    """A tokenizer whose tokens are bytes: an emoji has four characters until its last token is there."""

    def decode(self, ids: Sequence[int], **_: bool) -> str:
        return bytes(ids).decode("utf-8", errors="replace")


def test_the_cut_does_not_depend_on_what_follows_nor_on_letters_of_several_bytes() -> None:
    kept = "a" * 31 + "\U0001f600"
    request = Request("r", (2,), 90, 0.0, 1.0, 0, stop=("\n\n\n",))
    for more in ("", "x", "\U0001f600\U0001f600 and on and on"):
        result = result_of(request, list(f"{kept}\n\n\n{more}".encode()), {0}, Bytes())
        assert (result.text, bytes(result.token_ids).decode()) == (kept, kept)


def test_a_stop_string_is_seen_when_its_last_token_comes() -> None:
    tokenizer = word_tokenizer()
    ids = tokenizer("waa wab wac wab wac", add_special_tokens=False)["input_ids"]
    watch = StopWatch([("wab wac",), ()], tokenizer)
    seen = [watch.take([0, 1], [token, token]) for token in ids]
    assert [row for row, _ in seen] == [False, False, True, True, True] and not any(row for _, row in seen)
    assert watch.needed and not StopWatch([()], tokenizer).needed


def test_the_backend_ends_a_row_there_and_leaves_the_others(tmp_path: Path) -> None:
    backend = TransformersBackend(save_speaker(tmp_path, word_tokenizer()), 10_000, device="cpu")
    backend.ends = set()
    made = [Request(f"{i}", (2, 15 + i, 22), 30, 1.0, 1.0, i) for i in range(12)]
    whole = {r.id: r for r in backend.generate(made)}
    stop = whole["3"].text.split()[4]
    stopping = [Request(**{**vars(r), "stop": (stop,)}) for r in made]
    with rows_of_passes(backend) as passes:
        found = {r.id: r for r in backend.generate(stopping)}
    for name, result in found.items():
        at = whole[name].text.find(stop)
        assert result.text == (whole[name].text if at < 0 else whole[name].text[:at])
        assert result.finish_reason == ("length" if at < 0 else "stop_string")
    assert found["3"].finish_reason == "stop_string" and {r.finish_reason for r in found.values()} != {"stop_string"}
    # rows that have ended leave the batch
    assert passes[-1] < 12


def test_a_prompt_that_requests_share_is_read_once(tmp_path: Path) -> None:
    backend = TransformersBackend(save_speaker(tmp_path, word_tokenizer()), 10_000, device="cpu")
    made = [Request(f"{i:02d}", ((2, 15, 22), (2, 16, 23, 24))[i % 2], 6, 1.0, 1.0, i) for i in range(10)]
    with rows_of_passes(backend) as passes:
        together = {r.id: r for r in backend.generate(made)}
    assert passes[0] == 2 and passes[1] > 2
    assert all(list(backend.generate([r])) == [together[r.id]] for r in made)
    assert len({r.text for r in together.values()}) > 5


def test_a_shared_prompt_is_shared_by_those_alone_whose_prompt_is_steered_alike(tmp_path: Path) -> None:
    backend = TransformersBackend(save_speaker(tmp_path / "lm", word_tokenizer()), 10_000, device="cpu")
    file = tmp_path / "v.safetensors"
    draw = torch.Generator().manual_seed(3)
    write_vectors({key: torch.randn(3, 32, generator=draw) for key in "ab"}, file)
    ways = [None, *(SteerRef(str(file), k, (0, 1, 2), 3.0, p) for p in ("generated", "last", "all") for k in "ab")]
    made = [Request(f"{i}", (2, 15, 22, 31), 6, 0.0, 1.0, 0, way) for i, way in enumerate(ways)]
    with rows_of_passes(backend) as passes:
        together = {r.id: r for r in backend.generate(made)}
    # unsteered and generated alike; last and all, each by two vectors
    assert passes[0] == 5
    assert all(list(backend.generate([r])) == [together[r.id]] for r in made)
    assert len({r.token_ids for r in together.values()}) > 4
