"""Compare the cells of the embedding study: a table, and what it says, sentence by sentence."""

from __future__ import annotations

from sociolect.common.artifacts import read_table
from sociolect.common.files import write_text
from sociolect.common.runtime import Job, run_program
from sociolect.common.schemas import STUDY, STUDY_ANSWERS
from sociolect.settings.study import StudySettings, embedding_cells
from sociolect.study.study_findings import study_page
from sociolect.study.study_table import study_table


def main(job: Job[StudySettings]) -> None:
    cells = embedding_cells()
    answers = {
        name: read_table(path, STUDY_ANSWERS)
        for name, path in zip(job.options["cells"].split(","), job.inputs["answers"], strict=True)
    }
    job.stage("table", cells=len(answers))
    table = study_table(answers, cells, job.settings, job.run_seed)
    job.write(table, "study", STUDY)
    write_text(study_page(table, job.options["experiment"], job.settings), job.outputs["page"])


if __name__ == "__main__":
    run_program(
        main,
        __doc__,
        StudySettings,
        inputs=["answers*"],
        outputs=["study", "page"],
        options=["cells", "experiment"],
        seeded=True,
    )
