"""How fast steered text is generated, against what a user would run instead, in one run and on the same prompts.

Contenders: transformers.generate (its best batch size), the manner of the steering packages (one vector per call), this
project's two backends with 1, 8 and 32 vectors in one batch and with one call per vector, and vLLM by itself.

They take turns. The model of transformers is in this process; each engine of vLLM is in one of its own, which sleeps
while others have their turn and says itself what a turn took. Where the engines do not fit into a GPU's memory
together, each is started anew for its turns, untimed. Without vLLM the transformers side is measured alone.
docs/benchmarks.md says how to read what this prints.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")

import torch
import transformers
from rich.console import Console
from rich.table import Table

from comparing import percent, print_doubts, speed_conditions, speed_rows, target_rows, targets_table
from engines import Answers, Engine, EngineSpec, Tokens, answers_of, generate_answers, peer_answers
from language_models import (
    DTYPES,
    SHAPES,
    LanguageShape,
    Steered,
    Work,
    build_language_model,
    link_language_model,
    make_vectors,
)
from measuring import (
    Row,
    Spent,
    Turns,
    add_flags,
    alternate,
    as_program,
    hush_transformers,
    machine,
    search_sizes,
    settle,
    teller,
    write_rows,
)
from sociolect.common.errors import InputError
from sociolect.lm.transformers_backend import TransformersBackend
from sociolect.models.loading import load_causal_lm
from sociolect.settings.vllm import VllmSettings

UNIT = "output tokens/s"
ALONE = "vLLM cannot be imported here: the transformers side alone"
BATCH_SIZES = (32, 64, 128, 256)
# of first tokens that agree with the transformers backend's; rounding overturns some in bfloat16
AGREEING = 0.5
GENERATE, PEER = "transformers.generate, unsteered", "transformers.generate, one vector a call"
TRANSFORMERS, VLLM = "transformers backend", "vLLM backend"
PLAIN, INSTALLED = "vLLM alone, eager, unsteered", "vLLM alone, as installed, unsteered"
MIXED, EVERYWHERE, BY_VECTOR = "32 vectors", "32 vectors, all layers", "32 vectors, one call each"

TARGETS = (
    (f"{VLLM}, {MIXED}", f"{TRANSFORMERS}, {MIXED}", 2.0),
    (f"{VLLM}, {EVERYWHERE}", f"{TRANSFORMERS}, {EVERYWHERE}", 2.0),
    (f"{VLLM}, {MIXED}", PLAIN, 0.9),
    (f"{VLLM}, {EVERYWHERE}", PLAIN, 0.9),
    (f"{VLLM} (compiled), {MIXED}", INSTALLED, 0.9),
    (f"{VLLM}, {MIXED}", f"{VLLM}, {BY_VECTOR}", 2.0),
)
BASELINES = (GENERATE, f"{TRANSFORMERS}, {MIXED}", PLAIN)


@dataclass(frozen=True)
class Contender:
    """Who is measured.

    Attributes:
        engine: name of the engine of vLLM that answers; None for the models in this process.
        steered: how its requests are.
        grouped: one call per vector.
        note: what else there is to say of it.
    """

    engine: str | None
    steered: Steered
    grouped: bool = False
    note: str = ""


def contenders_of(quick: bool) -> dict[str, Contender]:
    """All contenders, in the order of their turns."""
    mixed, everywhere = Steered(32), Steered(32, everywhere=True)
    manner = "as steering-vectors and repeng do: a hook of its own code, generate for all requests of a vector"
    found = {
        GENERATE: Contender(None, Steered()),
        PEER: Contender(None, mixed, note=manner),
        f"{TRANSFORMERS}, unsteered": Contender(None, Steered()),
        f"{TRANSFORMERS}, {MIXED}": Contender(None, mixed),
        f"{TRANSFORMERS}, {EVERYWHERE}": Contender(None, everywhere),
        PLAIN: Contender(PLAIN, Steered(), note="vllm.LLM with enforce_eager=True, nothing of this project"),
        f"{VLLM}, unsteered": Contender("eager", Steered()),
        f"{VLLM}, 1 vector": Contender("eager", Steered(1)),
        f"{VLLM}, 8 vectors": Contender("eager", Steered(8)),
        f"{VLLM}, {MIXED}": Contender("eager", mixed),
        f"{VLLM}, {EVERYWHERE}": Contender("eager", everywhere),
        f"{VLLM}, {BY_VECTOR}": Contender("eager", mixed, grouped=True),
    }
    if quick:
        return found
    return found | {
        f"{VLLM} (one_vector), {MIXED}": Contender("one_vector", mixed, note="one call per vector, too"),
        INSTALLED: Contender(INSTALLED, Steered(), note="vllm.LLM with torch.compile, and CUDA graphs on a GPU"),
        f"{VLLM} (compiled), unsteered": Contender("compiled", Steered()),
        f"{VLLM} (compiled), {MIXED}": Contender("compiled", mixed),
        f"{VLLM} (compiled), {EVERYWHERE}": Contender("compiled", everywhere),
    }


class Engines:
    """The engines of vLLM that contenders need.

    Args:
        specs: name -> how it is made.
        work: the requests.
        alive: whether all stay alive; else one at a time.

    Attributes:
        notes: why an engine did not start, by name.
        version: of vLLM, once one has started.
    """

    def __init__(self, specs: Mapping[str, EngineSpec], work: Work, alive: bool) -> None:
        self._engines = {name: Engine(spec, work) for name, spec in specs.items()}
        self._alive = alive
        self.notes: dict[str, str] = {}
        self.version: str | None = None

    def answers(self, contender: Contender) -> Tokens | None:
        """What a contender answers to call 0; None if its engine does not start, or vLLM is missing altogether."""
        name = str(contender.engine)
        if name in self.notes:
            return None
        engine = self._running(name)
        if engine.failure:
            lost = list(self._engines) if engine.missing else [name]
            self.notes |= dict.fromkeys(lost, ALONE if engine.missing else f"did not start: {engine.failure}")
            return None
        self.version = engine.version
        return engine.answers(0, contender.steered, contender.grouped, greedy=True)

    def spent(self, contender: Contender, number: int) -> Spent:
        """What a call takes."""
        name = str(contender.engine)
        engine = self._running(name, partial(self.answers, contender))
        return engine.spent(number, contender.steered, contender.grouped)

    def stop(self) -> None:
        """End all."""
        for engine in self._engines.values():
            engine.stop()

    def _running(self, name: str, warm: Callable[[], Any] = lambda: None) -> Engine:
        engine = self._engines[name]
        if not engine.running:
            if not self._alive:
                self.stop()
            engine.start()
            warm()
        return engine


def engine_specs(
    names: Sequence[str], folder: Path, shape: LanguageShape, work: Work, flags: argparse.Namespace
) -> tuple[dict[str, EngineSpec], bool]:
    """How the engines are made, and whether all can be alive at once."""
    alive, settings = True, VllmSettings(max_sequences=flags.max_sequences, context=work.context)
    if flags.device == "cpu":
        # all that are under way have room
        tokens = min(work.n_requests, flags.max_sequences) * (work.context + 32)
        gib = shape.cache_bytes(tokens, DTYPES[flags.dtype].itemsize) / 2**30
        settings = settings.model_copy(update={"cache_gib": max(1.0, gib)})
    else:
        total = torch.cuda.get_device_properties(0).total_memory
        share, alive = memory_share(shape.parameters * DTYPES[flags.dtype].itemsize, len(names), total)
        settings = settings.model_copy(update={"memory_share": share})
    make = partial(EngineSpec, folder, flags.dtype, flags.threads)
    specs = {}
    for name in names:
        if name in (PLAIN, INSTALLED):
            specs[name] = make(settings, plain=True, compiled=name == INSTALLED)
        else:
            specs[name] = make(settings.model_copy(update={"steering": name}))
    return specs, alive


def memory_share(weights: int, n_engines: int, total: int) -> tuple[float, bool]:
    """Share of a GPU's memory that each engine gets, and whether all can be alive at once.

    Args:
        weights: bytes of the model.
        n_engines: how many there are.
        total: bytes of the GPU.
    """
    # the model of transformers stays, with the caches of a batch
    free = 0.92 * total - 1.2 * weights - 8 * 2**30
    if free <= 0:
        raise InputError(f"a model of {weights / 2**30:.0f} GiB and an engine of it do not fit into this GPU's memory")
    alive = free / n_engines >= 1.2 * weights + 4 * 2**30
    return free / total / (n_engines if alive else 1), alive


def measure(flags: argparse.Namespace, device: torch.device, folder: Path) -> list[Row]:
    """All rows."""
    name = flags.model.name if flags.model else flags.shape
    say, model_folder = teller(name), folder / "model"
    shape = make_model(flags, device, model_folder)
    backend = TransformersBackend(model_folder, 1, flags.dtype, str(device))
    # float32 weights on a CPU are packed by the backend: others have them as they are
    packed = device.type == "cpu" and flags.dtype == "float32"
    theirs = load_causal_lm(model_folder, flags.dtype, str(device)) if packed else backend.model
    work = make_work(flags, backend, shape, folder / "vectors.safetensors")
    say(f"{shape.parameters / 1e6:.0f} million weights; {flags.requests} requests, {flags.new_tokens} new tokens each")
    searched = search_batch_size(flags, theirs, work, device, say)
    backend.batch_tokens = flags.batch_size * work.context
    contenders = {n: c for n, c in contenders_of(flags.quick).items() if n != PEER or "peer" not in flags.without}
    here: dict[str, Answers] = {
        GENERATE: generate_answers(theirs, flags.batch_size),
        PEER: peer_answers(theirs, flags.batch_size),
        f"{TRANSFORMERS}, unsteered": answers_of(backend),
        f"{TRANSFORMERS}, {MIXED}": answers_of(backend),
        f"{TRANSFORMERS}, {EVERYWHERE}": answers_of(backend),
    }
    with ExitStack() as stack:
        names = list(dict.fromkeys(c.engine for c in contenders.values() if c.engine is not None))
        specs, alive = engine_specs(names, model_folder, shape, work, flags)
        engines = Engines(specs, work, alive)
        stack.callback(engines.stop)
        if "vllm" in flags.without or importlib.util.find_spec("vllm") is None:
            note = "left out: --without vllm" if "vllm" in flags.without else ALONE
            engines.notes |= dict.fromkeys(names, note)
        agreeing = check_contenders(contenders, here, engines, backend, work, say)
        calls = timed_calls(contenders, here, engines, work)
        turns = alternate(calls, flags.rounds, flags.seconds, device, say, budget=flags.budget)
    conditions = machine(device) | {
        "shape": f"model of {shape.parameters / 1e6:.0f} million weights ({flags.model.name})"
        if flags.model
        else f"Llama of {shape.parameters / 1e6:.0f} million random weights ({flags.shape})",
        "layers": shape.layers,
        "dtype": flags.dtype,
        "requests": flags.requests,
        "prompt_tokens": "{} to {}".format(*flags.prompt),
        "new_tokens": flags.new_tokens,
        "temperature": flags.temperature,
        "top_p": flags.top_p,
        "batch_size": flags.batch_size,
        "max_sequences": flags.max_sequences,
        "transformers": transformers.__version__,
        "vllm": engines.version,
        "engines": "all alive" if alive else "started anew for each turn",
    }
    return report_rows(contenders, turns, engines.notes, agreeing, searched, conditions)


def make_model(flags: argparse.Namespace, device: torch.device, folder: Path) -> LanguageShape:
    """Put the model that is measured into this folder: a real one, or one of random weights."""
    if flags.model:
        return link_language_model(flags.model, folder)
    shape = SHAPES[flags.shape]
    build_language_model(shape, flags.dtype, sum(flags.prompt) + flags.new_tokens, device, folder)
    return shape


def make_work(flags: argparse.Namespace, backend: TransformersBackend, shape: LanguageShape, file: Path) -> Work:
    """The requests, with their vectors in this file."""
    make_vectors(backend.model, file)
    prompt = (flags.prompt[0], flags.prompt[1])
    return Work(
        str(file),
        shape.layers,
        shape.vocabulary,
        flags.requests,
        prompt,
        flags.new_tokens,
        flags.temperature,
        flags.top_p,
    )


def search_batch_size(
    flags: argparse.Namespace, model: Any, work: Work, device: torch.device, say: Callable[[str], None]
) -> dict[int, float]:
    """Set the batch size that suits transformers.generate best, if none was given; the speeds of those tried."""
    if flags.batch_size is not None:
        return {}
    sizes = [size for size in BATCH_SIZES if size <= max(flags.requests, BATCH_SIZES[0])]
    requests = work.requests(0, Steered())
    runs = {size: partial(generate_answers(model, size), requests) for size in sizes}
    searched = search_sizes(runs, flags.requests * flags.new_tokens, device, say)
    flags.batch_size = max(searched, key=lambda size: searched[size])
    return searched


def check_contenders(
    contenders: Mapping[str, Contender],
    here: Mapping[str, Answers],
    engines: Engines,
    backend: TransformersBackend,
    work: Work,
    say: Callable[[str], None],
) -> dict[str, float]:
    """Let each contender answer once, which warms it up, and compare the answers.

    Returns:
        contender -> share of its answers whose first token is that of the transformers backend.

    Raises:
        InputError: a contender does other work than the others.
    """
    expected: dict[Steered, dict[str, int]] = {}
    for steered in dict.fromkeys(contender.steered for contender in contenders.values()):
        requests = [replace(r, max_new_tokens=1) for r in work.requests(0, steered, greedy=True)]
        expected[steered] = {name: ids[0] for name, ids in answers_of(backend)(requests).items()}
    for steered, tokens in expected.items():
        if steered.vectors and share_of(tokens, expected[Steered()]) > AGREEING / 2:
            raise InputError("the vectors hardly change what the model says: agreement would mean nothing")
    found = {}
    for name, contender in contenders.items():
        if contender.engine is None:
            answers: Tokens | None = here[name](work.requests(0, contender.steered, greedy=True))
        else:
            answers = engines.answers(contender)
        if answers is None:
            say(f"{name}: {engines.notes[str(contender.engine)]}")
            continue
        found[name] = check_answers(name, answers, expected[contender.steered], work.new_tokens)
        say(f"checked: {name}")
    return found


def check_answers(name: str, answers: Tokens, expected: Mapping[str, int], new_tokens: int) -> float:
    """Share of the answers whose first token is the expected one.

    Raises:
        InputError: answers are missing, short, or of another model or steering.
    """
    if answers.keys() != expected.keys() or {len(ids) for ids in answers.values()} != {new_tokens}:
        raise InputError(f"{name}: not {len(expected)} answers of {new_tokens} tokens; nothing is reported")
    share = share_of({key: ids[0] for key, ids in answers.items()}, expected)
    if share < AGREEING:
        raise InputError(
            f"{name}: {percent(share)} of its first tokens are those of the transformers backend, {percent(AGREEING)} "
            "are needed; it does not compute the same, nothing is reported"
        )
    return share


def share_of(tokens: Mapping[str, int], expected: Mapping[str, int]) -> float:
    """Share of the tokens that are the expected ones."""
    return sum(tokens[key] == token for key, token in expected.items()) / len(expected)


def timed_calls(
    contenders: Mapping[str, Contender], here: Mapping[str, Answers], engines: Engines, work: Work
) -> dict[str, tuple[int, Callable[[], Any]]]:
    """Tokens of a call and the call, of all contenders that take part; call 1, 2, ... of each has the same prompts."""

    def call_of(name: str, contender: Contender) -> Callable[[], Any]:
        numbers = count(1)
        if contender.engine is not None:
            return lambda: engines.spent(contender, next(numbers))
        return lambda: here[name](work.requests(next(numbers), contender.steered))

    units = work.n_requests * work.new_tokens
    return {n: (units, call_of(n, c)) for n, c in contenders.items() if c.engine not in engines.notes}


def report_rows(
    contenders: Mapping[str, Contender],
    turns: Mapping[str, Turns],
    notes: Mapping[str, str],
    agreeing: Mapping[str, float],
    searched: Mapping[int, float],
    conditions: Mapping[str, Any],
) -> list[Row]:
    """Rows of all contenders and of the targets."""
    rows = [
        Row(f"transformers.generate, batch {size}: search", speed, UNIT, conditions={**conditions, "rounds": 1})
        for size, speed in searched.items()
    ]
    for name, contender in contenders.items():
        where = {**conditions, "note": contender.note, "vectors": contender.steered.vectors}
        where["steered_layers"] = (
            "all" if contender.steered.everywhere else "middle" if contender.steered.vectors else "none"
        )
        if name not in turns:
            where["note"] = notes[str(contender.engine)]
            rows.append(Row(f"{name}: speed", None, UNIT, conditions=where))
            continue
        where |= speed_conditions(turns[name]) | {"same_first_token": agreeing[name]}
        rows += speed_rows(name, turns, BASELINES, UNIT, where)
    targets = [target for target in TARGETS if {*target[:2]} <= contenders.keys()]
    return [*rows, *target_rows(turns, targets, conditions)]


def show(rows: Sequence[Row], console: Console) -> None:
    """Print the rows as two tables."""
    values = {(row.name, row.baseline): row for row in rows}
    first = rows[0].conditions
    where = ", ".join(str(first[key]) for key in ("cpu", "gpu", "driver", "capability") if first.get(key))
    work = f"{first['requests']} requests, prompts of {first['prompt_tokens']} tokens, {first['new_tokens']} new ones"
    versions = ", ".join(f"{key} {first[key]}" for key in ("torch", "transformers", "vllm"))
    table = Table(
        title=f"{first['shape']}, {first['dtype']}; {work}; batches of {first['batch_size']}\n"
        f"{where}; {first['threads']} threads, {versions}"
    )
    heads = ("tokens/s", "min - max", "x generate", "x transformers backend", "x vLLM alone", "cores", "same token")
    table.add_column("contender")
    for head in heads:
        table.add_column(head, justify="right")
    for row in rows:
        if row.baseline or not row.name.endswith(": speed"):
            continue
        name = row.name.removesuffix(": speed")
        if row.value is None:
            table.add_row(name, *["-"] * len(heads))
            continue
        ratios = [values.get((row.name, other)) for other in BASELINES]
        table.add_row(
            name,
            f"{row.value:.4g}",
            f"{row.conditions['min']:.4g} - {row.conditions['max']:.4g}",
            *(f"{found.ratio:.2f}" if found and found.ratio is not None else "-" for found in ratios),
            percent(row.conditions["cores"]),
            percent(row.conditions["same_first_token"]),
        )
    console.print(table)
    for note in dict.fromkeys(row.conditions["note"] for row in rows if row.value is None):
        console.print(note)
    print_doubts(rows, console)
    console.print(targets_table(rows))


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Flags, with the defaults that depend on the device and on --quick."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="two minutes on two cores: a tiny model, fewer contenders")
    parser.add_argument("--shape", choices=SHAPES, help="of the model (default: 80m; --quick: tiny; GPU: 1.5b)")
    parser.add_argument("--model", type=Path, help="folder of a real model, in place of --shape")
    parser.add_argument("--dtype", choices=DTYPES, default="bfloat16", help="of the weights")
    parser.add_argument("--requests", type=int, help="of a call (default: 128; GPU: 256)")
    parser.add_argument("--prompt", type=int, nargs=2, default=[32, 96], metavar=("LEAST", "MOST"), help="its tokens")
    parser.add_argument("--new-tokens", type=int, help="of each answer (default: 64; --quick: 24; GPU: 128)")
    parser.add_argument("--temperature", type=float, default=0.0, help="0 is greedy")
    parser.add_argument("--top-p", type=float, default=1.0, help="nucleus; with a temperature above 0")
    parser.add_argument("--batch-size", type=int, help="of transformers (default: the best of several; --quick: 64)")
    parser.add_argument("--max-sequences", type=int, default=256, help="vLLM: most requests under way at once")
    add_flags(parser)
    parser.add_argument(
        "--without", choices=["vllm", "peer"], nargs="+", default=[],
        help="vllm: the transformers side alone; peer: not the manner of the steering packages, the slowest by far",
    )  # fmt: skip
    flags = parser.parse_args(arguments)

    def defaults(gpu: bool) -> dict[str, Any]:
        return {
            "shape": "tiny" if flags.quick else "1.5b" if gpu else "80m",
            "requests": 256 if gpu else 128,
            "new_tokens": 24 if flags.quick else 128 if gpu else 64,
            "batch_size": 64 if flags.quick else None,
        }

    settle(flags, defaults)
    return flags


def run_benchmark(arguments: Sequence[str] | None = None) -> list[Row]:
    """Measure, print and write.

    Raises:
        InputError: contenders do not do the same work.
    """
    flags = parse(arguments)
    hush_transformers()
    # the engines' processes have it from here
    os.environ["OMP_NUM_THREADS"] = str(flags.threads)
    torch.set_num_threads(flags.threads)
    with tempfile.TemporaryDirectory() as folder:
        rows = measure(flags, torch.device(flags.device), Path(folder))
    show(rows, Console(width=None if sys.stdout.isatty() else 170))
    if flags.json:
        write_rows(rows, flags.json)
    return rows


if __name__ == "__main__":
    as_program(run_benchmark)
