"""The numbers of a specification: entries with units, computed networks, and formulas over both."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import spec_formulas
import spec_units
from dltools.report import Finding, UnusableInput
from spec_formulas import FormulaError, Quantity, UnitError
from spec_names import CANONICAL, COUNT, RATE, SHARE, STANDARD
from spec_reading import Derived, Entry, Specification, as_number
from spec_units import Unit, UnknownUnit

# metrics have scales of their own, so that any word is a unit there
FREE_UNITS = ("task", "evaluation", "reported")


class NotKnown(FormulaError):
    """A value that a formula needs is missing in the paper; that is no fault of the formula."""


@dataclasses.dataclass(frozen=True)
class Result:
    """What a formula gave: its value in its own unit, and in base units."""

    derived: Derived
    value: float
    quantity: Quantity


class Values:
    """Looks up and computes; what is wrong on the way is in `findings`, what is open in `notes`."""

    def __init__(self, specification: Specification) -> None:
        self.specification = specification
        self.findings: list[Finding] = []
        self.notes: list[str] = []
        # by place: what an entry in conflict says, and what fits
        self.known_conflicts: dict[str, str] = {}
        self.units: dict[str, Unit | None] = {}
        self.standard: dict[str, Entry] = {}
        self.networks: dict[str, Any] = {}
        self.results: dict[str, Result] = {}
        self._uncounted: set[str] = set()
        self._failed: dict[str, str] = {}
        self._path: list[str] = []
        self._places: dict[str, list[str]] = {}
        for entry in specification.entries.values():
            self.units[entry.path] = self._unit(entry)
            self._places.setdefault(entry.name, []).append(entry.path)
            if entry.status == "in-conflict":
                said = [(entry.value, entry.source), *entry.competing]
                self.known_conflicts[entry.place] = "; ".join(f"{value} ({where})" for value, where in said)
        for name in specification.derived:
            self._places.setdefault(name, []).append(f"derived.{name}")
        self._find_standard()
        self._count_networks()
        for derived in specification.derived.values():
            self._compute(derived)

    def numbers(self, entry: Entry) -> Iterator[tuple[Quantity, str]]:
        """The value of an entry and its competing ones, in base units, each with its place; none for text."""
        unit = self.units[entry.path]
        if unit is None:
            return
        for value, where in ((entry.value, entry.source), *entry.competing):
            number = as_number(value)
            if number is not None:
                yield Quantity(number * unit.factor, unit.dimensions), where

    def quantity(self, name: str) -> Quantity:
        """The number behind a name of a formula.

        Raises:
            NotKnown: its value is missing, or was not computed.
            FormulaError: there is no such name, or it stands for no number.
        """
        head, _, rest = name.partition(".")
        if head in self.networks and rest:
            return self._of_network(head, rest)
        if head in self._uncounted and rest:
            raise NotKnown(f"networks.{head} was not computed")
        paths = [name] if rest else self._places.get(name, [])
        if len(paths) > 1:
            raise FormulaError(f"`{name}` may be {' or '.join(paths)}; write which one")
        path = paths[0] if paths else name
        section, _, own = path.partition(".")
        if section == "derived" and own in self.specification.derived:
            result = self._compute(self.specification.derived[own])
            if result is None:
                raise NotKnown(f"derived.{own} was not computed")
            return result.quantity
        entry = self.specification.entries.get(path)
        if entry is None:
            raise FormulaError(f"there is no value `{name}`")
        return self._entry_quantity(entry)

    def of_standard(self, name: str) -> Quantity | None:
        """The number of a standard name: an entry, else a formula of that name; None where there is no usable one."""
        entry, quantity = self.standard.get(name), None
        if entry is not None and self.units[entry.path] is not None and entry.number is not None:
            quantity = self._entry_quantity(entry)
        elif name in self.results:
            quantity = self.results[name].quantity
        if quantity is None or dict(quantity.dimensions) != dict(spec_units.parse(STANDARD[name].unit).dimensions):
            return None
        # others divide by it
        return quantity if quantity.value > 0 or STANDARD[name].bounds not in (COUNT, RATE) else None

    def _entry_quantity(self, entry: Entry) -> Quantity:
        unit = self.units[entry.path]
        if entry.value is None:
            raise NotKnown(f"{entry.path} is missing in the paper")
        if entry.number is None:
            raise FormulaError(f"{entry.path} is no number")
        if unit is None:
            raise NotKnown(f"{entry.path} has no usable value")
        return Quantity(entry.number * unit.factor, unit.dimensions)

    def _unit(self, entry: Entry) -> Unit | None:
        """The unit of an entry; a finding where it is not known, or not that of the entry's standard name."""
        standard = STANDARD.get(entry.name)
        try:
            unit = spec_units.parse(entry.unit)
        except UnknownUnit as error:
            if entry.section in FREE_UNITS:
                # a dimension of its own: two scores can be compared only when both are of one scale
                return Unit(entry.unit, 1.0, {entry.unit: 1})
            step = f"write it in {standard.unit}" if standard else 'write "1" for a plain number or text'
            self.findings.append(Finding("wrong-unit", entry.place, str(error), {"unit": entry.unit}, step))
            return None
        if standard is not None and as_number(entry.value) is not None:
            wanted = spec_units.parse(standard.unit)
            wrong_kind = bool(standard.kinds) and not unit.dimensions and unit.kind not in standard.kinds
            if dict(unit.dimensions) != dict(wanted.dimensions) or wrong_kind:
                self.findings.append(
                    Finding(
                        "wrong-unit",
                        entry.place,
                        f"`{entry.name}` is in {entry.unit!r}; it is counted in {standard.unit}",
                        {"unit": entry.unit, "expected": standard.unit},
                        "convert the value, or give the entry another name if it is something else",
                    )
                )
                return None
            if not self._possible(entry, standard.bounds, unit):
                return None
        return unit

    def _possible(self, entry: Entry, bounds: str, unit: Unit) -> bool:
        value = entry.number * unit.factor
        wrong = ""
        # a count in millions may be off by a rounding of floats
        if bounds == COUNT and (value <= 0 or abs(value - round(value)) > 1e-9 * value):
            wrong = "a whole number above 0"
        elif bounds == RATE and value <= 0:
            wrong = "above 0"
        elif bounds == SHARE and not 0 <= value <= 1:
            wrong = "between 0 and 1 (0 and 100 percent)"
        if wrong:
            message = f"`{entry.name}` is {entry.number:g} {entry.unit}; it must be {wrong}"
            self.findings.append(
                Finding("impossible-value", entry.place, message, {"value": entry.number}, f"read {entry.source} again")
            )
        return not wrong

    def _find_standard(self) -> None:
        for entry in self.specification.entries.values():
            name = CANONICAL.get(entry.name)
            if name is None:
                continue
            unit = self.units[entry.path]
            if entry.name != name and (
                unit is None or dict(unit.dimensions) != dict(spec_units.parse(STANDARD[name].unit).dimensions)
            ):
                continue  # an alias with another unit is something else
            if name not in self.standard or (entry.name == name and self.standard[name].name != name):
                self.standard[name] = entry

    def _count_networks(self) -> None:
        from dltools import architectures

        document = self.specification.document
        networks = document.content.get("networks")
        for name, config in (networks if isinstance(networks, dict) else {}).items():
            if not isinstance(config, dict) or not isinstance(config.get("family"), str):
                self._uncounted.add(name)  # the schema has said it
                continue
            where = document.where(("networks", name))
            try:
                given = {key: self._network_value(key, value) for key, value in config.items()}
                counts = architectures.count(given)
                if max(counts.parameters, counts.flops) > 1e300:
                    raise FormulaError("its sizes are beyond all numbers of computers; look for a slip in an exponent")
                self.networks[name] = counts
                continue
            except NotKnown as error:
                self.notes.append(f"networks.{name} cannot be computed: {error}")
            except (UnusableInput, FormulaError) as error:
                step = "see tools/dltools/architecture_keys.py for the keys"
                self.findings.append(Finding("bad-network", where, str(error), {}, step))
            self._uncounted.add(name)

    def _network_value(self, key: str, value: Any) -> Any:
        """A text that names an entry stands for the entry's value; whole numbers stay whole."""
        if not isinstance(value, str) or key == "family":
            return value
        paths = [value] if value in self.specification.entries else self._places.get(value, [])
        if len(paths) > 1:
            raise FormulaError(f"`{key}: {value}` may be {' or '.join(paths)}; write which one")
        if not paths or paths[0].startswith("derived."):
            return value
        entry = self.specification.entries[paths[0]]
        if entry.value is None:
            raise NotKnown(f"{entry.path} is missing in the paper")
        if self.units[entry.path] is None:
            raise NotKnown(f"{entry.path} has no usable value")
        number = entry.number
        return int(number) if number is not None and number == round(number) else entry.value

    def _of_network(self, name: str, what: str) -> Quantity:
        counts = self.networks[name]
        if what == "parameters":
            return Quantity(float(counts.parameters))
        if what in ("macs", "flops"):
            return Quantity(float(counts.flops), {"FLOP": 1, "example": -1})
        raise FormulaError(f"{name} has parameters, macs and flops, not {what!r}")

    def _compute(self, derived: Derived) -> Result | None:
        """The value of a formula; None, with one finding or note, where it has none."""
        name = derived.name
        if name in self.results or name in self._failed:
            return self.results.get(name)
        if name in self._path:
            cycle = [*self._path[self._path.index(name) :], name]
            for member in cycle[:-1]:
                self._failed[member] = "cycle"
            message = f"these formulas need each other: {' -> '.join(cycle)}"
            self.findings.append(
                Finding(
                    "derived-cycle", derived.place, message, {"cycle": cycle}, "take one of them from the paper instead"
                )
            )
            return None
        self._path.append(name)
        try:
            unit = spec_units.parse(derived.unit)
            quantity = spec_formulas.evaluate(spec_formulas.parse(derived.formula), self.quantity)
            if name in self._failed:
                return None
            if dict(quantity.dimensions) != dict(unit.dimensions):
                found, wanted = spec_formulas.shown(quantity.dimensions), spec_formulas.shown(unit.dimensions)
                raise UnitError(f"the formula gives {found}, not {derived.unit!r} ({wanted})")
            self.results[name] = Result(derived, quantity.value / unit.factor, quantity)
            return self.results[name]
        except NotKnown as error:
            if name not in self._failed:
                self._failed[name] = "open"
                self.notes.append(f"derived.{name} cannot be computed: {error}")
        except (UnknownUnit, UnitError) as error:
            self._fail(derived, "wrong-unit", error, "write number(x) where the paper itself drops the unit of x")
        except FormulaError as error:
            self._fail(derived, "bad-formula", error, "see `formula` in assets/paper-spec.schema.json")
        finally:
            self._path.pop()
        return None

    def _fail(self, derived: Derived, id: str, error: Exception, next_step: str) -> None:
        self._failed[derived.name] = id
        self.findings.append(Finding(id, derived.place, str(error), {"formula": derived.formula}, next_step))

    def entry(self, name: str) -> Entry | None:
        """The entry that a name or `section.name` stands for; None where there is none or more than one."""
        if name in self.specification.entries:
            return self.specification.entries[name]
        paths = [path for path in self._places.get(name, []) if not path.startswith("derived.")]
        return self.specification.entries[paths[0]] if len(paths) == 1 else None

    def shown(self) -> Mapping[str, Any]:
        """Every computed formula and network, for the report."""
        derived = {name: {"value": one.value, "unit": one.derived.unit} for name, one in self.results.items()}
        networks = {
            name: {
                "family": counts.family,
                "parameters": counts.parameters,
                "macs": counts.macs,
                "shapes": dict(counts.shapes),
                "parts": {part.name: part.parameters for part in counts.parts},
            }  # fmt: skip
            for name, counts in self.networks.items()
        }
        return {"derived": derived, "networks": networks}
