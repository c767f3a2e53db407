"""The describer that asks a server the same questions, in chats: what was answered is kept, and never asked again.

Decoding is greedy as far as the server's word goes: temperature 0 and a seed are sent, and who answered is counted.
"""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from sociolect.attributes.description_prompts import DescriptionPrompts, cut_text, read_description_prompts
from sociolect.attributes.parsing import Said, read_outputs
from sociolect.attributes.reply_journal import KeptReply, ReplyJournal
from sociolect.common.digests import digest_of
from sociolect.common.errors import InputError
from sociolect.common.progress import Report
from sociolect.common.runtime import Job
from sociolect.lm.chat_request import SEEDS, chat_of
from sociolect.lm.chat_server import ChatServer
from sociolect.lm.server_key import key_of
from sociolect.lm.server_reply import ServerReply
from sociolect.lm.thoughts import ThoughtTally
from sociolect.settings.attributes import DescriptionSettings
from sociolect.settings.server import ServerSettings

__all__ = ["describe_by_server", "describe_with_server"]

log = logging.getLogger("sociolect")

# the first request is sent alone, and not for long where nobody answers
FIRST_ATTEMPTS = 3
# answers after which it is said that all of them are empty
LOOKED_AT = 20


def describe_by_server(
    answers: Sequence[str],
    prompts: DescriptionPrompts,
    server: ChatServer,
    settings: DescriptionSettings,
    cache: Path,
    seed: int,
    progress: Report | None = None,
) -> tuple[list[list[Said]], dict[str, Any]]:
    """Ask every question about every answer.

    Args:
        answers: their texts.
        prompts: the questions.
        server: answers them.
        settings: limits of prompt and output.
        cache: folder of what was answered; made where it is missing. The address is no part of a request's key: a
            server may move.
        seed: sent with every request.
        progress: called with (done, total) in prompts.

    Returns:
        For each answer (prompt id with version, sentence as said, attribute or None); and who answered, for the
        provenance.

    Raises:
        InputError: the server refuses a request, is not to be had, or says nothing.
    """
    ask, keys, bodies = server.server, list[list[str]](), dict[str, dict[str, Any]]()
    for answer in answers:
        keys.append([])
        for prompt in prompts.prompts:
            user = prompts.user_turn(prompt, cut_text(answer, settings.max_prompt_chars))
            body = chat_of(ask, prompts.system, user, settings.max_new_tokens, seed)
            keys[-1].append(key := digest_of(body))
            # the same text twice is asked once
            bodies[key] = body
    journal = ReplyJournal(cache / "server.jsonl")
    _ask_missing(bodies, server, journal, progress)
    kept = {key: journal.kept[key] for key in bodies}
    ids = [prompts.prompt_id(prompt) for prompt in prompts.prompts]
    outputs = {key: (one.reply.text, one.reply.finish_reason == "length") for key, one in kept.items()}
    return [read_outputs(ids, [outputs[key] for key in row]) for row in keys], _who(kept, ask, seed)


def describe_with_server(
    job: Job[DescriptionSettings], answers: Sequence[str]
) -> tuple[list[list[Said]], dict[str, Any]]:
    """What the server of a job says of each answer, and who answered.

    Args:
        job: of `describe_style`, with a file `prompts` and the flag `server`; its key comes from the environment.
        answers: their texts.

    Raises:
        InputError: there is no key, or see `describe_by_server`.
    """
    try:
        server = ServerSettings.model_validate_json(job.options["server"])
    except ValidationError as error:
        raise InputError(f"--server: {error.errors()[0]['msg']}") from None
    prompts, cache = read_description_prompts(job.path("prompts")), Path(job.options["cache"])
    with closing(ChatServer(server, key_of(server, os.environ))) as asked:
        return describe_by_server(
            answers, prompts, asked, job.settings, cache, job.seed("server"), job.progress("describe")
        )


def _ask_missing(
    bodies: Mapping[str, Mapping[str, Any]], server: ChatServer, journal: ReplyJournal, progress: Report | None
) -> None:
    """Ask what is not kept yet: one request alone, then so many at once. What is under way when one fails is kept."""
    missing = iter([key for key in bodies if key not in journal.kept])
    done, asked = sum(key in journal.kept for key in bodies), list[ServerReply]()

    def keep(key: str, reply: ServerReply) -> None:
        journal.add(key, KeptReply(reply, server.server.address))
        asked.append(reply)
        if progress is not None:
            progress(done + len(asked), len(bodies), "", done)
        _refuse_silence(asked)

    for first in islice(missing, 1):
        keep(first, server.ask(bodies[first], min(FIRST_ATTEMPTS, server.server.attempts)))
    with ThreadPoolExecutor(server.server.concurrency) as threads:
        _keep_busy(missing, lambda key: threads.submit(server.ask, bodies[key]), server, keep)
    tally = ThoughtTally()
    for reply in asked:
        tally.take(reply.thoughts, reply.text)
    tally.say()
    prompt_tokens, new_tokens = (sum(getattr(r, name) for r in asked) for name in ("prompt_tokens", "new_tokens"))
    log.info(
        "%d prompts were answered before; %d asked now: %d tokens of prompts, %d new",
        done,
        len(asked),
        prompt_tokens,
        new_tokens,
    )


def _keep_busy(
    missing: Iterator[str],
    submit: Callable[[str], Future[ServerReply]],
    server: ChatServer,
    keep: Callable[[str, ServerReply], None],
) -> None:
    running = {submit(key): key for key in islice(missing, server.server.concurrency)}
    failed: InputError | None = None
    try:
        while running:
            ended, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in ended:
                key = running.pop(future)
                try:
                    keep(key, future.result())
                except InputError as error:
                    failed = failed or error
                    server.give_up()
            if failed is None:
                running |= {submit(key): key for key in islice(missing, len(ended))}
    finally:
        # whatever ended this: no thread waits to ask again
        server.give_up()
    if failed is not None:
        raise failed


def _refuse_silence(asked: Sequence[ServerReply]) -> None:
    """Thousands of empty answers would be paid for."""
    if len(asked) != LOOKED_AT or any(reply.text for reply in asked):
        return
    reasons = ", ".join(f"{name} {n} times" for name, n in Counter(r.finish_reason for r in asked).most_common())
    raise InputError(
        f"the first {LOOKED_AT} answers are empty (ended by {reasons}); where the model thinks before them, raise "
        "description.max_new_tokens, or switch thinking off by description.server.extra, as the server has it: with "
        "vLLM {chat_template_kwargs: {enable_thinking: false}}"
    )


def _who(kept: Mapping[str, KeptReply], server: ServerSettings, seed: int) -> dict[str, Any]:
    """Who answered: each (address, model and fingerprint as reported), with its prompts."""
    found = Counter((one.address, one.reply.model, one.reply.fingerprint) for one in kept.values())
    replies = [one.reply for one in kept.values()]
    if len(versions := {(model, fingerprint) for _, model, fingerprint in found}) > 1:
        log.warning("warning: the server changed while it was asked: %d models or versions answered", len(versions))
    return {
        "backend": "server",
        "model": server.model,
        "temperature": server.extra.get("temperature", 0.0),
        "seed": server.extra.get("seed", seed % SEEDS),
        "extra": server.extra,
        "answered_by": [
            {"address": address, "model": model, "fingerprint": fingerprint, "prompts": n}
            for (address, model, fingerprint), n in sorted(found.items())
        ],
        "finish_reasons": dict(sorted(Counter(reply.finish_reason for reply in replies).items())),
        "tokens": {
            "prompt": sum(reply.prompt_tokens for reply in replies),
            "new": sum(reply.new_tokens for reply in replies),
        },
    }
