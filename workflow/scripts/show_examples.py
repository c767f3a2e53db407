"""Show texts before and after steering side by side, drawn by hash, with what changed."""

from __future__ import annotations

from sociolect.common.files import write_text
from sociolect.common.runtime import Job, run_program
from sociolect.common.schemas import CATALOGUE, GENERATIONS, SAMPLES, SCORES
from sociolect.evaluation.examples import examples_page
from sociolect.settings.evaluation import EvaluationSettings


def main(job: Job[EvaluationSettings]) -> None:
    """One page."""
    scores = job.read("scores", SCORES).sort("request_id")
    texts = dict(job.read("generations", GENERATIONS).select("request_id", "text").iter_rows())
    questions = dict(job.read("ask", SAMPLES).select("question_id", "question").iter_rows())
    names = job.read("catalogue", CATALOGUE)["attribute"].to_list()
    title = f"Examples: {job.outputs['page'].stem.removesuffix('.examples')}"
    write_text(examples_page(title, scores, texts, questions, names, job.settings.examples), job.outputs["page"])


if __name__ == "__main__":
    run_program(
        main,
        __doc__,
        EvaluationSettings,
        inputs=["scores", "generations", "ask", "catalogue"],
        outputs=["page"],
    )
