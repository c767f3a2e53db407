"""Whether what is added to blocks is what steering-vectors and repeng add: logits of tiny random models, compared.

The same addition, in the packages' words, for vectors {block: [d]} and a strength:

- steering-vectors: `SteeringVector(vectors).apply(model, multiplier=strength, min_token_index=first)`. It adds to the
  output of the decoder blocks, counted from 0, at all tokens from `first` on; padding, too.
- repeng: `ControlModel(model, blocks)` and `set_control(ControlVector(type, arrays), strength)`. It adds to the output
  of the blocks that it has put itself around, and normalizes nothing unless told to: with `normalize=True` it scales
  each token to its norm before, which is mode `rotate` here. A batch needs `position_ids` of its own shape (those of
  transformers 5 have one row, which it cannot reshape); tokens before position 0, padding, are left alone. It knows
  no GPT-NeoX.

Neither divides the strength by the number of blocks: `add_to_blocks` gets the additions as they are.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from rich.console import Console
from rich.table import Table

from measuring import Row, as_program, hush_transformers, machine, write_rows
from sociolect.common.errors import InputError
from sociolect.lm.hooks import add_to_blocks, blocks_of, change_blocks, width_of
from sociolect.lm.row_steering import turned

LIMIT = 1e-5
# what a wrong block must change at least, or the comparison is worth nothing
VISIBLE = 1000 * LIMIT
BLOCKS, WIDTH, VOCABULARY, TOKENS = 4, 32, 64, 12
STRENGTHS = (-1.0, 0.5, 2.0, 8.0)
STEERING_VECTORS, REPENG = "steering-vectors", "repeng"


@dataclass(frozen=True)
class Case:
    """Where and how vectors are put: blocks, first token, mode `add` or `rotate`."""

    blocks: tuple[int, ...]
    first: int = 0
    mode: str = "add"


ALONE, EVERY = [(block,) for block in range(BLOCKS)], tuple(range(BLOCKS))
CASES = {
    STEERING_VECTORS: [Case(blocks, first) for blocks in (*ALONE, (1, 2), EVERY) for first in (0, 5)],
    REPENG: [Case(blocks, 0, mode) for mode in ("add", "rotate") for blocks in (*ALONE, (1, 2), EVERY)],
}


def tiny_models() -> dict[str, Any]:
    """Models whose weights are large enough for every block to matter."""
    common = {"vocab_size": VOCABULARY, "initializer_range": 0.2, "bos_token_id": None, "eos_token_id": None}
    plain = {"hidden_size": WIDTH, "intermediate_size": 2 * WIDTH}
    size = {"num_hidden_layers": BLOCKS, "num_attention_heads": 4, "max_position_embeddings": 2 * TOKENS}
    small = {"n_embd": WIDTH, "n_layer": BLOCKS, "n_head": 4, "n_positions": 2 * TOKENS}
    kinds: dict[str, tuple[Any, Any, dict[str, int]]] = {
        "Llama": (transformers.LlamaConfig, transformers.LlamaForCausalLM, plain | size),
        "GPT-2": (transformers.GPT2Config, transformers.GPT2LMHeadModel, small),
        "GPT-NeoX": (transformers.GPTNeoXConfig, transformers.GPTNeoXForCausalLM, plain | size),
    }
    made = {}
    for seed, (name, (config, model, sizes)) in enumerate(kinds.items()):
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            made[name] = model(config(**common, **sizes)).eval()
    return made


def logits_of(model: Any, ids: torch.Tensor) -> torch.Tensor:
    """Logits [batch, tokens, vocabulary] of prompts without padding."""
    return model(input_ids=ids, position_ids=torch.arange(ids.shape[1]).expand_as(ids)).logits


def ours(model: Any, ids: torch.Tensor, vectors: torch.Tensor, case: Case, strength: float) -> torch.Tensor:
    """Logits with this project's hooks, for vectors [blocks of the model, d]."""
    where = (torch.arange(ids.shape[1]) >= case.first).unsqueeze(1)
    additions = {block: strength * vectors[block] * where for block in case.blocks}
    hooks: AbstractContextManager[None] = add_to_blocks(model, additions)
    if case.mode == "rotate":
        hooks = change_blocks(model, {block: partial(turned, addition=d) for block, d in additions.items()})
    with hooks:
        return logits_of(model, ids)


def with_steering_vectors(
    model: Any, ids: torch.Tensor, vectors: torch.Tensor, case: Case, strength: float
) -> torch.Tensor:
    """The same with steering-vectors."""
    from steering_vectors import SteeringVector

    steering = SteeringVector({block: vectors[block] for block in case.blocks})
    with steering.apply(model, multiplier=strength, min_token_index=case.first):
        return logits_of(model, ids)


def with_repeng(model: Any, ids: torch.Tensor, vectors: torch.Tensor, case: Case, strength: float) -> torch.Tensor:
    """The same with repeng.

    Raises:
        ValueError: it does not know the architecture.
    """
    # repeng 0.4 names it when it is imported; NumPy 2 has it no more
    numpy: Any = np
    numpy.float_ = np.float64
    from repeng import ControlModel, ControlVector

    control = ControlModel(model, case.blocks)
    try:
        directions = {block: vectors[block].numpy() for block in case.blocks}
        vector = ControlVector(model.config.model_type, directions)
        control.set_control(vector, strength, normalize=case.mode == "rotate")
        return logits_of(control, ids)
    finally:
        control.unwrap()


PEERS: dict[str, Callable[..., torch.Tensor]] = {STEERING_VECTORS: with_steering_vectors, REPENG: with_repeng}


@torch.inference_mode()
def compare(name: str, model: Any, peer: str, conditions: dict[str, Any]) -> Iterator[Row]:
    """A row for each case of a peer on a model: the largest difference of logits over the strengths.

    Raises:
        InputError: the comparison would not see vectors at a wrong block.
    """
    draw = torch.Generator().manual_seed(30)
    ids = torch.randint(VOCABULARY, (3, TOKENS), generator=draw)
    vectors = torch.randn(len(blocks_of(model)), width_of(model), generator=draw)
    plain = logits_of(model, ids)
    for case in CASES[peer]:
        where = conditions | {
            "model": name, "mode": case.mode, "blocks": list(case.blocks), "first_token": case.first,
            "strengths": STRENGTHS, "limit": LIMIT,
        }  # fmt: skip
        title = f"{peer}: {name}, {case.mode}, blocks {named(case.blocks)}, tokens from {case.first}"
        unit = "largest |difference| of logits"
        try:
            theirs = [PEERS[peer](model, ids, vectors, case, strength) for strength in STRENGTHS]
        except ValueError as error:
            yield Row(title, None, unit, peer, conditions=where | {"note": str(error)})
            continue
        mine = [ours(model, ids, vectors, case, strength) for strength in STRENGTHS]
        # the same vectors, each one block on
        beside = Case(tuple((block + 1) % BLOCKS for block in case.blocks), case.first, case.mode)
        wrong = [ours(model, ids, vectors.roll(1, 0), beside, strength) for strength in STRENGTHS]
        found, moved = most(mine, theirs), most(mine, [plain] * len(mine))
        seen = most(wrong, theirs)
        if not seen > VISIBLE:
            raise InputError(f"{title}: vectors at a wrong block change logits by {seen:.2g} only: compares nothing")
        yield Row(title, found, unit, peer, found / moved, where | {"moved": moved, "wrong_block": seen})


def most(some: Sequence[torch.Tensor], others: Sequence[torch.Tensor]) -> float:
    """Largest absolute difference; infinite if one is not a number."""
    found = max(float((a - b).abs().max().nan_to_num(torch.inf)) for a, b in zip(some, others, strict=True))
    return found


def named(blocks: Sequence[int]) -> str:
    """Blocks for people."""
    return "all" if tuple(blocks) == EVERY else "+".join(map(str, blocks))


def run_benchmark(arguments: Sequence[str] | None = None) -> list[Row]:
    """Compare, print and write.

    Raises:
        InputError: a package is missing, or logits differ by more than LIMIT.
    """
    flags = parse(arguments)
    torch.set_num_threads(flags.threads)
    hush_transformers()
    try:
        versions = {peer: version(peer) for peer in PEERS}
    except PackageNotFoundError as error:
        raise InputError(f"{error.name} is not installed: run `make bench WHAT=peers`") from error
    conditions = machine(torch.device("cpu")) | {"transformers": transformers.__version__, "dtype": "float32"}
    rows = [
        row
        for name, model in tiny_models().items()
        for peer in PEERS
        for row in compare(name, model, peer, conditions | {"version": versions[peer]})
    ]
    show(rows, Console(width=None if sys.stdout.isatty() else 120))
    if flags.json:
        write_rows(rows, flags.json)
    off = [row for row in rows if row.value is not None and not row.value <= LIMIT]
    if off:
        raise InputError(f"{off[0].name}: logits differ by {off[0].value:.3g}, allowed {LIMIT:g}; {len(off)} such rows")
    return rows


def show(rows: Sequence[Row], console: Console) -> None:
    """Print the largest figure of each package, model and mode."""
    first = rows[0].conditions
    table = Table(title=f"largest difference of logits; torch {first['torch']}, transformers {first['transformers']}")
    for head in ("package", "model", "mode", "cases", "difference", "steering moves", "a block on"):
        table.add_column(head, justify="left" if head in ("package", "model", "mode") else "right")
    groups: dict[tuple[str, str, str], list[Row]] = {}
    for row in rows:
        where = row.conditions
        groups.setdefault((f"{row.baseline} {where['version']}", where["model"], where["mode"]), []).append(row)
    for key, some in groups.items():
        if any(row.value is None for row in some):
            table.add_row(*key, "0", "not supported", "-", "-")
            continue
        moved, wrong = (min(row.conditions[name] for row in some) for name in ("moved", "wrong_block"))
        worst = max(row.value for row in some if row.value is not None)
        count = len(some) * len(STRENGTHS)
        table.add_row(*key, str(count), f"{worst:.2g}", f"{moved:.2g} or more", f"{wrong:.2g} or more")
    console.print(table)


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Flags."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="file for the rows")
    parser.add_argument("--threads", type=int, default=1, help="threads of torch")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    as_program(run_benchmark)
