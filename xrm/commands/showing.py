"""How plans and rehearsals are shown, as text and as JSON; and the file that holds a plan."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from xrm.bootstrap import Rehearsed
from xrm.commands import report
from xrm.errors import Invalid, Problem
from xrm.store.migrate import Plan, Step
from xrm.store.plans import counted

FILE_VERSION = 1


def as_text(made: Plan) -> str:
    if made.empty:
        return "nothing to do: the database is what the definition says"
    lines: list[str] = []
    for step in made.steps:
        lines += _step(step)
    lines += [f"- {one.words}" for one in made.writes]
    lines += [f"- compute anew what follows from other fields in the records of {entity}" for entity in made.recompute]
    lines += [f"- {words}" for one in made.records for words in one.words]
    if made.exported:
        lines.append(f"- before all else, export {', '.join(made.entities_exported)} with what is lost or replaced")
    if made.text_changed:
        lines.append("- make this definition the active release")
    return "\n".join([*lines, *_summary(made)])


def _step(step: Step) -> list[str]:
    loses = f"   LOSES {step.loses}" if step.loses else ""
    rows = f"   ({counted(step.rows, 'record')}{_about(step.seconds)})" if step.rows else ""
    online = "   online, before the others" if step.online else ""
    sql = [f"    {line.rstrip()}" for sql in step.sql for line in f"{sql};".splitlines()]
    return [f"- {step.words}{rows}{online}{loses}", *sql]


def _about(seconds: float | None) -> str:
    return "" if seconds is None else f", about {seconds:.1f} s" if seconds >= 0.1 else ", under 0.1 s"


def _summary(made: Plan) -> list[str]:
    """Whom it keeps waiting, and for about how long."""
    offline = [step for step in made.steps if not step.online]
    if not offline and not made.writes and not any(one.writes for one in made.records):
        return []
    seconds = sum(step.seconds or 0 for step in offline)
    rows = sum(step.rows or 0 for step in offline) + sum(one.count for one in made.writes)
    rows += sum(len(one.added) + len(one.changed) for one in made.records)
    reach = f" for {counted(rows, 'record')}" if rows else ""
    tables = ", ".join(made.locks) or "nothing that is in use"
    return [f"writers wait while it runs: about {max(seconds, 0.1):.1f} s{reach}; it locks {tables}"]


def as_json(made: Plan) -> str:
    return json.dumps(document(made), indent=2)


def document(made: Plan) -> dict[str, Any]:
    steps = [
        {
            "words": step.words, "sql": list(step.sql), "loses": step.loses, "rows": step.rows, "seconds": step.seconds,
            "online": step.online, "writers_wait": not step.online,
        }
        for step in made.steps
    ]  # fmt: skip
    writes = [{"words": one.words, "entity": one.entity, "field": one.field, "count": one.count} for one in made.writes]
    records = [
        {"words": list(one.words), "entity": one.entity, "added": list(one.added), "changed": dict(one.changed), "left": list(one.left)}
        for one in made.records
    ]
    body = {"empty": made.empty, "steps": steps, "release": made.text_changed, "digest": made.digest, "base": made.base}
    return body | {
        "recompute": list(made.recompute),
        "records": records,
        "writes": writes,
        "exports": list(made.entities_exported),
        "locks": list(made.locks),
    }


def rehearsed(found: Rehearsed, made: Plan) -> str:
    if found.problems:
        return f"rehearsed: it would be refused\n\n{report.as_text(found.problems)}"
    losing = any(step.loses for step in made.steps)
    lines = [f"rehearsed on a copy: it would be applied{', with --allow-loss' if losing else ''}"]
    for one in found.anew:
        if not one.changed and not one.refused:
            lines.append(f"- what follows from other fields stays as it is in the records of {one.entity}")
            continue
        lines.append(f"- {counted(one.changed, 'record')} of {one.entity} would be computed anew" + (":" if one.examples else ""))
        lines += [f"    {example}" for example in one.examples]
        if one.refused:
            lines += [f"- {counted(one.refused, 'record')} of {one.entity} could not be:", *(f"    {reason}" for reason in one.reasons)]
    return "\n".join(lines)


def rehearsed_json(found: Rehearsed) -> dict[str, Any]:
    anew = [
        {"entity": one.entity, "changed": one.changed, "examples": one.examples, "refused": one.refused, "reasons": one.reasons}
        for one in found.anew
    ]
    return {"problems": [problem.as_json() for problem in found.problems], "recompute": anew}


def write_file(made: Plan, source: int | None, path: Path) -> None:
    path.write_text(json.dumps({"xrm_plan": FILE_VERSION, "from": source, **document(made)}, indent=2) + "\n", encoding="utf-8")


def read_file(path: Path) -> dict[str, Any]:
    """Raises Invalid (XRM409) for what is no plan."""
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise Invalid(Problem("XRM409", f"{path} is not a plan: {reason}", hint="xrm plan --out FILE writes one")) from error
    if not isinstance(read, dict) or read.get("xrm_plan") != FILE_VERSION:
        raise Invalid(Problem("XRM409", f"{path} is not a plan", hint="xrm plan --out FILE writes one"))
    return read


def same(read: dict[str, Any], made: Plan) -> None:
    """Whether a plan made now is the one in the file: the definition, the release, the statements, and what is lost.

    Raises:
        Invalid: XRM409, with what moved.
    """
    now, timed = document(made), ("rows", "seconds")
    moved = []
    if read["digest"] != now["digest"]:
        moved.append("the definition has changed")
    if read["base"] != now["base"]:
        moved.append("another release was applied")
    old = [{key: value for key, value in step.items() if key not in timed} for step in read["steps"]]
    new = [{key: value for key, value in step.items() if key not in timed} for step in now["steps"]]
    if not moved and (old != new or any(read[key] != now[key] for key in ("writes", "records"))):
        moved.append("the data or the tables have changed")
    if moved:
        raise Invalid(Problem("XRM409", f"the plan in the file no longer fits: {', '.join(moved)}", hint="plan again"))
