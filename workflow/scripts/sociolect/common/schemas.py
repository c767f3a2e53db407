"""Every table of a run: columns, types, meaning, unit. The layout of a run is in docs/method.md."""

from __future__ import annotations

import polars as pl

from sociolect.common.artifacts import Column, Schema, Vector

TEXT, INT, FLOAT, BOOL = pl.String, pl.Int64, pl.Float64, pl.Boolean
TEXTS = pl.List(pl.String)

_ANSWER = {
    "question_id": Column(TEXT, "the question"),
    "question": Column(TEXT, "text of the question"),
    "answer_id": Column(TEXT, "the answer, unique within a split"),
    "answer": Column(TEXT, "text of the answer"),
    "author": Column(TEXT, "who wrote it; null where unknown", nullable=True),
    "group": Column(TEXT, "social group of the author"),
}
CORPUS = Schema("corpus", _ANSWER, ("answer_id",))
SAMPLES = Schema("samples", {**_ANSWER, "part": Column(TEXT, "train, val or test")}, ("answer_id",))
CORPUS_FUNNEL = Schema(
    "corpus funnel",
    {
        "split": Column(TEXT, "single, multi or askx"),
        "rule": Column(TEXT, "cleaning rule, in the order of use"),
        "n_removed": Column(INT, "answers taken out (or changed, for repairs)", "answers"),
        "n_left": Column(INT, "answers left after the rule", "answers"),
        "example": Column(TEXT, "one answer_id that the rule met", nullable=True),
    },
)
SAMPLING_FUNNEL = Schema(
    "sampling funnel",
    {
        "split": Column(TEXT, "single, multi or askx"),
        "group": Column(TEXT, "group"),
        "part": Column(TEXT, "train, val, test, or all", nullable=True),
        "step": Column(TEXT, "corpus, below_minimum, dropped_disjoint, empty_part, drawn or shortfall"),
        "n_answers": Column(INT, "answers", "answers"),
        "n_questions": Column(INT, "questions", "questions"),
    },
)
LEFT_OUT = Schema(
    "left out",
    {
        "place": Column(TEXT, "a split, or an experiment"),
        "group": Column(TEXT, "group, where the loss is that of one", nullable=True),
        "loss": Column(TEXT, "what is left out, and why"),
        "n_answers": Column(INT, "answers", "answers"),
    },
)
TRUTH = Schema(
    "demo truth",
    {
        "group": Column(TEXT, "made-up group"),
        "attribute": Column(TEXT, "planted style attribute, the X of 'The author uses X.'"),
        "rate": Column(FLOAT, "share of the group's answers that are meant to have it"),
        "kind": Column(TEXT, "distinctive, shared or base"),
        "alike": Column(TEXT, "the group that this one is nearly alike with", nullable=True),
    },
    ("group", "attribute"),
)
SENTENCES = Schema(
    "sentences",
    {
        "answer_id": Column(TEXT, "the described answer"),
        "split": Column(TEXT, "its split"),
        "group": Column(TEXT, "its group"),
        "author": Column(TEXT, "its author", nullable=True),
        "part": Column(TEXT, "train, val or test"),
        "prompt_id": Column(TEXT, "which prompt or describer said it"),
        "sentence": Column(TEXT, "what was said; empty where nothing was said of the answer"),
        "attribute": Column(
            TEXT, "canonical X of 'uses X'; null where the sentence could not be parsed", nullable=True
        ),
    },
)
CATALOGUE = Schema(
    "catalogue",
    {
        "attribute_id": Column(TEXT, "stable id, ordered as the columns of a style vector"),
        "attribute": Column(TEXT, "canonical X"),
        "author_sentence": Column(TEXT, "'The author uses X.', for SFAM"),
        "you_sentence": Column(TEXT, "'You use X.', for prompts and activations"),
        "n_answers": Column(INT, "described train answers that have it", "answers"),
        "n_authors": Column(INT, "authors who have it (answers where authors are unknown)", "authors"),
        "share": Column(FLOAT, "n_authors over all described authors"),
        "answer_ids": Column(TEXTS, "provenance: answers it was said of"),
        "raw_sentences": Column(TEXTS, "provenance: the distinct raw sentences"),
        "prompt_ids": Column(TEXTS, "provenance: the prompts that led to it"),
    },
    ("attribute_id",),
)
CATALOGUE_FUNNEL = Schema(
    "attribute funnel",
    {
        "rule": Column(TEXT, "rejection rule, in the order of use"),
        "n_rejected": Column(INT, "attributes rejected", "attributes"),
        "n_left": Column(INT, "attributes left", "attributes"),
        "example": Column(TEXT, "one that was rejected", nullable=True),
    },
)
CALIBRATION = Schema(
    "calibration",
    {
        "attribute_id": Column(TEXT, "attribute of the catalogue; near duplicates that were merged share one"),
        "name": Column(TEXT, "the describer's attribute"),
        "measure": Column(TEXT, "measure that it rests on"),
        "direction": Column(TEXT, "high or low: where it holds"),
        "threshold": Column(FLOAT, "the describer's, in the measure's unit"),
        "knots": Column(pl.List(FLOAT), "values of the measure on train, ascending"),
        "probabilities": Column(pl.List(FLOAT), "probability of the attribute at each of them", "probability"),
    },
    ("attribute_id", "name"),
)
PAIRS = Schema(
    "pairs",
    {
        "answer_id": Column(TEXT, "answer"),
        "attribute_id": Column(TEXT, "attribute"),
        "label": Column(pl.Int8, "1 if the attribute was said of the answer"),
        "target": Column(FLOAT, "what SFAM is trained towards: the label, or a calibrated probability", "probability"),
        "slice": Column(TEXT, "positive, easy, hard or random"),
        "part": Column(TEXT, "train, val or test"),
        "held_out": Column(BOOL, "the attribute is never trained on"),
    },
)
SFAM_STEPS = Schema(
    "SFAM steps",
    {
        "step": Column(INT, "optimizer steps so far", "steps"),
        "train_loss": Column(FLOAT, "mean loss since the look before"),
        "val_auroc": Column(FLOAT, "AUROC on val answers with attributes that are trained on"),
    },
    ("step",),
)
LABELS = Schema(
    "labels",
    {
        "answer_id": Column(TEXT, "answer (or generation)"),
        "style": Column(Vector(), "scores of the attributes in catalogue order", "probability"),
    },
    ("answer_id",),
)
TAGGED = Schema(
    "tagged answers",
    {
        "answer_id": Column(TEXT, "answer (or generation)"),
        "pos": Column(TEXTS, "universal part of speech of each token; white space is no token"),
        "tag": Column(TEXTS, "its tag of the Penn Treebank"),
        "dep": Column(TEXTS, "its dependency relation"),
        "head": Column(pl.List(pl.Int32), "from the token to its head, 0 for a root", "tokens"),
        "start": Column(pl.List(BOOL), "it begins a sentence"),
        "noised": Column(TEXTS, "the token for POSNoise: lower case, or a letter in place of a content word"),
    },
    ("answer_id",),
)
DISTILLATION = Schema(
    "distillation answers",
    {
        "answer_id": Column(TEXT, "answer that the teacher scores for the student"),
        "split": Column(TEXT, "its split"),
        "group": Column(TEXT, "its group"),
        "part": Column(TEXT, "train (learned from), val (stops the training) or test (fidelity)"),
        "answer": Column(TEXT, "its text"),
    },
    ("answer_id",),
)
FIDELITY = Schema(
    "fidelity",
    {
        "attribute_id": Column(TEXT, "attribute"),
        "attribute": Column(TEXT, "canonical X"),
        "pearson": Column(FLOAT, "correlation of student and teacher over test answers; 0 where one does not vary"),
        "spearman": Column(FLOAT, "the same of the ranks"),
        "mae": Column(FLOAT, "mean absolute difference", "probability"),
        "teacher_mean": Column(FLOAT, "mean score of the teacher", "probability"),
        "student_mean": Column(FLOAT, "mean score of the student", "probability"),
        "n": Column(INT, "test answers", "answers"),
    },
    ("attribute_id",),
)
TRIALS = Schema(
    "trials",
    {
        "trial": Column(INT, "number of the trial"),
        "state": Column(TEXT, "complete or pruned"),
        "value": Column(FLOAT, "nearest-group macro accuracy on val", nullable=True),
        "epochs": Column(INT, "epochs trained", "epochs", nullable=True),
        "params": Column(TEXT, "hyper-parameters as JSON"),
        "chosen": Column(BOOL, "the final net uses these"),
    },
    ("trial",),
)
STUDY_ANSWERS = Schema(
    "answers of a study's cell",
    {
        "answer_id": Column(TEXT, "a val or test answer"),
        "question_id": Column(TEXT, "its question"),
        "part": Column(TEXT, "val or test"),
        "group": Column(TEXT, "its group, or parent group"),
        "nearest": Column(TEXT, "the group that is nearest, or most probable"),
        "pairs": Column(FLOAT, "share of the other groups that are farther than its own"),
        "center": Column(TEXT, "kind of the group embeddings: a statistic whose f it is, or a center; empty without"),
        "level": Column(TEXT, "leaf or parent"),
        "seed": Column(INT, "number of the net"),
    },
)
STUDY = Schema(
    "embedding study",
    {
        "axis": Column(TEXT, "what is varied; reference, or center for the kinds of group embeddings"),
        "cell": Column(TEXT, "the cell"),
        "shown": Column(TEXT, "what it is, in words"),
        "center": Column(TEXT, "kind of the group embeddings"),
        "level": Column(TEXT, "leaf or parent"),
        "part": Column(TEXT, "val or test"),
        "pairwise": Column(FLOAT, "mean accuracy over pairs of groups, mean over seeds"),
        "low": Column(FLOAT, "lower end of its interval over questions"),
        "high": Column(FLOAT, "upper end"),
        "macro": Column(FLOAT, "nearest-group macro accuracy, mean over seeds"),
        "spread": Column(FLOAT, "standard deviation of pairwise over seeds; null with one", nullable=True),
        "against": Column(TEXT, "the cell that it is compared with", nullable=True),
        "difference": Column(FLOAT, "pairwise minus that of the compared cell, paired by question", nullable=True),
        "difference_low": Column(FLOAT, "lower end of its interval", nullable=True),
        "difference_high": Column(FLOAT, "upper end", nullable=True),
        "n": Column(INT, "answers", "answers"),
        "seeds": Column(INT, "nets"),
    },
    ("axis", "cell", "center", "level", "part"),
)
EMBEDDINGS = Schema(
    "embeddings",
    {
        "answer_id": Column(TEXT, "answer"),
        "split": Column(TEXT, "its split"),
        "part": Column(TEXT, "train, val or test"),
        "group": Column(TEXT, "its group"),
        "embedding": Column(Vector(), "output of the net", "distance of the experiment"),
    },
    ("split", "answer_id"),
)
ACCURACY = Schema(
    "accuracy",
    {
        "model": Column(TEXT, "net, or a baseline: majority or one of the logistic regressions"),
        "level": Column(TEXT, "leaf or parent groups"),
        "split": Column(TEXT, "the split, or all"),
        "part": Column(TEXT, "train, val or test"),
        "measure": Column(TEXT, "nearest_group, macro, pairwise, triplet, pair or confusion"),
        "group": Column(TEXT, "true group, for pair and confusion", nullable=True),
        "other": Column(TEXT, "other or predicted group, for pair and confusion", nullable=True),
        "value": Column(FLOAT, "accuracy, or share of the group's answers for confusion"),
        "chance": Column(FLOAT, "what guessing reaches", nullable=True),
        "n": Column(INT, "answers (triplets) counted"),
    },
)
CHAIN = Schema(
    "chain",
    {
        "stage": Column(TEXT, "where on the way from text to group, from the measures to the net's rule"),
        "answers": Column(TEXT, "all, or lessons: those of them that SFAM scored for its student"),
        "split": Column(TEXT, "the split, or all"),
        "part": Column(TEXT, "val or test"),
        "value": Column(FLOAT, "mean balanced accuracy over pairs of groups (chance .5)"),
        "low": Column(FLOAT, "lower end of its interval, by bootstrap over questions"),
        "high": Column(FLOAT, "upper end"),
        "lost": Column(FLOAT, "value of the stage before less this one's; null at the first", nullable=True),
        "lost_low": Column(FLOAT, "lower end of its interval, on the same resamples", nullable=True),
        "lost_high": Column(FLOAT, "upper end", nullable=True),
        "n": Column(INT, "answers counted", "answers"),
        "width": Column(INT, "numbers per answer that the stage knows"),
    },
    ("stage", "answers", "split", "part"),
)
GROUPS = Schema(
    "groups",
    {
        "group": Column(TEXT, "group"),
        "n_answers": Column(INT, "train answers", "answers"),
        "n_authors": Column(INT, "train authors (answers where unknown)", "authors"),
        "style": Column(Vector(), "statistic of the SFAM scores, authors first", "probability"),
        "mean_style": Column(Vector(), "mean of the SFAM scores, authors first", "probability"),
        "usage": Column(Vector(), "share of authors' answers with score >= theta"),
        "embedding": Column(Vector(), "group embedding c[g]"),
        "distinctive": Column(TEXTS, "ids of the distinctive attributes, largest gap first"),
        "distinctive_gap": Column(pl.List(FLOAT), "their gaps"),
        "distinctive_frequency": Column(pl.List(FLOAT), "how often bootstrap over authors selects them"),
    },
    ("group",),
)
GROUP_DISTANCES = Schema(
    "group distances",
    {
        "group": Column(TEXT, "group"),
        "other": Column(TEXT, "other group"),
        "distance": Column(FLOAT, "between the group embeddings"),
        "spread": Column(FLOAT, "mean distance of both groups' val answers to their own group embedding"),
        "ratio": Column(FLOAT, "distance / spread"),
        "pair_accuracy": Column(FLOAT, "val accuracy of telling the two apart"),
        "alike": Column(BOOL, "told apart no better than `alike_below`"),
    },
    ("group", "other"),
)
_TOPIC_FIGURES = {
    f"{name}{end}": Column(
        FLOAT, f"{meaning}{'' if not end else ', end of the interval of topic.confidence'}", nullable=True
    )
    for name, meaning in (
        ("accuracy", "mean accuracy over pairs of groups on test, all of train fitted on"),
        ("shared", "the same, of groups that answered one question: each answer against those groups alone"),
        ("plain", "fitted on fewer answers, as many as for `unseen`, drawn from all questions"),
        ("unseen", "fitted on answers to other clusters of questions than the test answer's"),
        ("drop", "plain - unseen, paired"),
        ("kept", "(unseen - 1/2) / (plain - 1/2), paired: share of the accuracy above chance that is no topic"),
    )
    for end in ("", "_low", "_high")
}
TOPIC = Schema(
    "topic held still",
    {
        "model": Column(TEXT, "net, or a baseline; a probe by what it sees: masked_text or question"),
        "kind": Column(TEXT, "model, or probe (TF-IDF with logistic regression, which is there to tell topics)"),
        "n": Column(INT, "test answers", "answers"),
        "n_shared": Column(INT, "test answers to questions that several groups answered", "answers"),
        "n_clusters": Column(INT, "clusters of questions"),
        "train_share": Column(FLOAT, "share of train that `plain` and `unseen` were fitted on", nullable=True),
        **_TOPIC_FIGURES,
        "may_be_topic": Column(BOOL, "the interval of `kept` lies below topic.min_kept", nullable=True),
        "note": Column(TEXT, "why figures are null", nullable=True),
    },
    ("model",),
)
STABILITY = Schema(
    "stability of group embeddings",
    {
        "statistic": Column(TEXT, "f(median, mean or usage), mean_embedding or geometric_median of f"),
        "unit": Column(TEXT, "what is drawn: authors, or answers whoever wrote them"),
        "group": Column(TEXT, "group; null for the mean over groups", nullable=True),
        "size": Column(INT, "authors (answers) drawn, with replacement"),
        "whole": Column(BOOL, "bootstrap: as many drawn as the group has (of all groups: as the smallest has)"),
        "ratio": Column(
            FLOAT, "mean distance to the embedding of all, over the distance to the next group's", nullable=True
        ),
        "ratio_high": Column(FLOAT, "the same, 9 draws of 10 lie below", nullable=True),
        "within": Column(BOOL, "ratio is at most stability.within"),
    },
)
ACTIVATIONS = Schema(
    "attribute vectors",
    {
        "attribute_id": Column(TEXT, "attribute"),
        "layer": Column(pl.Int32, "block whose output is read, from 0"),
        "vector": Column(Vector(), "activation after the contrast", "residual stream"),
        "token_id": Column(INT, "the token that was read (the last one for a mean)"),
        "token": Column(TEXT, "its text"),
    },
    ("attribute_id", "layer"),
)
READINGS = Schema(
    "readings of answers",
    {
        "kind": Column(TEXT, "kind of text, of steering/readings.py"),
        "group": Column(TEXT, "group"),
        "fold": Column(INT, "part of the group's answers, from 0"),
        "layer": Column(pl.Int32, "block whose output is read, from 0"),
        "n": Column(INT, "answers of the fold", "answers"),
        "vector": Column(Vector(), "mean over these of the mean activation of each", "residual stream"),
    },
    ("kind", "group", "fold", "layer"),
)
STEERING = Schema(
    "steering vectors",
    {
        "group": Column(TEXT, "target group"),
        "method": Column(TEXT, "a method, random, topic, shuffled_<method> or other_group_<method>"),
        "layer": Column(pl.Int32, "block, from 0"),
        "vector": Column(Vector(), "v[g,l], unit length", "residual stream"),
        "floor": Column(FLOAT, "projection of the average answer of all groups on v[g,l]", "residual stream"),
    },
    ("group", "method", "layer"),
)
FORECAST = Schema(
    "forecast of steering",
    {
        "group": Column(TEXT, "target group"),
        "method": Column(TEXT, "method"),
        "layer": Column(pl.Int32, "block, from 0"),
        "separation": Column(
            FLOAT,
            "of the group's answers from the others' along the vector of the other half of the folds, in standard "
            "deviations of folds; null with fewer than 4 folds",
            nullable=True,
        ),
        "reliability": Column(
            FLOAT,
            "cosine of the vectors of the two halves of the folds; null likewise, and for weighted attributes",
            nullable=True,
        ),
        "cosine": Column(FLOAT, "mean cosine with the other groups' vectors"),
    },
    ("group", "method", "layer"),
)
UNSTEERED = Schema(
    "unsteered answers to val questions",
    {
        "question_id": Column(TEXT, "question"),
        "question": Column(TEXT, "its text"),
        "group": Column(TEXT, "group that it was put to"),
        "cross": Column(TEXT, "another group, the target of this question beside its own"),
        "rank": Column(INT, "of the question in its group, from 0"),
        "prompt": Column(TEXT, "rendered chat or document as text"),
        "seed": Column(INT, "of the draws, the same for every setting"),
        "text": Column(TEXT, "answer"),
        "n_tokens": Column(INT, "generated tokens", "tokens"),
        "log_perplexity": Column(FLOAT, "of the answer; null where it is empty", nullable=True),
    },
    ("question_id", "group"),
)
TRIED_TEXTS = Schema(
    "answers of the sweep",
    {
        "layers": Column(pl.List(pl.Int32), "blocks that were steered"),
        "alpha": Column(FLOAT, "strength in units of the median residual norm"),
        "positions": Column(TEXT, "where the vector was added"),
        "question_id": Column(TEXT, "val question"),
        "group": Column(TEXT, "group that it was put to"),
        "target": Column(TEXT, "target group"),
        "text": Column(TEXT, "answer"),
    },
)
SWEEP = Schema(
    "steering sweep",
    {
        "method": Column(TEXT, "method of the vectors, or unsteered"),
        "layers": Column(pl.List(pl.Int32), "blocks that are steered"),
        "alpha": Column(FLOAT, "strength in units of the median residual norm"),
        "positions": Column(TEXT, "where the vector is added; empty for unsteered"),
        "n": Column(INT, "val generations, towards own and towards other groups"),
        "hit_rate": Column(FLOAT, "own targets: nearest group is the target"),
        "correct_change_rate": Column(FLOAT, "own targets: share that came to the target group"),
        "gain_own": Column(FLOAT, "own targets: rise of the target's share, mean over judges of style"),
        "gain_cross": Column(FLOAT, "other targets: the same"),
        "gain": Column(FLOAT, "mean of the two: what the choice maximizes"),
        "gain_error": Column(FLOAT, "its standard error over questions"),
        "topic_loss": Column(FLOAT, "other targets: fall of the question's group in the eyes of the topic probe"),
        "log_perplexity": Column(
            FLOAT, "mean log perplexity under the unsteered model; null if all are empty", nullable=True
        ),
        "repetition": Column(FLOAT, "share of repeated 3-grams"),
        "fluent": Column(BOOL, "inside the two-sided fluency guard"),
        "on_topic": Column(BOOL, "inside the guard of the topic"),
        "chosen": Column(BOOL, "this setting is used on test"),
        "best": Column(BOOL, "the setting that its method is shown with on test"),
    },
)
VECTOR_TRIES = Schema(
    "val answers of a cell of vectors",
    {
        "cell": Column(TEXT, "the cell"),
        "setting": Column(TEXT, "its best place and strength, inside the guards; or not to steer"),
        "question_id": Column(TEXT, "val question"),
        "group": Column(TEXT, "group that it was put to"),
        "target": Column(TEXT, "target group"),
        "gain": Column(FLOAT, "rise of the target, mean over judges of style"),
        "topic": Column(FLOAT, "rise of the question's group, by the topic probe"),
        "perplexity_change": Column(FLOAT, "mean log perplexity minus the unsteered one, of the setting"),
    },
    ("cell", "question_id", "group", "target"),
)
VECTOR_STUDY = Schema(
    "study of attribute vectors",
    {
        "axis": Column(TEXT, "what is varied; reference for the configured cell"),
        "cell": Column(TEXT, "the cell"),
        "shown": Column(TEXT, "what it is, in words"),
        "setting": Column(TEXT, "its best place and strength"),
        "n": Column(INT, "val answers"),
        **{
            f"{name}{end}": Column(FLOAT, f"{meaning}{'' if not end else ', end of its interval'}", nullable=bool(end))
            for name, meaning in (
                ("gain", "rise of the target's share, mean over judges of style"),
                ("difference", "gain minus that of the configured cell, paired"),
            )
            for end in ("", "_low", "_high")
        },
        "gain_own": Column(FLOAT, "own targets alone", nullable=True),
        "gain_cross": Column(FLOAT, "other targets alone", nullable=True),
        "topic": Column(FLOAT, "other targets: rise of the question's group, by the topic probe", nullable=True),
        "perplexity_change": Column(FLOAT, "mean log perplexity minus the unsteered one"),
    },
    ("cell",),
)
REQUESTS = Schema(
    "requests",
    {
        "request_id": Column(TEXT, "one generation"),
        "question_id": Column(TEXT, "question"),
        "question_group": Column(TEXT, "group that the question was put to"),
        "target": Column(TEXT, "target group"),
        "condition": Column(TEXT, "one of the eight conditions, or a control"),
        "sample": Column(INT, "0, 1, ..."),
        "prompt": Column(TEXT, "rendered chat or document as text"),
        "seed": Column(INT, "the same for all conditions and targets of a question and sample"),
        "method": Column(
            TEXT, "chosen, random, topic, shuffled, other_group or best_<method>; null when unsteered", nullable=True
        ),
    },
    ("request_id",),
)
GENERATIONS = Schema(
    "generations",
    {
        **REQUESTS.columns,
        "text": Column(TEXT, "generated answer"),
        "n_tokens": Column(INT, "generated tokens, thoughts aside", "tokens"),
        "finish_reason": Column(TEXT, "stop (end of sequence), stop_string (cut from the text) or length"),
    },
    ("request_id",),
)
FLUENCY = Schema(
    "fluency",
    {
        "request_id": Column(TEXT, "generation"),
        "log_perplexity": Column(FLOAT, "under the unsteered model; null where nothing was generated", nullable=True),
    },
    ("request_id",),
)
HUMANS = Schema(
    "human answers as short as generations",
    {
        "answer_id": Column(TEXT, "a test answer"),
        "question_id": Column(TEXT, "its question"),
        "group": Column(TEXT, "its group"),
        "answer": Column(TEXT, "its text, cut to the longest generation"),
    },
    ("answer_id",),
)
CEILINGS = Schema(
    "ceilings of judges",
    {
        "judge": Column(TEXT, "judge"),
        "sees": Column(TEXT, "style, topic or both"),
        "group": Column(TEXT, "group; null for all", nullable=True),
        "n": Column(INT, "human test answers, cut to the length of generations", "answers"),
        "accuracy": Column(FLOAT, "share that is known; null without answers", nullable=True),
        "macro": Column(FLOAT, "mean of the groups' shares; null in rows of a group", nullable=True),
        "low": Column(FLOAT, "lower end of the interval, of macro or of accuracy, over questions", nullable=True),
        "high": Column(FLOAT, "upper end", nullable=True),
        "chance": Column(FLOAT, "what guessing reaches"),
    },
)
JUDGED = Schema(
    "judged generations",
    {
        "request_id": Column(TEXT, "generation"),
        "judge": Column(TEXT, "judge"),
        "sees": Column(TEXT, "style, topic or both"),
        "group": Column(TEXT, "group that it sees; null where nothing was generated", nullable=True),
        "p_target": Column(FLOAT, "its probability of the target", "probability", nullable=True),
        "p_question_group": Column(FLOAT, "and of the question's group", "probability", nullable=True),
    },
    ("request_id", "judge"),
)
RELEVANCE = Schema(
    "relevance",
    {
        "request_id": Column(TEXT, "generation"),
        "relevance": Column(
            FLOAT, "share of the other questions that it is less like; null where nothing was generated", nullable=True
        ),
    },
    ("request_id",),
)
# what is measured of each generated text by itself; evaluation/text_metrics.py has the functions
TEXT_METRICS = {
    "distinct_1": "distinct over all words",
    "distinct_2": "distinct over all 2-grams",
    "distinct_3": "distinct over all 3-grams",
    "longest_repeat": "share of words in the longest repeated n-gram",
}
SCORES = Schema(
    "scores",
    {
        **{n: c for n, c in REQUESTS.columns.items() if n != "prompt"},
        "style": Column(Vector(), "SFAM scores of the generation"),
        "embedding": Column(Vector(), "f(style)"),
        "empty": Column(BOOL, "nothing was generated"),
        "truncated": Column(BOOL, "ended at the token limit"),
        "stopped": Column(BOOL, "ended at a stop string"),
        "reference_id": Column(TEXT, "request_id of r(n), row 1 with the same question and sample"),
        "nearest": Column(TEXT, "nearest group embedding"),
        "reference_nearest": Column(TEXT, "the same for the reference"),
        "tie": Column(BOOL, "more than one group was nearest"),
        "zero": Column(BOOL, "embedding equals the reference's: no direction"),
        "changed": Column(BOOL, "metric 1"),
        "changed_to_target": Column(BOOL, "metric 2"),
        "eligible": Column(BOOL, "the reference was not in the target group already"),
        "lost_target": Column(BOOL, "was in the target group and left it"),
        "hit": Column(BOOL, "nearest is the target"),
        "direction": Column(FLOAT, "1 - cos(e1 - e0, c[t]); null without a direction", nullable=True),
        "direction_centred": Column(FLOAT, "cos(e1 - e0, c[t] - mean c)", nullable=True),
        "direction_to_target": Column(FLOAT, "cos(e1 - e0, c[t] - e0)", nullable=True),
        "direction_rank": Column(INT, "rank of t by the centered cosine, 1 is best", nullable=True),
        "matched_changed": Column(BOOL, "metric 1 against the same prompt unsteered"),
        "matched_to_target": Column(BOOL, "metric 2 against the same prompt unsteered"),
        "matched_direction": Column(FLOAT, "metric 3 against the same prompt unsteered", nullable=True),
        "away": Column(BOOL, "farther from the target's group embedding than the reference"),
        "topic": Column(TEXT, "group that the topic probe sees; null where nothing was generated", nullable=True),
        "reference_topic": Column(TEXT, "the same for the reference", nullable=True),
        "relevance": Column(FLOAT, "share of the other questions that the text is less like", nullable=True),
        "n_words": Column(INT, "words", "words"),
        "log_perplexity": Column(FLOAT, "under the unsteered model", nullable=True),
        **{name: Column(FLOAT, meaning, nullable=True) for name, meaning in TEXT_METRICS.items()},
        "length_ratio": Column(FLOAT, "words over the reference's words", nullable=True),
    },
    ("request_id",),
)
_INTERVALS = {
    f"{name}{end}": Column(
        FLOAT, f"{meaning}{'' if not end else ', end of the interval of evaluation.confidence'}", nullable=True
    )
    for name, meaning in (
        ("group_change_rate", "metric 1: share whose nearest group changed"),
        ("correct_change_rate", "metric 2: share that came to the target group"),
        ("direction_distance", "metric 3: mean 1 - cos(e1 - e0, c[t])"),
    )
    for end in ("", "_low", "_high")
}
COMPARISON = Schema(
    "comparison",
    {
        "condition": Column(TEXT, "row"),
        "n": Column(INT, "generations"),
        "group_changes": Column(INT, "metric 1, absolute", nullable=True),
        "correct_changes": Column(INT, "metric 2, absolute", nullable=True),
        **_INTERVALS,
        "n_eligible": Column(INT, "reference not yet in the target group"),
        "eligible_change_rate": Column(FLOAT, "metric 2 as share of the eligible", nullable=True),
        "losses": Column(INT, "left the target group", nullable=True),
        "net_changes": Column(INT, "correct changes minus losses", nullable=True),
        "hit_rate": Column(FLOAT, "final share in the target group", nullable=True),
        "hit_rate_low": Column(FLOAT, "end of the interval of evaluation.confidence", nullable=True),
        "hit_rate_high": Column(FLOAT, "end of the interval of evaluation.confidence", nullable=True),
        "direction_centred": Column(FLOAT, "mean cos(e1 - e0, c[t] - mean c)", nullable=True),
        "direction_to_target": Column(FLOAT, "mean cos(e1 - e0, c[t] - e0)", nullable=True),
        "direction_rank": Column(FLOAT, "mean rank of t", nullable=True),
        "rank1_rate": Column(FLOAT, "share with t ranked first", nullable=True),
        "matched_change_rate": Column(FLOAT, "metric 1 against the matched reference", nullable=True),
        "matched_correct_rate": Column(FLOAT, "metric 2 against the matched reference", nullable=True),
        "matched_direction_distance": Column(FLOAT, "metric 3 against the matched reference", nullable=True),
        "away_rate": Column(FLOAT, "share that moved away from the target's group embedding", nullable=True),
        "topic_change_rate": Column(FLOAT, "metric 1 by the topic probe", nullable=True),
        "topic_rate": Column(FLOAT, "share that the topic probe takes for the question's own group", nullable=True),
        "relevance": Column(FLOAT, "mean share of the other questions that a text is less like", nullable=True),
        "p_value": Column(FLOAT, "exact McNemar on hits against row 1", nullable=True),
        "p_holm": Column(FLOAT, "the same after Holm over the rows", nullable=True),
        "n_zero": Column(INT, "without a direction"),
        "n_ties": Column(INT, "ties for the nearest group"),
        "n_empty": Column(INT, "empty generations"),
        "n_truncated": Column(INT, "ended at the token limit"),
        "log_perplexity": Column(FLOAT, "mean, under the unsteered model", nullable=True),
        **{name: Column(FLOAT, f"mean: {meaning}", nullable=True) for name, meaning in TEXT_METRICS.items()},
        "distinct_across": Column(FLOAT, "distinct over all 2-grams, of all texts together", nullable=True),
        "length_ratio": Column(FLOAT, "mean", nullable=True),
        "eos_rate": Column(FLOAT, "share that ended by itself, with an end token", nullable=True),
        "stop_rate": Column(FLOAT, "share that ended at a stop string, none in chats", nullable=True),
    },
    ("condition",),
)
BY_JUDGE = Schema(
    "comparison by judge",
    {
        "judge": Column(TEXT, "judge, or relevance"),
        "sees": Column(TEXT, "style, topic, both, or question for relevance"),
        "condition": Column(TEXT, "row"),
        "targets": Column(TEXT, "own or cross"),
        "n": Column(INT, "generations"),
        "rate": Column(FLOAT, "share that it sees in the target group (relevance: mean)", nullable=True),
        "rate_low": Column(FLOAT, "end of the interval of evaluation.confidence", nullable=True),
        "rate_high": Column(FLOAT, "end of the interval of evaluation.confidence", nullable=True),
        "gain": Column(FLOAT, "rise against row 1, paired", nullable=True),
        "gain_low": Column(FLOAT, "end of the interval of evaluation.confidence", nullable=True),
        "gain_high": Column(FLOAT, "end of the interval of evaluation.confidence", nullable=True),
        "stay": Column(FLOAT, "share that it sees in the question's group", nullable=True),
        "stay_gain": Column(FLOAT, "rise of that against row 1, paired", nullable=True),
        "stay_gain_low": Column(FLOAT, "end of the interval of evaluation.confidence", nullable=True),
        "stay_gain_high": Column(FLOAT, "end of the interval of evaluation.confidence", nullable=True),
        "on_topic_gain": Column(
            FLOAT, "gain among the pairs of which the topic probe takes both for the question's group", nullable=True
        ),
        "on_topic_n": Column(INT, "these pairs"),
        "ceiling": Column(FLOAT, "macro accuracy of the judge on human answers of this length", nullable=True),
    },
    ("judge", "condition", "targets"),
)
AGREEMENT = Schema(
    "agreement of judges",
    {
        "judge": Column(TEXT, "judge"),
        "other": Column(TEXT, "another judge"),
        "targets": Column(TEXT, "own or cross"),
        "n": Column(INT, "conditions that both judged"),
        "same_sign": Column(FLOAT, "share of them whose gains have the same sign", nullable=True),
        "spearman": Column(FLOAT, "rank correlation of the gains; null where one does not vary", nullable=True),
    },
    ("judge", "other", "targets"),
)
CONTRASTS = Schema(
    "contrasts",
    {
        "condition": Column(TEXT, "row"),
        "against": Column(TEXT, "the row it is compared with"),
        "measure": Column(
            TEXT,
            "hit_rate, correct_change_rate or group_change_rate; by a judge hit_rate or cross_hit_rate and its name",
        ),
        "difference": Column(FLOAT, "paired difference"),
        "low": Column(FLOAT, "end of the interval of evaluation.confidence"),
        "high": Column(FLOAT, "end of the interval of evaluation.confidence"),
        "n_questions": Column(INT, "clusters"),
    },
    ("condition", "against", "measure"),
)
NEAREST = Schema(
    "nearest groups of row 1",
    {
        "source": Column(TEXT, "human (test answers) or model (row 1)"),
        "question_group": Column(TEXT, "group that the question was put to"),
        "nearest": Column(TEXT, "nearest group embedding"),
        "n": Column(INT, "texts"),
        "share": Column(FLOAT, "of the question group's texts"),
    },
    ("source", "question_group", "nearest"),
)
RATES = Schema(
    "rates",
    {
        "probe": Column(TEXT, "what was timed"),
        "unit": Column(TEXT, "what is counted"),
        "n": Column(INT, "units timed", "units"),
        "seconds": Column(FLOAT, "time they took", "s"),
        "rate": Column(FLOAT, "per unit: median over the rounds (mean over steps of training)", "s"),
        "device": Column(TEXT, "name of the GPU, or cpu"),
        "dtype": Column(TEXT, "float32, bfloat16, or products in bfloat16"),
        "threads": Column(INT, "CPU threads"),
    },
    ("probe",),
)
ESTIMATE = Schema(
    "estimate",
    {
        "rule": Column(TEXT, "rule of the workflow"),
        "unit": Column(TEXT, "what is counted"),
        "bound": Column(TEXT, "exact, or at most: the run may need fewer units"),
        "units": Column(INT, "units that the config implies", "units"),
        "rate": Column(FLOAT, "per unit, as probed", "s"),
        "jobs": Column(INT, "jobs of the rule that do these units", "jobs"),
        "hours": Column(FLOAT, "machine hours of all jobs, their starts included", "h"),
        "gpu_hours": Column(FLOAT, "hours times the GPUs of a job; 0 where the probe found none", "h"),
        "share": Column(FLOAT, "of all hours"),
        "device": Column(TEXT, "that the rate was probed on"),
    },
    ("rule", "unit"),
)
