# Sourced by every job before its Snakemake starts (precommand in config.yaml). POSIX sh.
# Says what the job got, checks what it needs, and keeps its caches on the node's own disk.
# A failed check ends the job with one line `[preflight <code>] ...`; `make why` knows the codes:
#   91 interpreter  92 several nodes  93 temporary files  94 environment  95 GPU  96 libraries

# ---- site: edit this if you must ------------------------------------------------------------------
# folder on the node's own disk for temporary files and caches (default: what SLURM or the node says, else /tmp)
: "${SOCIOLECT_TMP:=}"
# MB that must be free there
: "${SOCIOLECT_TMP_MB:=200}"
# seconds after which an import that does not come back is named and ended
: "${SOCIOLECT_IMPORT_LIMIT_S:=900}"
# 1: read torch's libraries once in a row before they are imported, for network file systems that are slow at random access
: "${SOCIOLECT_PREREAD:=0}"
# seconds that nvidia-smi has for its answer
: "${SOCIOLECT_GPU_WAIT_S:=60}"
# seconds that a job stays on a node that failed it, so that the node is not free at once for the next one
: "${SOCIOLECT_BAD_NODE_WAIT_S:=30}"
# ---------------------------------------------------------------------------------------------------

sociolect_began=$(date +%s)
# packages of another Python, before anything of ours runs
unset PYTHONPATH PYTHONHOME PYTHONSTARTUP
# the batch script, written by the plugin, says what this job is
sociolect_fact() { sed -n "s/.*--$1 '\{0,1\}\([^' ]*\).*/\1/p" "$0" 2>/dev/null | head -n 1; }
sociolect_target=$(sociolect_fact target-jobs)
sociolect_attempt=$(sociolect_fact attempt)
sociolect_python=$(sed -n 's/.*&& \(cd [^&]*&& \)\{0,1\}\([^ ]*\) -m snakemake .*/\2/p' "$0" 2>/dev/null | head -n 1)
sociolect_node=${SLURMD_NODENAME:-$(hostname)}

# sociolect_stop CODE MESSAGE [bad]: one line, a record of the node if the fault is its own, and out
sociolect_stop() {
    echo "[preflight $1] $2" >&2
    if [ "${3:-}" = bad ]; then
        mkdir -p .snakemake/sociolect/bad_nodes &&
            echo "$(date +%s) $SLURM_JOB_ID preflight $1: $2" >".snakemake/sociolect/bad_nodes/.$sociolect_node.$$" &&
            mv ".snakemake/sociolect/bad_nodes/.$sociolect_node.$$" ".snakemake/sociolect/bad_nodes/$sociolect_node"
        sleep "$SOCIOLECT_BAD_NODE_WAIT_S"
    fi
    exit "$1"
}

# sociolect_usable FOLDER: why it cannot hold temporary files; nothing if it can
sociolect_usable() {
    [ -d "$1" ] || { echo "$1 is not there"; return; }
    # a folder of its own: /tmp is everybody's
    sociolect_try=$(mktemp -d "$1/sociolect-try.XXXXXX" 2>/dev/null) || { echo "$1 cannot be written"; return; }
    printf '#!/bin/sh\nexit 0\n' 2>/dev/null >"$sociolect_try/run" && chmod 700 "$sociolect_try/run"
    [ -s "$sociolect_try/run" ] || echo "$1 cannot be written"
    [ ! -s "$sociolect_try/run" ] || "$sociolect_try/run" 2>/dev/null || echo "$1 is mounted noexec"
    rm -rf "$sociolect_try"
    sociolect_free=$(df -Pm "$1" 2>/dev/null | awk 'NR == 2 { print $4 }')
    [ "${sociolect_free:-0}" -ge "$SOCIOLECT_TMP_MB" ] || echo "$1 has ${sociolect_free:-0} MB free, wanted $SOCIOLECT_TMP_MB"
}

# sociolect_room_of FILE: MB free where it lies
sociolect_room_of() { df -Pm "$(dirname "$1")" 2>/dev/null | awk 'NR == 2 { free = $4 } END { print free == "" ? "-" : free }'; }

# At the end of the job: for a failed one the ends of the rule's log and heartbeat, since a retry writes over them.
sociolect_finish() {
    sociolect_code=$?
    trap - EXIT
    if [ -n "${SOCIOLECT_JOB_TMP:-}" ]; then
        sociolect_beat=$(cat "$SOCIOLECT_JOB_TMP/heartbeat" 2>/dev/null)
        if [ "$sociolect_code" != 0 ] && [ -n "$sociolect_beat" ]; then
            # printf: this shell's echo may take the JSON's backslashes for its own
            [ ! -s "$sociolect_beat" ] || printf '[heartbeat] %s\n' "$(cat "$sociolect_beat")" >&2
            echo "[log] the end of ${sociolect_beat%.beat}:" >&2
            tail -n 60 "${sociolect_beat%.beat}" >&2
        fi
        # a full disk leaves no other word: the log lies on it
        [ "$sociolect_code" = 0 ] || echo "[room] results=$(sociolect_room_of "${sociolect_beat:-results/log}") MB" \
            "project=$(sociolect_room_of ./log) MB tmp=$(sociolect_room_of "$SOCIOLECT_JOB_TMP") MB" >&2
        # a file that somebody still holds open may stay for a moment on some file systems, and its folder with it
        for sociolect_try in 1 2 3 4 5; do
            rm -rf "$SOCIOLECT_JOB_TMP" 2>/dev/null && [ ! -e "$SOCIOLECT_JOB_TMP" ] && break
            sleep 1
        done
        [ ! -e "$SOCIOLECT_JOB_TMP" ] || echo "[caches] left behind: $(find "$SOCIOLECT_JOB_TMP" | head -n 5 | tr '\n' ' ')" >&2
    fi
    echo "[end] job=$SLURM_JOB_ID rc=$sociolect_code seconds=$(($(date +%s) - sociolect_began))" >&2
    exit "$sociolect_code"
}
SOCIOLECT_JOB_TMP=
trap sociolect_finish EXIT
trap 'exit 143' TERM
trap 'exit 130' INT

# the first usable folder of these; those that were not are named
sociolect_skipped=
sociolect_room=
sociolect_last=
for sociolect_base in "$SOCIOLECT_TMP" "${SLURM_TMPDIR:-}" "${TMPDIR:-}" /tmp; do
    [ -n "$sociolect_base" ] && [ "$sociolect_base" != "$sociolect_last" ] || continue
    sociolect_last=$sociolect_base
    sociolect_why=$(sociolect_usable "$sociolect_base")
    if [ -z "$sociolect_why" ]; then
        sociolect_room=$sociolect_base
        # what a killed job left there, longer ago than any job runs
        find "$sociolect_base" -maxdepth 1 -name "sociolect-$(id -u)-*" -mtime +14 -exec rm -rf {} + 2>/dev/null
        break
    fi
    sociolect_skipped="${sociolect_skipped:+$sociolect_skipped; }$sociolect_why"
done

echo "[start] job=$SLURM_JOB_ID rule=${sociolect_target%%:*} wildcards=${sociolect_target#*:} attempt=${sociolect_attempt:--}" \
    "node=$sociolect_node nodes=${SLURM_JOB_NUM_NODES:-1} gpus=${SLURM_GPUS_ON_NODE:-0} cuda=${CUDA_VISIBLE_DEVICES:--}" \
    "cpus=${SLURM_CPUS_PER_TASK:-${SLURM_CPUS_ON_NODE:-1}} mem=${SLURM_MEM_PER_NODE:--} python=${sociolect_python:--}" \
    "tmp=${sociolect_room:--}${sociolect_skipped:+ (not: $sociolect_skipped)}" \
    "libraries=${LD_LIBRARY_PATH:--} files=$(ulimit -n) memory_kb=$(ulimit -v)" \
    "export=${SLURM_EXPORT_ENV:-ALL} kernel=$(uname -r) time=$(date +%Y-%m-%dT%H:%M:%S)" >&2

[ "${SLURM_JOB_NUM_NODES:-1}" = 1 ] ||
    sociolect_stop 92 "${SLURM_JOB_NUM_NODES} nodes ($SLURM_JOB_NODELIST) for a job that lives on one"

# what every Python of ours needs, and what is linked to libraries
sociolect_imports='import ctypes, ssl, zlib'
if [ -n "$sociolect_python" ]; then
    if [ ! -e "$sociolect_python" ]; then
        [ ! -L "$sociolect_python" ] ||
            sociolect_stop 91 "$sociolect_python is a link to $(readlink -m "$sociolect_python"), which is not on $sociolect_node" bad
        sociolect_stop 91 "$sociolect_python is not on $sociolect_node" bad
    fi
    sociolect_word=$("$sociolect_python" -S -c "$sociolect_imports" 2>&1) || {
        # libraries of another Python or of a module of the site: without them it may run
        [ -z "${LD_LIBRARY_PATH:-}" ] || ! env -u LD_LIBRARY_PATH "$sociolect_python" -S -c "$sociolect_imports" 2>/dev/null ||
            sociolect_stop 96 "LD_LIBRARY_PATH=$LD_LIBRARY_PATH, with it $sociolect_python does not run: $(echo "$sociolect_word" | tail -n 1)"
        sociolect_stop 91 "$sociolect_python ($(readlink -f "$sociolect_python")) does not run: $(echo "$sociolect_word" | tail -n 1)" bad
    }
    # the Makefile stamps the environment with the sum of its pins, as the last thing
    sociolect_env=${sociolect_python%/bin/*}
    if [ -f envs/core.txt ] && { [ "$sociolect_env" = "$PWD/.venv" ] || ls "$sociolect_env"/.pins-* >/dev/null 2>&1; }; then
        sociolect_pins=$(cat envs/core.txt envs/dev.txt 2>/dev/null | cksum | cut -d' ' -f1)
        [ -e "$sociolect_env/.pins-$sociolect_pins" ] ||
            sociolect_stop 94 "$sociolect_env has not the stamp .pins-$sociolect_pins: it is being made, or was made for other pins"
    fi
fi

[ -n "$sociolect_room" ] || sociolect_stop 93 "$sociolect_skipped" bad

# last, and after the line that says where this runs: a driver in a bad state may not even take the signal to end
if [ -n "${SLURM_GPUS_ON_NODE:-}" ] && command -v nvidia-smi >/dev/null 2>&1; then
    sociolect_driver=$(timeout -k 5 "$SOCIOLECT_GPU_WAIT_S" nvidia-smi --query-gpu=driver_version --format=csv,noheader 2>&1)
    sociolect_code=$?
    # 14: the GPU works and its infoROM is damaged, which is said beside the version
    case $sociolect_code in
    0 | 14) echo "[start] driver=$(echo "$sociolect_driver" | grep -v WARNING | head -n 1 | tr ' ' _)" >&2 ;;
    124 | 137) sociolect_stop 95 "nvidia-smi gave no answer in $SOCIOLECT_GPU_WAIT_S s" bad ;;
    *) sociolect_stop 95 "nvidia-smi failed: $(echo "$sociolect_driver" | head -n 1)" bad ;;
    esac
fi

SOCIOLECT_JOB_TMP=$(mktemp -d "$sociolect_room/sociolect-$(id -u)-$SLURM_JOB_ID.XXXXXX") ||
    sociolect_stop 93 "$sociolect_room cannot be written" bad
export SOCIOLECT_JOB_TMP SOCIOLECT_IMPORT_LIMIT_S
# temporary files and every cache that programs write, on the node's own disk, for this job alone
export TMPDIR="$SOCIOLECT_JOB_TMP" XDG_CACHE_HOME="$SOCIOLECT_JOB_TMP/cache" MPLCONFIGDIR="$SOCIOLECT_JOB_TMP/matplotlib"
export TRITON_CACHE_DIR="$SOCIOLECT_JOB_TMP/triton" TORCHINDUCTOR_CACHE_DIR="$SOCIOLECT_JOB_TMP/inductor"
export CUDA_CACHE_PATH="$SOCIOLECT_JOB_TMP/cuda" VLLM_CACHE_ROOT="$SOCIOLECT_JOB_TMP/vllm"
# no network, no installs, nothing written into the environment, no packages from the home folder
export HF_HUB_OFFLINE=1 TRANSFORMERS_OFFLINE=1 HF_DATASETS_OFFLINE=1 VLLM_NO_USAGE_STATS=1 DO_NOT_TRACK=1
export PIP_NO_INDEX=1 PYTHONNOUSERSITE=1 PYTHONDONTWRITEBYTECODE=1
# what is printed is in the log at once
export PYTHONUNBUFFERED=1
if [ "$SOCIOLECT_PREREAD" = 1 ]; then
    cat "${sociolect_env:-/nowhere}"/lib/python3*/site-packages/torch/lib/*.so* >/dev/null 2>&1 ||
        echo "[start] SOCIOLECT_PREREAD: no libraries of torch in ${sociolect_env:-the environment}" >&2
fi
