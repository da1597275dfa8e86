"""`pluglint budget`: what packages cost in every session and when they are used. No rule is run."""

from __future__ import annotations

from pluglint import engine
from pluglint.budget import Budget, budget
from pluglint.commands.check import CLEAN, FINDINGS, UsageError, _write, settings
from pluglint.config import Config
from pluglint.discover import Discovery, NothingToCheck, discover
from pluglint.model import Workspace


def measure(targets: list[str], config: Config) -> Budget:
    """The budget of all packages in the targets, loaded together in this order."""
    try:
        found = engine.discover_all(targets, config)
    except NothingToCheck as error:
        raise UsageError(str(error)) from None
    return _together(found, config)


def _together(found: list[Discovery], config: Config) -> Budget:
    seen: dict = {}
    packages = list(dict.fromkeys(package for one in found for package in engine._packages(one, config, seen, {})))
    Workspace(packages)
    return budget(packages)


def exceeded(costs: Budget, limits: dict[str, int]) -> list[str]:
    """One sentence for each limit of the configuration that is passed."""
    found = []
    for name, what, value in (("always", "every session", costs.always), ("agents", "the agents' lines", costs.agents), ("skills", "the lines of skills and commands", costs.skills)):
        if name in limits and value > limits[name]:
            found.append(f"{what}: {value:,} characters, {limits[name]:,} are allowed (`budget.{name}`)")
    for one in costs.costs:
        limit = limits.get(f"{one.kind}-used")
        if limit is not None and one.used > limit:
            found.append(f"{one.kind} {one.name} when used: {one.used:,} characters, {limit:,} are allowed (`budget.{one.kind}-used`)")
    return found


def before(targets: list[str], config: Config, ref: str) -> Budget:
    """The budget at the commit where the present one and `ref` parted; targets that were not there cost nothing."""
    from pluglint.git import CannotCompare, entered, old_tree

    try:
        with old_tree(targets, ref) as tree, entered(tree.working_folder):
            found = []
            for target in tree.targets:
                try:
                    found.append(discover(target, config.exclude))
                except NothingToCheck:
                    continue
            return _together(found, config)
    except CannotCompare as error:
        raise UsageError(str(error)) from None


def run(targets: list[str], as_json: bool = False, config_path: str | None = None, since: str | None = None, output: str | None = None) -> int:
    config = settings(targets, config_path)
    costs = measure(targets, config)
    over = exceeded(costs, config.budget)
    from pluglint.report import budget as report

    render = report.as_json if as_json else report.as_text
    _write(render(costs, before(targets, config, since) if since is not None else None, over), output)
    return FINDINGS if over else CLEAN
