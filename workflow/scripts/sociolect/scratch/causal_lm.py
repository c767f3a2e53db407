"""A tiny Llama, trained from scratch on chats: loss on the assistant's turn only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional as F
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from sociolect.common.errors import InputError
from sociolect.common.progress import Report
from sociolect.common.seeds import seed_of
from sociolect.scratch.chats import Chat
from sociolect.scratch.tokenizer import ROLE_TOKENS
from sociolect.settings.models import ScratchLm

IGNORED = -100
# The answer keeps at least this share of the longest chat; a longer user turn is cut at its end.
ANSWER_SHARE = 0.5
WARMUP_SHARE = 0.1
WEIGHT_DECAY = 0.01
MAX_GRADIENT_NORM = 1.0
# Three times the usual: a narrow model finds the instructions in half the steps.
INITIAL_DEVIATION = 0.06
# Batches of similar lengths are cut from pools of this many batches: less padding.
POOL = 16


@dataclass(frozen=True)
class EncodedChat:
    """Token ids and labels [n_tokens]; a label is the token's own id (the model shifts), or -100 for no loss."""

    ids: list[int]
    labels: list[int]


def encode_chat(chat: Chat, tokenizer: PreTrainedTokenizerFast, max_tokens: int) -> EncodedChat | None:
    """Tokens of a chat as its chat template renders it; labels on the assistant's content and its EOS only.

    Where the chat is longer than `max_tokens`, the user turn is cut to leave half of it to the answer, then the
    answer is cut; a cut answer has no EOS to learn. None where the system turn leaves no room for a question.
    """
    turns = {m["role"]: _content(m["content"], tokenizer) for m in chat.messages()}
    eos = int(tokenizer.eos_token_id)
    role = {name: _content(ROLE_TOKENS[name], tokenizer) for name in turns}
    answer = [*turns.pop("assistant"), eos]
    fixed = 2 + 2 * len(turns) + len(turns.get("system", []))
    kept = min(len(answer), int(max_tokens * ANSWER_SHARE))
    room = max_tokens - fixed - kept
    if room < 1:
        return None
    user = turns["user"][:room]
    ids = [int(tokenizer.bos_token_id)]
    if "system" in turns:
        ids += [*role["system"], *turns["system"], eos]
    ids += [*role["user"], *user, eos, *role["assistant"]]
    answer = answer[: max_tokens - len(ids)]
    return EncodedChat(ids + answer, [IGNORED] * len(ids) + answer)


def _content(text: str, tokenizer: PreTrainedTokenizerFast) -> list[int]:
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])


def build_causal_lm(tokenizer: PreTrainedTokenizerFast, settings: ScratchLm, seed: int) -> LlamaForCausalLM:
    """A Llama with random weights.

    Raises:
        InputError: heads do not divide the width into even parts.
    """
    if settings.hidden % (2 * settings.heads):
        raise InputError(
            f"scratch.lm: hidden is {settings.hidden}, heads is {settings.heads}; type a hidden that is a multiple of "
            "2 * heads"
        )
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=settings.hidden,
        intermediate_size=2 * settings.hidden,
        num_hidden_layers=settings.layers,
        num_attention_heads=settings.heads,
        num_key_value_heads=settings.heads,
        max_position_embeddings=max(1024, settings.max_tokens),
        tie_word_embeddings=True,
        initializer_range=INITIAL_DEVIATION,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    # transformers initializes from the global generator: leave it as it was found.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed_of(seed, "scratch lm", "weights"))
        model = LlamaForCausalLM(config)
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.generation_config.bos_token_id = tokenizer.bos_token_id
    return model


def train_causal_lm(
    chats: Sequence[Chat],
    tokenizer: PreTrainedTokenizerFast,
    settings: ScratchLm,
    seed: int,
    progress: Report,
) -> LlamaForCausalLM:
    """Train a tiny Llama from scratch.

    AdamW, linear warm-up over a tenth of the steps, cosine decay to zero. Runs on the CPU with the threads that
    torch has; float32.

    Args:
        chats: all chats; walked through in epochs, each in a new order.
        tokenizer: with chat template and role tokens, as `train_tokenizer` makes it.
        settings: size and optimizer.
        seed: of weights and order.
        progress: called with (step, steps, message) after every step; the message holds the mean loss.

    Returns:
        The model in evaluation mode.

    Raises:
        InputError: no chat fits into max_tokens, or the loss is not finite.
    """
    encoded = [e for e in (encode_chat(c, tokenizer, settings.max_tokens) for c in chats) if e is not None]
    if not encoded:
        raise InputError(f"scratch.lm: no chat fits into max_tokens {settings.max_tokens}; raise it")
    model = build_causal_lm(tokenizer, settings, seed)
    decayed = [p for p in model.parameters() if p.dim() > 1]
    plain = [p for p in model.parameters() if p.dim() <= 1]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": WEIGHT_DECAY}, {"params": plain, "weight_decay": 0.0}],
        lr=settings.learning_rate,
        betas=(0.9, 0.98),
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, settings.steps))
    model.train()
    recent: list[float] = []
    for step, batch in enumerate(_batches(encoded, settings, seed), start=1):
        loss = _loss(model, batch, int(tokenizer.pad_token_id))
        if not torch.isfinite(loss):
            raise InputError(
                f"scratch.lm: the loss is {loss.item()} at step {step}; lower learning_rate ({settings.learning_rate})"
            )
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), MAX_GRADIENT_NORM)
        optimizer.step()
        schedule.step()
        recent = [*recent[-49:], loss.item()]
        progress(step, settings.steps, f"loss {np.mean(recent):.3f}")
    return model.eval()


def _rate(step: int, steps: int) -> float:
    warmup = max(1, int(WARMUP_SHARE * steps))
    if step < warmup:
        return (step + 1) / warmup
    return 0.5 * (1.0 + float(np.cos(np.pi * (step - warmup) / max(1, steps - warmup))))


def _batches(encoded: Sequence[EncodedChat], settings: ScratchLm, seed: int) -> Iterator[list[EncodedChat]]:
    """`steps` batches of chats of similar length, in an order that depends on the seed alone."""
    rng = np.random.default_rng(seed_of(seed, "scratch lm", "order"))
    size, done = settings.batch_size, 0
    queue: list[int] = []
    while done < settings.steps:
        while len(queue) < size * POOL:
            queue += [int(i) for i in rng.permutation(len(encoded))]
        pool = sorted(queue[: size * POOL], key=lambda i: (len(encoded[i].ids), i))
        queue = queue[size * POOL :]
        for b in rng.permutation(POOL)[: settings.steps - done]:
            yield [encoded[i] for i in pool[int(b) * size : (int(b) + 1) * size]]
            done += 1


def _loss(model: LlamaForCausalLM, batch: Sequence[EncodedChat], pad_id: int) -> torch.Tensor:
    """Mean cross-entropy per labeled token, nats. Logits are made for labeled positions only."""
    length = max(len(e.ids) for e in batch)
    ids = torch.full((len(batch), length), pad_id)
    labels = torch.full((len(batch), length), IGNORED)
    for row, e in enumerate(batch):
        ids[row, : len(e.ids)] = torch.tensor(e.ids)
        labels[row, : len(e.labels)] = torch.tensor(e.labels)
    # Padding is at the end, where a causal model cannot see it: no mask is needed.
    hidden = model.model(input_ids=ids, use_cache=False).last_hidden_state[:, :-1]
    target = labels[:, 1:]
    wanted = target != IGNORED
    return F.cross_entropy(model.lm_head(hidden[wanted]), target[wanted])
