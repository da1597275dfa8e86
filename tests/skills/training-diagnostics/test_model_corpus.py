"""Both tools on healthy models and planted faults in two frameworks. `model_corpus.py --table` prints the same."""

from pathlib import Path

import corpus_healthy
import corpus_planted
import model_corpus
import probe_judging
import probe_model
import pytest
import sanity_suite

TOOLS = ("probe_model", "sanity_suite")
pytestmark = pytest.mark.usefixtures("quick_compilation")


@pytest.mark.parametrize("name", corpus_planted.FAULTS)
def test_planted_fault_is_found_and_its_right_twin_is_not_blamed(name):
    tool, wanted = corpus_planted.FAULTS[name]
    report = model_corpus.run(tool, name)
    assert wanted in {finding.id for finding in report.findings}
    assert report.verdict == "faults"
    assert report.exit_status == 1
    assert [finding.id for finding in model_corpus.run(tool, f"{name}_right").findings] == []


@pytest.mark.parametrize("name", corpus_healthy.TEST)
def test_nothing_is_found_in_a_healthy_model(name):
    for tool in TOOLS:
        report = model_corpus.run(tool, name)
        assert [(finding.id, finding.where) for finding in report.findings] == []
        assert report.exit_status in (0, 3)


def test_the_summary_of_the_repository_counts_the_same(capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["model_corpus.py", "--table"])
    model_corpus.main()
    counts = capsys.readouterr().out.splitlines()[-1]
    assert counts.startswith("planted faults found: ")
    summary = Path(__file__).resolve().parents[3] / "AGENT_ANALYSIS_SUMMARY.md"
    assert counts in summary.read_text(encoding="utf-8").splitlines()


def test_the_halves_are_disjoint_and_large_enough():
    assert len(corpus_healthy.TEST) >= 20
    assert not set(corpus_healthy.TEST) & set(corpus_healthy.TUNING)
    frameworks = {name.partition("_")[0] for name in corpus_healthy.TEST}
    assert frameworks == {"torch", "nnx", "linen", "equinox", "function"}


def test_every_finding_id_is_planted():
    planted = {wanted for _, wanted in corpus_planted.FAULTS.values()}
    promised = set()
    for text in (probe_model.__doc__, sanity_suite.__doc__):
        listed = text.partition("Findings: ")[2].partition(";")[0].partition(". Each")[0]
        promised |= {word.strip() for word in listed.replace("\n", " ").split(",")}
    assert promised == planted
    for wanted in promised - {"init-loss-unexpected"}:
        kinds = {name.partition("_")[0] == "torch" for name, both in corpus_planted.FAULTS.items() if both[1] == wanted}
        assert kinds == {True, False}, f"{wanted} is planted in one framework only"


def test_the_thresholds_lie_between_the_healthy_and_the_faulty_of_the_tuning_half():
    healthy, faulty = model_corpus.tuning()

    def largest(key):
        return max(row[key] for row in healthy.values() if row[key] == row[key])

    assert largest("loss over expected") < probe_judging.INIT_LOSS < faulty["tuning_exploding"]["loss over expected"]
    assert (
        largest("growth of activations") < probe_judging.EXPLODING < faulty["tuning_exploding"]["growth of activations"]
    )
    assert largest("dead share") < probe_judging.DEAD < faulty["tuning_dead"]["dead share"]
    assert largest("saturated share") < probe_judging.SATURATED < faulty["tuning_saturated_sigmoid"]["saturated share"]
    smallest = min(row["smallest over largest gradient"] for row in healthy.values())
    vanished = faulty["tuning_relu_default_20"]["smallest over largest gradient"]
    assert smallest > probe_judging.VANISHING > vanished
