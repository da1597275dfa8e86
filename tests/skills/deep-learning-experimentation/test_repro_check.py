"""Running twice: equal with a seed, different with a planted unseeded shuffle, and what is refused."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SCRIPTS = ROOT / "skills/deep-learning-experimentation/scripts"
sys.path.insert(0, str(SCRIPTS))

import repro_check  # noqa: E402

TRAIN = """\
import json, random
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import SGDClassifier
data, labels = load_digits(return_X_y=True)
order = list(range(len(data)))
{seeding}
random.shuffle(order)
model = SGDClassifier(shuffle=False, max_iter=2, tol=None).fit(data[order[:1000]], labels[order[:1000]])
json.dump(model.coef_.tolist(), open("weights.json", "w"))
print(json.dumps({{"accuracy": model.score(data[order[1000:]], labels[order[1000:]])}}))
"""


def command(folder, *arguments):
    script = str(SCRIPTS / "repro_check.py")
    return subprocess.run([sys.executable, script, *arguments], capture_output=True, text=True, cwd=folder)


def check(folder, seeding):
    (folder / "train.py").write_text(TRAIN.format(seeding=seeding))
    options = ["--output", "weights.json", "--metric", "accuracy", "--environment", "environment.json", "--json"]
    return command(folder, *options, "--", sys.executable, "train.py")


def test_the_same_seed_is_the_same(tmp_path):
    result = check(tmp_path, "random.seed(0)")
    answer = json.loads(result.stdout)
    assert (result.returncode, answer["verdict"], answer["findings"]) == (0, "same", [])
    assert answer["measured"]["sources"] == []
    kept = json.loads((tmp_path / "environment.json").read_text())
    assert kept["packages"]["numpy"] and kept["python"] and kept["git"]["commit"] is None


def test_an_unseeded_shuffle_differs_and_is_named(tmp_path):
    result = check(tmp_path, "")
    answer = json.loads(result.stdout)
    assert (result.returncode, answer["verdict"]) == (1, "different")
    finding = answer["findings"][0]
    assert (finding["id"], finding["where"]) == ("output-differs", "weights.json")
    assert finding["values"]["at"] == "[0][0]" or finding["values"]["at"].startswith("[")
    assert "random.shuffle" in finding["next_step"] and "line 8" in finding["next_step"]


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("import numpy as np\nnp.random.permutation(3)", "line 2: np.random.permutation"),
        ("import numpy\nnumpy.random.shuffle([1])", "np.random.shuffle"),
        ("import numpy as np\nnp.random.seed(0)\nnp.random.permutation(3)", ""),
        ("import numpy as np\nnp.random.default_rng()", "default_rng() without a seed"),
        ("import numpy as np\nnp.random.default_rng(0)", ""),
        ("from torch import nn\nnn.Linear(2, 2)", "torch.manual_seed is never called"),
        ("import torch\ntorch.manual_seed(0)\ntorch.nn.Linear(2, 2)", ""),
        ("for x in set(['a', 'b']): print(x)", "order of a set"),
        ("import os\nos.listdir('.')", "no fixed order"),
        ("import torch\nmodel.to('cuda')", "use_deterministic_algorithms"),
        ("import torch\ntorch.use_deterministic_algorithms(True)\nmodel.to('cuda')", "CUBLAS_WORKSPACE_CONFIG"),
        ("import time\ntime.time()", "time.time differs"),
        ("not python at all", ""),
    ],
)
def test_sources(tmp_path, code, found):
    (tmp_path / "x.py").write_text(code)
    seen = repro_check.sources(tmp_path / "x.py", environment={})
    assert found in " ".join(seen) if found else seen == []


def test_a_failing_command_leaves_the_earlier_files(tmp_path):
    (tmp_path / "w.bin").write_text("earlier")
    assert command(tmp_path, "--output", "w.bin", "--", "false").returncode == 2
    assert (tmp_path / "w.bin").read_text() == "earlier"


def test_a_fixed_hash_seed_is_no_source(tmp_path):
    (tmp_path / "x.py").write_text("set(['a'])")
    assert repro_check.sources(tmp_path / "x.py", environment={"PYTHONHASHSEED": "0"}) == []


def test_printed_text_is_compared_when_nothing_is_named(tmp_path):
    (tmp_path / "x.py").write_text("import os\nprint('start')\nprint(os.getpid())\n")
    result = command(tmp_path, "--", sys.executable, "x.py")
    assert result.returncode == 1 and "print-differs  line 2" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--", "no-such-program"], "cannot run no-such-program"),
        (["--", "sh", "-c", "echo oh >&2; exit 5"], "status 5: oh"),
        (["--timeout", "0.2", "--", "sleep", "5"], "did not end within 0.2 s"),
        (["--output", "x.bin", "--", "true"], "did not write x.bin"),
        (["--metric", "loss", "--", "echo", '{"accuracy": 1}'], "--metric loss"),
    ],
)
def test_unusable(tmp_path, arguments, message):
    result = command(tmp_path, *arguments)
    assert result.returncode == 2
    assert message in result.stderr and "Traceback" not in result.stderr
