#!/bin/sh
# What a GPU is to show, for six minutes at most, where no package index can be reached.
#   bash benchmarks/gpu.sh --json FILE      PYTHON=python3, PACKAGES=.gpu-packages (made by: make gpu-packages)
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
python=${PYTHON:-python3}
packages=${PACKAGES:-$root/.gpu-packages}
if [ -d "$packages" ]; then
    missing=$("$python" "$root/benchmarks/gpu_packages.py" missing --folder "$packages")
    if [ -n "$missing" ]; then
        added=$(mktemp -d)
        trap 'rm -rf "$added"' EXIT
        # shellcheck disable=SC2086  # one word per package
        "$python" -m pip install --quiet --disable-pip-version-check --no-index --no-deps --find-links "$packages" \
            --target "$added" $missing
        export PYTHONPATH="$added${PYTHONPATH:+:$PYTHONPATH}"
        echo "added from $packages: $missing"
    fi
fi
export HF_HUB_OFFLINE=1 TOKENIZERS_PARALLELISM=true PYTHONUNBUFFERED=1
# asking whether there is a GPU must not make a context on it in the process that only starts the others
export PYTORCH_NVML_BASED_CUDA_CHECK=1
"$python" "$root/benchmarks/gpu.py" "$@"
