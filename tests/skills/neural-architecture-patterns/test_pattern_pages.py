"""The pages of the skill keep what they promise: each leaf of a decision tree cites its evidence."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
TREES = (ROOT / "skills/neural-architecture-patterns/references/decision-trees.md").read_text(encoding="utf-8")
CITED = re.compile(r"[A-Z][\w'-]+(?:\s+(?:and|et)\s+[\w.'-]+)*\s+(?:19|20)\d\d")


def sections():
    for part in TREES.split("\n## ")[1:]:
        title, _, body = part.partition("\n")
        leaves = re.findall(r"^\d+\. .*(?:\n   .*)*", body, re.MULTILINE)
        if leaves:
            yield pytest.param(leaves, body, id=title)


@pytest.mark.parametrize(("leaves", "body"), list(sections()))
def test_every_leaf_cites_evidence_and_every_tree_has_a_baseline(leaves, body):
    without = [leaf for leaf in leaves if not CITED.search(" ".join(leaf.split()))]
    assert without == []
    assert "Baseline: " in body


def test_trees_by_modality_data_budget_and_latency_are_there():
    titles = re.findall(r"^## (.*)$", TREES, re.MULTILINE)
    assert {"By the data there is", "By the training budget", "By latency and throughput", "Text"} <= set(titles)
