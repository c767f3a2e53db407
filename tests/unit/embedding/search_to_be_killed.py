"""A search that keeps its trials in the journal that is named; the test kills it on the way."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[3] / name) for name in ("workflow/scripts", "tests")]

from made_tables import planted  # noqa: E402
from sociolect.embedding.fit_data import fit_data  # noqa: E402
from sociolect.embedding.tuning import tune  # noqa: E402
from sociolect.settings.embedding import EmbeddingSettings  # noqa: E402

settings = EmbeddingSettings(n_trials=4, max_epochs=4, widths=(32,), dimensions=(4,), batch_sizes=(32, 48))
tune(fit_data(planted(240)), settings, run_seed=5, journal=Path(sys.argv[1]))
