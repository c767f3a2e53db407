"""The comparison as every judge sees it, whether judges agree, and how well each knows human answers."""

from __future__ import annotations

import polars as pl

from sociolect.common.artifacts import matrix
from sociolect.common.files import write_text
from sociolect.common.runtime import Job, run_program
from sociolect.common.schemas import AGREEMENT, BY_JUDGE, CEILINGS, CONTRASTS, GROUPS, HUMANS, JUDGED, LABELS, SCORES
from sociolect.embedding.net import distance_matrix, embed, load_net
from sociolect.evaluation.bootstrap import ClusterBootstrap
from sociolect.evaluation.by_judge import by_judge, judge_contrasts, seen_by_all
from sociolect.evaluation.comparison import of_all_groups
from sociolect.evaluation.judge_page import judge_page
from sociolect.judges.agreement import agreement_table
from sociolect.judges.ceilings import StyleModel, ceiling_table
from sociolect.labels.fit import join_labels
from sociolect.settings.evaluation import EvaluationSettings


def main(job: Job[EvaluationSettings]) -> None:
    """Tables, and a page of them."""
    settings, scores = job.settings, of_all_groups(job.read("scores", SCORES).sort("request_id"))
    groups, (net, hyper) = job.read("groups", GROUPS).sort("group"), load_net(job.path("model"))
    humans = join_labels(job.read("humans", HUMANS), job.read("human_labels", LABELS), "humans")
    near = -distance_matrix(embed(net, matrix(humans["style"])), matrix(groups["embedding"]), hyper["distance"])
    sfam = ceiling_table(
        [StyleModel("sfam", "style", tuple(groups["group"]))], {"sfam": near}, humans["group"].to_list(),
        humans["question_id"].to_list(), settings.resamples, job.seed("ceilings"), settings.confidence,
    )  # fmt: skip
    ceilings = pl.concat([CEILINGS.frame(sfam.rows()), job.read("fitted", CEILINGS)])
    questions = scores["question_id"].to_list()
    bootstrap = ClusterBootstrap(questions, settings.resamples, job.seed("bootstrap"), settings.confidence)
    seen = seen_by_all(scores, job.read("judged", JUDGED))
    table, contrasts = by_judge(seen, ceilings, bootstrap), judge_contrasts(seen, bootstrap)
    voters = table.filter(pl.col("sees") != "question")
    agreement = agreement_table(voters.select("judge", "condition", "targets", "gain"))
    job.write(table, "table", BY_JUDGE)
    job.write(agreement, "agreement", AGREEMENT)
    job.write(ceilings, "ceilings", CEILINGS)
    job.write(contrasts, "contrasts", CONTRASTS)
    title = f"Comparison by judge: {job.outputs['table'].stem.removesuffix('.judges')}"
    write_text(judge_page(title, table, agreement, contrasts), job.outputs["page"])


if __name__ == "__main__":
    run_program(
        main, __doc__, EvaluationSettings,
        inputs=["scores", "judged", "fitted", "humans", "human_labels", "groups", "model"],
        outputs=["table", "agreement", "contrasts", "ceilings", "page"], seeded=True,
    )  # fmt: skip
