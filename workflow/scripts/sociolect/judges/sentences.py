"""Vectors of whole texts by a sentence model of the user's, a local folder as sentence-transformers saves it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoModel, AutoTokenizer

from sociolect.common.errors import InputError
from sociolect.common.files import read_json
from sociolect.judges.text_judges import Encode

__all__ = ["sentence_encoder"]

_BATCH = 64


def sentence_encoder(folder: Path) -> Encode:
    """Texts -> unit vectors [n, d]: the mean over tokens, or the first token where the folder's pooling says so.

    Raises:
        InputError: the folder is no model with a tokenizer.
    """
    try:
        tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        model: Any = AutoModel.from_pretrained(folder, local_files_only=True).eval()
    except (OSError, ValueError) as error:
        raise InputError(f"evaluation.sentence_model {folder}: not a whole sentence model ({error})") from error
    pooling = folder / "1_Pooling" / "config.json"
    first = bool(read_json(pooling).get("pooling_mode_cls_token")) if pooling.is_file() else False
    limit = min(512, int(getattr(model.config, "max_position_embeddings", 512)))

    @torch.inference_mode()
    def encode(texts: Sequence[str]) -> np.ndarray:
        found = []
        for start in range(0, len(texts), _BATCH):
            batch = list(texts[start : start + _BATCH])
            tokens = tokenizer(batch, padding=True, truncation=True, max_length=limit, return_tensors="pt")
            hidden = model(**tokens).last_hidden_state
            mask = tokens["attention_mask"].unsqueeze(2)
            pooled = hidden[:, 0] if first else (hidden * mask).sum(dim=1) / mask.sum(dim=1)
            found.append(torch.nn.functional.normalize(pooled, dim=1).double().numpy())
        return np.concatenate(found) if found else np.empty((0, int(model.config.hidden_size)))

    return encode
