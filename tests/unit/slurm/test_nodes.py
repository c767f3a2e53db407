"""Bad nodes."""

from __future__ import annotations

from pathlib import Path

from sociolect.slurm.nodes import BadNode, bad_nodes, excluded, record_bad_node


def test_bad_nodes_expire_are_capped_and_never_all_of_a_partition(tmp_path: Path) -> None:
    record_bad_node(tmp_path, "node01", "5", "D: no\n interpreter")
    (found,) = bad_nodes(tmp_path)
    assert (found.node, found.job, found.reason) == ("node01", "5", "D: no interpreter")
    assert bad_nodes(tmp_path, found.time + 86401) == [] and not list((tmp_path / "bad_nodes").iterdir())
    many = [BadNode(f"n{i:02}", 100.0 - i, "1", "r") for i in range(20)]
    assert excluded(many, [f"n{i:02}" for i in range(20)]) == [f"n{i:02}" for i in range(8)], "the newest eight"
    assert excluded(many[:2], ["n00", "n01"]) == ["n00"]
    assert excluded(many[:1], ["n00"]) == [] and excluded(many, ["other"]) == []
