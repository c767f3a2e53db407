"""The config of a new run: one that is there, with its comments, and the name, tables and sizes of the run in it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import yaml

from sociolect.preflight.sizes import Sizes

__all__ = ["new_config"]

_ABOUT = {
    ("single", "single"): "one answer per question, asked with its own test questions",
    ("multi", "askx"): "several answers per question, asked with the questions put to a group",
    ("multi", "multi"): "several answers per question, asked with its own test questions",
    ("askx", "askx"): "questions put to a group, asked with its own test questions",
}
_LISTED = 12
_TEXT = "tag:yaml.org,2002:str"


def new_config(
    base: str,
    run: str,
    paths: Mapping[str, str],
    sizes: Sizes,
    minima: Mapping[str, int],
    experiments: Mapping[str, tuple[str, str]],
    scorer: str = "",
) -> str:
    """The text of a config.

    Args:
        base: text of a config with `run`, `experiments`, `corpus.paths`, `sampling.minimum`, `sampling.per_group`.
        run: name of the run.
        paths: split -> its table.
        sizes: split -> group -> its size, for a comment.
        minima: split -> sampling.minimum.
        experiments: name -> (fit, ask).
        scorer: `labeling.scorer`; empty for that of the base.
    """
    old = yaml.safe_load(base)
    drawn = old["sampling"]["per_group"]
    # a group gives what the base draws, or the minimum where that is less, so that groups are balanced
    per_group = {split: drawn[split] if drawn[split] and drawn[split] <= minima[split] else None for split in minima}
    blocks: dict[tuple[str, ...], list[str]] = {
        ("run",): [f"run: {_quoted(run)}"],
        ("experiments",): ["experiments:", *_experiment_lines(experiments)],
        ("corpus", "paths"): ["paths:", *(f"  {split}: {_quoted(path)}" for split, path in paths.items())],
        ("sampling", "minimum"): [*_size_lines(sizes, minima), f"minimum: {_flow(minima)}"],
        ("sampling", "per_group"): [f"per_group: {_flow(per_group)}"],
    }
    text = base
    if scorer and "scorer" in old["labeling"]:
        blocks["labeling", "scorer"] = [f"scorer: {scorer}"]
    elif scorer:
        text = text.replace("\nlabeling:\n", f"\nlabeling:\n  scorer: {scorer}\n")
    for names, lines in blocks.items():
        text = _with_block(text, names, lines)
    return text.replace(f"results/{old['run']}/", f"results/{run}/")


def _experiment_lines(experiments: Mapping[str, tuple[str, str]]) -> Sequence[str]:
    return [
        line
        for name, (fit, ask) in experiments.items()
        for line in (f"  # {_ABOUT[fit, ask]}", f"  {name}:", f"    fit: [{fit}]", f"    ask: {ask}")
    ]


def _size_lines(sizes: Sizes, minima: Mapping[str, int]) -> Sequence[str]:
    """What the tables have, as comments of a width that reads well."""
    lines = ["# proposed of the tables, as `make new` found them:"]
    for split, groups in sizes.items():
        taking = sum(size >= minima[split] for size in groups.values())
        lines.append(f"# {split}: {taking} of {len(groups)} groups reach {minima[split]}")
        listed = [f"{group} {size}" for group, size in list(groups.items())[:_LISTED]]
        more = f", and {len(groups) - _LISTED} more" if len(groups) > _LISTED else ""
        words = f"{', '.join(listed)}{more}"
        # a name may hold anything but a line break, which ends a comment
        lines += [f"#   {part}" for part in re.findall(r".{1,90}(?:\s|$)", " ".join(words.split()))]
    return lines


def _flow(values: Mapping[str, int | None]) -> str:
    return "{" + ", ".join(f"{name}: {'null' if value is None else value}" for name, value in values.items()) + "}"


def _quoted(text: str) -> str:
    """A text for YAML: as it is, or in quotes where YAML would read something else, such as false for no."""
    if re.fullmatch(r"[\w/][\w./-]*", text, re.ASCII) and yaml.compose(text, Loader=yaml.SafeLoader).tag == _TEXT:
        return text
    return "'" + text.replace("'", "''") + "'"


def _with_block(text: str, names: Sequence[str], new: Sequence[str]) -> str:
    """The text with other lines in place of a key and its value; comments before the key stay, those in it go."""
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    for name in names:
        assert isinstance(node, yaml.MappingNode)
        key, node = next((key, value) for key, value in node.value if key.value == name)
    lines = text.splitlines()
    first, last, indent = key.start_mark.line, max(node.end_mark.line, key.start_mark.line + 1), key.start_mark.column
    # the end of a block is the next key; what is said before that belongs to it
    while last > first + 1 and (not lines[last - 1].strip() or lines[last - 1].lstrip().startswith("#")):
        last -= 1
    return "\n".join([*lines[:first], *(" " * indent + line for line in new), *lines[last:]]) + "\n"
