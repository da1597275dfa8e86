"""Ablations: designs, resuming after kills, commands that fail or hang, and planted factors on digits."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
SCRIPTS = ROOT / "skills/deep-learning-experimentation/scripts"
sys.path.insert(0, str(SCRIPTS))

import run_ablation as tool  # noqa: E402
from dltools.report import UnusableInput  # noqa: E402

COMMAND = [sys.executable, str(SCRIPTS / "run_ablation.py")]
SHELL = """\
echo "$1 $2 $3" >> started.txt
sleep 0.02
echo "{\\"score\\": $1.$2$3}"
"""
TRAIN = """\
import json, sys, warnings
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
warnings.simplefilter("ignore")
seed, scaled, useless = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
data, labels = load_digits(return_X_y=True)
data = data / 16 if scaled == "unit" else data / 1600
split = train_test_split(data, labels, test_size=500, random_state=0, stratify=labels)
# `useless` only moves the seed: what it does cannot be more than noise
model = MLPClassifier((16,), max_iter=8, learning_rate_init=0.01, random_state=seed + 1000 * useless)
model.fit(split[0], split[2])
print(json.dumps({"accuracy": model.score(split[1], split[3])}))
"""


def write(folder, **changes):
    plan = {
        "design": "full",
        "factors": {"a": {"with": 1, "without": 0}, "b": {"with": 1, "without": 0}},
        "seeds": list(range(10)),
        "command": "sh run.sh {seed} {a} {b}",
        "metric": "score",
        "timeout": 20,
        **changes,
    }
    (folder / "run.sh").write_text(SHELL)
    path = folder / "plan.yaml"
    path.write_text(yaml.safe_dump(plan))
    return path


def command(*arguments):
    return subprocess.run([*COMMAND, *map(str, arguments)], capture_output=True, text=True)


def lines(folder):
    return [json.loads(line) for line in (folder / "plan.results.jsonl").read_text().splitlines()]


def test_designs(tmp_path):
    three = {name: {"with": 1, "without": 0} for name in "abc"}

    def of(design):
        return {"".join(sorted(cell)) for cell in tool.cells({"design": design, "factors": three})}

    assert of("leave-one-out") == {"abc", "bc", "ac", "ab"}
    assert of("add-one-in") == {"", "a", "b", "c"}
    assert len(of("full")) == 8
    # balanced: every factor, and every pair of factors, present in half and a quarter of the cells
    half = of("fractional")
    assert half == {"abc", "a", "b", "c"}
    assert all(sum(x in cell for cell in half) == 2 for x in "abc")
    assert all(sum(x in cell and y in cell for cell in half) == 1 for x, y in ("ab", "ac", "bc"))


def test_killed_at_ten_random_points_nothing_is_lost_or_repeated(tmp_path):
    plan = write(tmp_path)
    rng = random.Random(0)
    kept: list[dict] = []
    kills = 0
    results = tmp_path / "plan.results.jsonl"
    while kills < 10:
        process = subprocess.Popen([*COMMAND, str(plan)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        # kill at a random moment after at least one further result, not during the start of Python
        size = results.stat().st_size if results.exists() else 0
        while process.poll() is None and (not results.exists() or results.stat().st_size == size):
            time.sleep(0.001)
        time.sleep(rng.uniform(0, 0.06))
        assert process.poll() is None, "all runs were done before ten kills"
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        kills += 1
        text = results.read_text()
        now = [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]
        assert now[: len(kept)] == kept
        kept = now
    assert command(plan).returncode in (0, 1)
    final = lines(tmp_path)
    assert final[: len(kept)] == kept
    keys = [entry["key"] for entry in final]
    assert len(keys) == len(set(keys)) == 40
    assert set(keys) == {run.key for run in tool.runs_of(tool.read_plan(plan))}
    # only what was running when it was killed was started again
    assert len((tmp_path / "started.txt").read_text().splitlines()) <= 40 + kills
    before = (tmp_path / "started.txt").read_text()
    command(plan)
    assert (tmp_path / "started.txt").read_text() == before


def test_a_cut_line_is_removed_and_a_damaged_one_is_named(tmp_path):
    plan = write(tmp_path, seeds=[1, 2])
    command(plan)
    results = tmp_path / "plan.results.jsonl"
    whole = results.read_text()
    results.write_text(whole[:-20])
    command(plan)
    assert sorted(x["key"] for x in lines(tmp_path)) == sorted(json.loads(x)["key"] for x in whole.splitlines())
    results.write_text("something else\n" + whole)
    result = command(plan)
    assert result.returncode == 2 and "line 1 is not a result" in result.stderr


def test_two_at_once_on_one_results_file(tmp_path):
    plan = write(tmp_path, seeds=[1, 2])
    with tool.results_file(tmp_path / "plan.results.jsonl"):
        result = command(plan)
    assert result.returncode == 2 and "in use" in result.stderr


def test_jobs_give_the_same_results(tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "three").mkdir()
    answers = []
    for folder, jobs in ((tmp_path / "one", 1), (tmp_path / "three", 3)):
        result = command(write(folder, seeds=[1, 2, 3]), "--jobs", jobs, "--json")
        answers.append(json.loads(result.stdout)["measured"])
    assert answers[0] == answers[1]


def test_failing_hanging_and_silent_commands_are_recorded(tmp_path):
    script = 'case $1$2 in 11) echo broken >&2; exit 7;; 10) sleep 60;; 21) echo hello;; '
    script += '20) echo "{\\"score\\": NaN}";; '
    script += '*) echo "{\\"score\\": 0.$1}";; esac\n'
    plan = write(tmp_path, factors={"a": {"with": 1, "without": 0}}, seeds=[1, 2, 3, 4], timeout=2,
                 command="sh bad.sh {seed} {a}")  # fmt: skip
    (tmp_path / "bad.sh").write_text(script)
    result = command(plan, "--json")
    answer = json.loads(result.stdout)
    assert result.returncode == 1
    by = {(x["seed"], len(x["present"])): (x["status"], x["reason"]) for x in lines(tmp_path)}
    assert by[1, 1] == ("failed", "status 7: broken")
    assert by[1, 0] == ("timeout", "killed after 2 s")
    assert (by[2, 1][0], by[2, 0][0]) == ("no-metric", "diverged")
    assert answer["findings"][0]["id"] == "runs-failed" and answer["findings"][0]["values"]["failed"] == 4
    # recorded, so not repeated; except when asked
    command(plan)
    assert len(lines(tmp_path)) == 8
    (tmp_path / "bad.sh").write_text('echo "{\\"score\\": 0.$1$2}"\n')
    assert json.loads(command(plan, "--retry-failed", "--json").stdout)["findings"] == []


def test_a_program_that_is_not_there(tmp_path):
    plan = write(tmp_path, seeds=[1, 2], command="no-such-program {seed} {a} {b}")
    result = command(plan, "--json")
    answer = json.loads(result.stdout)
    assert (result.returncode, answer["verdict"]) == (1, "cannot-decide")
    assert "no-such-program: No such file" in answer["findings"][0]["message"]


def test_one_seed_cannot_decide(tmp_path):
    result = command(write(tmp_path, seeds=[1]), "--json")
    assert (result.returncode, json.loads(result.stdout)["verdict"]) == (3, "cannot-decide")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"design": "everything"}, "design: 'everything'"),
        ({"factors": {}}, "factors"),
        ({"factors": {"a": {"with": 1}}}, "'without' is a required property"),
        ({"factors": {"a": {"with": 1, "without": 1}}}, "are the same"),
        ({"seeds": [1, 1]}, "non-unique"),
        ({"command": "sh run.sh {seed} {a}"}, "does not hold {b}"),
        ({"command": "sh run.sh {a} {b}"}, "does not hold {seed}"),
        ({"design": "fractional"}, "three factors"),
        ({"seed": [1]}, "'seed' was unexpected"),
        ({"timeout": 0}, "timeout"),
    ],
)
def test_unusable_plans(tmp_path, changes, message):
    with pytest.raises(UnusableInput) as error:
        tool.read_plan(write(tmp_path, **changes))
    assert message in str(error.value)


def test_a_plan_that_is_no_yaml_or_not_there(tmp_path):
    (tmp_path / "plan.yaml").write_text("a: [1")
    assert "not YAML" in command(tmp_path / "plan.yaml").stderr
    assert command(tmp_path / "none.yaml").returncode == 2


@pytest.mark.parametrize("design", ["full", "leave-one-out", "add-one-in", "fractional"])
def test_effects_by_hand(design):
    """score = 10 + 2 a - 1 b + 0 c + noise of the seed; every design finds the same effects."""
    plan = {"design": design, "factors": {n: {"with": 1, "without": 0} for n in "abc"}, "seeds": list(range(6)),
            "command": "{seed} {a} {b} {c}", "metric": "score", "higher_is_better": True, "paired": True}  # fmt: skip
    recorded = {}
    for run in tool.runs_of(plan):
        noise = random.Random(repr((run.seed, sorted(run.present)))).gauss(0, 0.01)
        value = 10 + 2 * ("a" in run.present) - ("b" in run.present) + 0.1 * run.seed + noise
        recorded[run.key] = {"status": "ok", "value": value}
    report = tool.analyse(plan, recorded)
    effects = report.measured["effects"]
    assert [effects[n]["effect"] for n in "abc"] == pytest.approx([2, -1, 0], abs=0.03)
    assert [effects[n]["shown"] for n in "abc"] == [True, True, False]
    assert [(f.id, f.where) for f in report.findings] == [("harmful-factor", "b")]


def test_planted_factors_on_digits(tmp_path):
    (tmp_path / "train.py").write_text(TRAIN)
    plan = write(
        tmp_path, design="leave-one-out", seeds=[0, 1, 2, 3], metric="accuracy", timeout=120,
        command=f"{sys.executable} train.py {{seed}} {{scaling}} {{useless}}",
        factors={"scaling": {"with": "unit", "without": "tiny"}, "useless": {"with": 1, "without": 0}},
    )  # fmt: skip
    result = command(plan, "--json")
    answer = json.loads(result.stdout)
    effects = answer["measured"]["effects"]
    assert (result.returncode, answer["verdict"]) == (0, "effects-shown")
    assert effects["scaling"]["shown"] and effects["scaling"]["interval"][0] > 0
    low, high = effects["useless"]["interval"]
    assert low < 0 < high and not effects["useless"]["shown"]
