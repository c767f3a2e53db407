"""Compare the cells of the study of attribute vectors: a table, and a page with an answer to each question."""

from __future__ import annotations

from sociolect.common.files import write_text
from sociolect.common.runtime import Job, run_program
from sociolect.common.schemas import VECTOR_STUDY, VECTOR_TRIES
from sociolect.evaluation.bootstrap import ClusterBootstrap
from sociolect.settings.study import REFERENCE, StudySettings, vector_cells
from sociolect.study.vector_table import vector_page, vector_table


def main(job: Job[StudySettings]) -> None:
    """Cells in the order of the grid; those that change nothing of the config show what the reference reached."""
    run = job.read_by("cells", "tries", VECTOR_TRIES)
    found = run | dict.fromkeys(filter(None, job.options["same"].split(",")), run[REFERENCE])
    tries = {name: found[name] for name in vector_cells() if name in found}
    questions = tries[REFERENCE]["question_id"].to_list()
    bootstrap = ClusterBootstrap(questions, job.settings.resamples, job.seed("bootstrap"), job.settings.confidence)
    table = vector_table(tries, vector_cells(), bootstrap)
    job.write(table, "study", VECTOR_STUDY)
    write_text(vector_page(f"Attribute vectors: {job.options['experiment']}", table), job.outputs["page"])


if __name__ == "__main__":
    run_program(
        main,
        __doc__,
        StudySettings,
        inputs=["tries*"],
        outputs=["study", "page"],
        options=["cells", "same", "experiment"],
        seeded=True,
    )
