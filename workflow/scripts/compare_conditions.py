"""From scores to the comparison table: eight conditions, all others below the line, paired contrasts."""

from __future__ import annotations

from sociolect.common.files import write_text
from sociolect.common.runtime import Job, run_program
from sociolect.common.schemas import COMPARISON, CONTRASTS, GENERATIONS, SCORES
from sociolect.evaluation.bootstrap import ClusterBootstrap
from sociolect.evaluation.comparison import compare, contrasts, of_all_groups, rows_below, rows_of_some
from sociolect.evaluation.renderings import to_csv, to_html, to_latex, to_markdown
from sociolect.evaluation.templates import read_page
from sociolect.settings.evaluation import EvaluationSettings


def main(job: Job[EvaluationSettings]) -> None:
    """The table in every format that it is read in."""
    everything = job.read("scores", SCORES).sort("request_id")
    scores = of_all_groups(everything)
    bootstrap = ClusterBootstrap(
        scores["question_id"].to_list(), job.settings.resamples, job.seed("bootstrap"), job.settings.confidence
    )
    texts = dict(job.read("generations", GENERATIONS).select("request_id", "text").iter_rows())
    table, below = compare(scores, texts, bootstrap), rows_below(scores, texts, bootstrap)
    some = rows_of_some(everything, texts, bootstrap)
    job.write(table, "table", COMPARISON)
    job.write(below, "controls", COMPARISON)
    job.write(some, "some", COMPARISON)
    job.write(contrasts(scores, bootstrap), "contrasts", CONTRASTS)
    title = f"Comparison: {job.outputs['table'].stem}"
    write_text(to_csv(table), job.outputs["csv"])
    write_text(to_markdown(table, below, title, some), job.outputs["markdown"])
    write_text(to_latex(table, below, title), job.outputs["latex"])
    write_text(to_html(table, below, title, read_page(job.inputs["template"])), job.outputs["html"])


if __name__ == "__main__":
    run_program(
        main,
        __doc__,
        EvaluationSettings,
        inputs=["scores", "generations", "template*"],
        outputs=["table", "csv", "markdown", "latex", "html", "controls", "some", "contrasts"],
        seeded=True,
    )
