"""Write the explorer of a run: one HTML page on which texts, map and judges are looked at."""

from __future__ import annotations

from collections.abc import Sequence

from sociolect.common.artifacts import read_table
from sociolect.common.files import write_text
from sociolect.common.runtime import InputError, Job, run_program
from sociolect.common.schemas import BY_JUDGE, CATALOGUE, GENERATIONS, GROUPS, JUDGED, SAMPLES, SCORES
from sociolect.embedding.net import load_net
from sociolect.evaluation.bootstrap import ClusterBootstrap
from sociolect.evaluation.templates import read_page
from sociolect.explorer.data import ExplorerTables, experiment_data
from sociolect.explorer.explorer_page import explorer_page
from sociolect.explorer.votes import by_group
from sociolect.settings.pages import ExplorerSettings

TABLES = {"scores": SCORES, "generations": GENERATIONS, "judged": JUDGED, "groups": GROUPS, "judges": BY_JUDGE}


def main(job: Job[ExplorerSettings]) -> None:
    """One page of all experiments."""
    page, catalogue = read_page(job.inputs["template"]), job.read("catalogue", CATALOGUE)
    evaluation, found = job.settings.evaluation, []
    for kind in (*TABLES, "model", "ask"):
        if len(job.inputs[kind]) != len(job.settings.experiments):
            raise InputError(f"--{kind} needs a file for each of the {len(job.settings.experiments)} experiments")
    for i, (name, experiment) in enumerate(job.settings.experiments.items()):
        read = {kind: read_table(job.inputs[kind][i], schema) for kind, schema in TABLES.items()}
        samples = read_table(job.inputs["ask"][i], SAMPLES)

        def bootstrap(questions: Sequence[str], group: str, name: str = name) -> ClusterBootstrap:
            return ClusterBootstrap(questions, evaluation.resamples, job.seed(name, group), evaluation.confidence)

        tables = ExplorerTables(
            name, experiment.fit, experiment.ask, **read,
            by_group=by_group(read["judges"], read["scores"], read["judged"], bootstrap),
            questions=dict(samples.select("question_id", "question").iter_rows()),
            distance=load_net(job.inputs["model"][i])[1]["distance"],
        )  # fmt: skip
        found.append(experiment_data(tables, catalogue))
    names = catalogue["attribute"].to_list()
    write_text(explorer_page(page, job.settings.run, names, found, evaluation.confidence), job.outputs["page"])


if __name__ == "__main__":
    run_program(
        main, __doc__, ExplorerSettings,
        inputs=["scores*", "generations*", "judged*", "groups*", "judges*", "model*", "ask*", "catalogue", "template*"],
        outputs=["page"], seeded=True,
    )  # fmt: skip
