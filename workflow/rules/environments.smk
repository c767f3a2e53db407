# Where a program runs: environments and their interpreters, backends that generate, GPUs.

# Whether the measures themselves are the style vectors: nothing needs SFAM then.
MEASURED = CONFIG.labeling.scorer == "measured"
# Models that are fetched, not trained, and those of them that are meant for a GPU.
FETCHED = [
    name for name in ("sfam", "lm") if getattr(CONFIG.models, name) != "scratch" and not (MEASURED and name == "sfam")
]
LARGE = [name for name in FETCHED if not is_small(getattr(CONFIG.models, name))]
# Tiny and small models gain nothing from more threads; two of them side by side do.
MODEL_THREADS = 8 if LARGE else 1
# Whether answers are tagged.
TAGGED = CONFIG.syntax.tagger != "none"
# A large model without its GPU must not start on a CPU unseen; small ones take what they get.
GPUS = 1 if LARGE else "any"
# How the language model is asked; and the wording of documents, where it may be asked with one: a model from scratch has
# a chat template.
PROMPT_STYLE = CONFIG.prompts.style or "auto"
# What chats say for today; documents say nothing.
PROMPT_DATE = "none" if PROMPT_STYLE == "document" else CONFIG.prompts.date.isoformat()
ASKED_WITH_DOCUMENTS = PROMPT_STYLE == "document" or (PROMPT_STYLE == "auto" and "lm" in FETCHED)
DOCUMENT = CONFIG.prompts.document_file if ASKED_WITH_DOCUMENTS else []
# Keys of the section generation that say how a question is answered.
ANSWERING = {"max_new_tokens", "temperature", "top_p", "batch_tokens", "max_question_chars"}
# Keys of the section steering that say which attributes a group's prompts name.
NAMING = {"statistic", "transform", "n_eff", "named"}
# Who describes: the language model of the run, a server, or the describer itself, which asks nobody.
DESCRIBING = "itself"
if CONFIG.description.describer == "llm":
    DESCRIBING = "server" if CONFIG.backends["description"] == "server" else "model"
# Keys of the section description that it uses.
DESCRIBING_KEYS = set(type(CONFIG.description).model_fields) - {"backend", "server"}
if DESCRIBING == "server":
    DESCRIBING_KEYS = {"describer", "n_answers", "n_heldout", "max_new_tokens", "max_prompt_chars"}
# The profile's GPU partition and model are not for what runs no model.
asked = dict(workflow.resource_settings.overwrite_resources)
for rule_name, without in (("describe_style", DESCRIBING != "model"), ("label_answers", MEASURED)):
    if without:
        asked.pop(rule_name, None)
workflow.resource_settings.overwrite_resources = asked


def env_of(name):
    """Conda environment of a rule, for --sdm conda."""
    return (BASE / "envs" / f"{name}.yaml").as_posix()


def python_of(name):
    """Absolute interpreter of an environment, or the one of conda where that is in charge."""
    if "conda" in {str(method) for method in workflow.deployment_settings.deployment_method}:
        return "python"
    venv = BASE / f".venv-{name}" / "bin" / "python"
    # what tags is a part of the core environment that may be missing
    return sys.executable if name in ("core", "syntax") else venv.as_posix()


def memory(large):
    """Megabytes of a job that runs models: `large` with one for GPUs, less with small ones, least with tiny ones."""
    return growing(large if LARGE else 10300 if FETCHED else 4300)


def engine_of(stage):
    """Environment of a stage that generates."""
    return "vllm" if CONFIG.backends[stage] == "vllm" else "core"


def backend_of(stage):
    """The backend of a stage, as a flag; a key of vLLM's reruns only what uses vLLM."""
    name, how = CONFIG.backends[stage], {}
    if name == "vllm":
        how = {"vllm": section(CONFIG, "vllm")}
    elif name == "server":
        # what decides an answer
        how = {"server": {key: value for key, value in json.loads(server_json()).items() if key in ("model", "extra")}}
    return json.dumps({"backend": name, **how}, sort_keys=True)


def server_json():
    """The server that describes, as a flag."""
    return json.dumps(section(CONFIG, "description", only={"server"})["server"], sort_keys=True)


def probed_stage():
    """The stage whose backend is probed: one that generates with vLLM, if any does."""
    return "description" if engine_of("description") == "vllm" else "generation"


def code_of(program, stage):
    """Source digest of a program that generates: an edit of what only one backend needs reruns only what uses it."""
    served, models = "sociolect.attributes.served", "sociolect.attributes.llm"
    leave = {
        "transformers": (served, "sociolect.lm.vllm_backend"),
        "vllm": (served,),
        "server": (models, "sociolect.lm.vllm_backend"),
    }
    return source_digest(program, leave=leave[CONFIG.backends[stage]])


def gpus_of(stage):
    """GPUs that a stage asks for: vLLM may share a model among several."""
    return CONFIG.vllm.tensor_parallel if engine_of(stage) == "vllm" else 1


def needed(stage):
    """GPUs without which the stage's program must not start in a SLURM job."""
    return gpus_of(stage) if LARGE else "any"


def gpus_asked(wildcards):
    """Rules whose jobs ask for GPUs, and how many, as JSON; none where all models are small, whose jobs take a GPU only
    where there is one.
    """
    asked = {rule.name: rule.resources.get("gpu") for rule in workflow.rules} if LARGE else {}
    known = {name: gpus.value for name, gpus in asked.items() if gpus is not None and not gpus.is_evaluable()}
    return json.dumps({name: gpus for name, gpus in known.items() if gpus}, sort_keys=True)


# `.venv/bin/snakemake` without activation would find another python in `shell:`: its folder comes first, too.
# Where conda is in charge its own comes first already.
# Quoted, and braces doubled, which Snakemake fills: nothing in a folder's name is run.
places = {"SCRIPTS": SCRIPTS, "PYTHON_CORE": python_of("core"), "PYTHON_VLLM": python_of("vllm")}
if DESCRIBING == "server":
    # neither param nor command: where it is, and how fast it is asked, reruns nothing
    places["SERVER"] = server_json()
exports = "".join(f" {name}={shlex.quote(place)}" for name, place in places.items())
if python_of("core") != "python":
    exports += f' PATH={shlex.quote(Path(sys.executable).parent.as_posix())}:"$PATH"'
# A site's task prolog may set again what job_env.sh unset: packages of another Python before those of .venv.
shell.prefix(f"unset PYTHONPATH PYTHONHOME; export{exports}; ".replace("{", "{{").replace("}", "}}"))
