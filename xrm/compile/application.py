"""The compiled application: everything a request needs, made once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from xrm.compile.columns import DialectName
from xrm.compile.dependencies import Dependencies, dependencies
from xrm.compile.deriving import Derivation, derivation
from xrm.compile.fitting import Fit, beyond, fits
from xrm.compile.lazily import Lazily
from xrm.compile.policies import SYSTEM, Policies, expand, policies, quiet
from xrm.compile.reads import ReadCompiler
from xrm.compile.row_parts import RowsWrite, rows_writes
from xrm.compile.rules import Rules, rules
from xrm.compile.tables import Tables, tables
from xrm.compile.writes import EntityWrites, SystemWrites, entity_writes, system_writes
from xrm.model.application import Application
from xrm.model.entity import Entity


@dataclass(frozen=True, slots=True)
class CompiledEntity:
    entity: Entity
    rules: Rules
    writes: EntityWrites
    rows: tuple[RowsWrite, ...]
    derivation: Derivation
    fits: tuple[Fit, ...]
    blank: Mapping[str, tuple[()] | None]
    """A record before anything is said of it: every name, empty."""


@dataclass(frozen=True, eq=False)
class CompiledApplication:
    """``seen_by`` gives, for a set of roles, the read compiler with the policies of those roles beneath it."""

    model: Application
    tables: Tables
    dialect: DialectName
    entities: Mapping[str, CompiledEntity]
    system: SystemWrites
    dependencies: Dependencies
    _readers: dict[frozenset[str], ReadCompiler] = field(default_factory=dict)

    def policies(self, roles: frozenset[str]) -> Policies:
        return self.seen_by(roles).policies

    def seen_by(self, roles: frozenset[str]) -> ReadCompiler:
        found = self._readers.get(roles)
        if found is None:
            found = ReadCompiler(self.tables, policies(self.model, roles), self.dialect)
            self._readers[roles] = found
        return found

    def expand(self, roles: Iterable[str]) -> frozenset[str]:
        return expand(self.model, roles)


def compile_application(model: Application, dialect: DialectName) -> CompiledApplication:
    """Each entity is compiled when it is first asked for."""
    graph, made, everything = dependencies(model), tables(model), policies(model, SYSTEM)

    def compiled(name: str) -> CompiledEntity:
        return compile_entity(made, everything, graph, model.entities[name], dialect)

    return CompiledApplication(model, made, dialect, Lazily(model.entities, compiled), system_writes(made, dialect), graph)


def compile_entity(made: Tables, everything: Policies, graph: Dependencies, entity: Entity, dialect: DialectName) -> CompiledEntity:
    its_rules = rules(entity, quiet(everything.application, entity))
    its_rows = rows_writes(made, everything, entity, dialect)
    paths = (its_rules.paths | beyond(entity)).union(*({path for path in rows.parent_paths if "." in path} for rows in its_rows))
    own = [*entity.all_fields, "deleted_at", *(["derived"] if entity.derived else [])]
    return CompiledEntity(
        entity=entity,
        rules=replace(its_rules, paths=paths),
        writes=entity_writes(made, everything, entity, paths, dialect),
        rows=its_rows,
        derivation=derivation(made, everything, entity, graph, dialect),
        fits=fits(made, everything, entity, dialect),
        blank={**dict.fromkeys(own), **{rows.field.name: () for rows in its_rows}},
    )
