"""Which of three nodes that fail in the same way, one after the other, are recorded."""

from __future__ import annotations

from pathlib import Path

import pytest

from sociolect.slurm.blame import blame_nodes
from sociolect.slurm.evidence import Evidence
from sociolect.slurm.history import CAUSES
from sociolect.slurm.nodes import bad_nodes, record_bad_node
from sociolect.slurm.runs import Submitted, begin_run
from sociolect.slurm.verdicts import explain, read_causes

TABLE = read_causes(CAUSES)
FIRST = "error: CUDA error on the first matrix product: "
OWN = "error: generate_answers: RuntimeError: "
TRAILER = "\nCUDA kernel errors might be asynchronously reported at some other API call.\n"
UNREADY = (
    "UserWarning: CUDA initialization: Unexpected error from cudaGetDeviceCount(). Did you run some cuda functions "
    "before calling NumCudaDevices() that might have already set an error? Error 802: system not yet initialized "
    "(Triggered internally at ../c10/cuda/CUDAFunctions.cpp:108.)\n"
    "error: SLURM gave a GPU, torch cannot use it: torch 2.5.1+cu124 is built for 12.4; compare\n"
)
FULL = (
    "CUDA out of memory. Tried to allocate 2.00 MiB. GPU 0 has a total capacity of 79.15 GiB of which {n}.25 MiB is "
    "free. Process 424{n} has 79.1 GiB memory in use."
)
# what the program printed, {n} the number of its node; cause, and whether the first node is recorded until a second
# one fails so
CASES = {
    "torch has no kernels for it": (f"{FIRST}CUDA error: no kernel image is available for execution", "R", False),
    "driver too old for the build": (f"{OWN}CUDA driver version is insufficient for CUDA runtime", "R", False),
    "ECC": (f"{OWN}CUDA error: uncorrectable ECC error encountered{TRAILER}", "R", True),
    "unknown": (f"{OWN}CUDA error: unknown error{TRAILER}", "R", True),
    "busy": (f"{FIRST}CUDA error: all CUDA-capable devices are busy or unavailable", "R", True),
    "fabric manager": (UNREADY, "R", True),
    "wrong build": ("error: SLURM gave a GPU, torch cannot use it: torch 2.5.1 is built for 11.8; compare", "R", True),
    "full before we come": (FIRST + FULL, "R", True),
    "too small": (f"error: generate_answers: OutOfMemoryError: {FULL}", "H", False),
    "too small outside of torch": (f"{OWN}CUDA error: out of memory{TRAILER}", "H", False),
    "too small for cuBLAS": (f"{OWN}CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate`", "H", False),
    "the program's own": (f"{OWN}CUDA error: device-side assert triggered{TRAILER}", "X", False),
}


@pytest.mark.parametrize("name", CASES)
def test_faulty_gpu_blames_its_node_and_what_fails_everywhere_none(tmp_path: Path, name: str) -> None:
    text, cause, blames = CASES[name]
    run = begin_run(tmp_path, "", [])
    recorded = []
    for number in (1, 2, 3):
        sent = Submitted(f"{number}", "u", "r", slurm_log=str(tmp_path / f"{number}.log"))
        log = f"[start] program=r job={number} \n{text.format(n=number)}\n"
        entry = Evidence(sent, "FAILED", exit_code="1:0", node=f"g{number}", slurm_log="", rule_log=log)
        verdict = explain(entry, TABLE)
        assert verdict.cause == cause and "\n" not in verdict.line(), verdict.line()
        blame_nodes(run, [entry], TABLE)
        recorded.append([bad.node for bad in bad_nodes(tmp_path)])
    assert recorded == [["g1"] if blames else [], [], []]


def test_gpu_that_is_not_ready_is_not_answered_with_another_torch() -> None:
    entry = Evidence(Submitted("1", "u", "r"), "FAILED", node="g1", slurm_log="", rule_log=UNREADY)
    verdict = explain(entry, TABLE)
    assert "system not yet initialized" in verdict.title and "fabric manager" in verdict.remedy


def test_interpreter_that_several_nodes_lack_is_no_nodes_fault(tmp_path: Path) -> None:
    run = begin_run(tmp_path, "", [])
    recorded = []
    for number in (1, 2, 3):
        node = f"g{number}"
        said = f"preflight 91] .venv/bin/python is a link to /usr/bin/python3.11, which is not on {node}"
        sent = Submitted(f"{number}", "u", "r", slurm_log=str(tmp_path / f"{number}.log"))
        # job_env.sh's own record, before the failure is seen here
        record_bad_node(tmp_path, node, f"{number}", said.replace("]", ":"))
        blame_nodes(run, [Evidence(sent, "FAILED", exit_code="91:0", node=node, slurm_log=f"[{said}\n")], TABLE)
        recorded.append([bad.node for bad in bad_nodes(tmp_path)])
    assert recorded == [["g1"], [], []]
