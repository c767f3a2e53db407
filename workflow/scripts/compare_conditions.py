"""From scores to the comparison table: eight conditions, controls apart, paired contrasts."""

from __future__ import annotations

from sociolect.common.files import write_text
from sociolect.common.runtime import Job, run_program
from sociolect.common.schemas import COMPARISON, CONTRASTS, SCORES
from sociolect.evaluation.bootstrap import ClusterBootstrap
from sociolect.evaluation.comparison import compare, contrasts, control_rows
from sociolect.evaluation.renderings import to_csv, to_html, to_latex, to_markdown
from sociolect.evaluation.templates import read_page
from sociolect.settings.evaluation import EvaluationSettings


def main(job: Job[EvaluationSettings]) -> None:
    """The table in every format that it is read in."""
    scores = job.read("scores", SCORES).sort("request_id")
    bootstrap = ClusterBootstrap(
        scores["question_id"].to_list(), job.settings.resamples, job.seed("bootstrap"), job.settings.confidence
    )
    table = compare(scores, bootstrap)
    job.write(table, "table", COMPARISON)
    job.write(control_rows(scores, bootstrap), "controls", COMPARISON)
    job.write(contrasts(scores, bootstrap), "contrasts", CONTRASTS)
    title = f"Comparison: {job.outputs['table'].stem}"
    write_text(to_csv(table), job.outputs["csv"])
    write_text(to_markdown(table, title), job.outputs["markdown"])
    write_text(to_latex(table, title), job.outputs["latex"])
    write_text(to_html(table, title, read_page(job.inputs["template"])), job.outputs["html"])


if __name__ == "__main__":
    run_program(
        main,
        __doc__,
        EvaluationSettings,
        inputs=["scores", "template*"],
        outputs=["table", "csv", "markdown", "latex", "html", "controls", "contrasts"],
        seeded=True,
    )
