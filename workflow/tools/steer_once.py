"""Answer a question without and with a group's steering vector, greedily, from a run or from an export."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import library_path  # noqa: F401, first: where sociolect lies
import torch
from transformers.utils import logging

from sociolect.common.errors import exit_plainly
from sociolect.export.kit import Kit, answer_twice, kit_of_export, kit_of_run, one_of
from sociolect.settings.config import read_config


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--configfile", type=Path, help="of a run that has ended")
    source.add_argument("--export", type=Path, help="folder of an export")
    parser.add_argument("--model", type=Path, help="folder of the language model, where the export has none")
    parser.add_argument("--experiment", help="where there are several")
    parser.add_argument("--group", required=True)
    parser.add_argument("--prompt", required=True, help="the question")
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    logging.disable_progress_bar()
    with tempfile.TemporaryDirectory() as scratch:
        if given.export is not None:
            kit = kit_of_export(given.export, given.experiment, given.model)
        else:
            config = read_config(given.configfile)
            experiment = one_of(sorted(config.experiments), given.experiment, "EXPERIMENT")
            kit = kit_of_run(config, Path("results", config.run), experiment, Path(scratch))
        show(kit, given.group, given.prompt)


def show(kit: Kit, group: str, question: str) -> None:
    """Print both answers, and how the second was steered."""
    results, how = answer_twice(kit, group, question), kit.recipe.choice
    blocks = ", ".join(map(str, how.layers))
    print(f"unsteered:\n{results['unsteered'].text}\n")
    print(f"towards {group} ({how.method}, {how.mode}, blocks {blocks}, alpha {how.alpha:g}, {how.positions} tokens):")
    print(results["steered"].text)


if __name__ == "__main__":
    exit_plainly(main)
