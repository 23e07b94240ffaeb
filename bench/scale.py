"""A large application: how long the check takes and the start, and how much memory, in processes of their own.

``python -m bench.scale [--entities N] [--fields N] [--json]``. The application is made up: links in a ring, choices, computed fields,
checks, lifecycles, views and access, as a large agency would have them. Times are of the processor and of the clock; memory is the most
that the process had (RSS).
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

CHECK = (
    "import sys; sys.argv = ['xrm', 'check', '--app', {folder!r}]\nfrom xrm.commands import main\n"
    "try: main()\nexcept SystemExit as end: assert not end.code"
)
START = (
    "from pathlib import Path; from xrm import bootstrap; from xrm.collecting import lasting; from xrm.settings import settings\n"
    "with lasting(): service = bootstrap.open_service(settings(Path({folder!r}))); bootstrap.asgi(service)\n"
    "from xrm.service.reading import Query, list_records; from xrm.service.context import SYSTEM_ACTOR;"
    "list_records(service.acting(SYSTEM_ACTOR), Query('e0', ('id', 'title')))"
)
IMPORTS = "from xrm import bootstrap"
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""An installation has its byte code."""


def application(entities: int, fields: int) -> Mapping[str, str]:
    """The files of an application with that many entities of that many fields."""
    files = {"xrm.yml": "xrm: 1\nname: large\nroles: {agent: Agent, boss: {includes: agent}}\n"}
    for n in range(entities):
        files[f"entities/e{n}.yml"] = _entity(n, entities, fields)
    return files


def _entity(n: int, entities: int, fields: int) -> str:
    kinds = (
        "{type: text, required: true, length: 80}",
        f"{{type: link, to: e{(n + 1) % entities}}}",
        "{type: choice, options: [low, middle, high], default: low}",
        "{type: decimal, min: 0, max: 1000, places: 2}",
        '{type: date, required: f2 == "high"}',
        "{compute: =f3 * 2}",
        "{type: money, min: 0}",
        "{type: boolean, default: false}",
        "{type: long_text, hint: As it was told}",
        "{type: integer, label: {en: Count, es: Cuenta}}",
    )  # fmt: skip
    lines = [
        f"entity: e{n}",
        f"label: {{en: Thing {n}, es: Cosa {n}}}",
        f'number: "E{n}-{{year}}-{{seq:5}}"',
        'title: "{number} {f0}"',
        "fields:",
    ]
    for m in range(fields):
        kind = kinds[m % len(kinds)].replace("=f3", f"=f{m - 2}") if m >= 2 else kinds[m]
        lines.append(f"  f{m}: {kind}")
    lines += [
        "checks:", '  dear: {when: f3 != null, should: f3 < 500, message: "{f0} is dear", field: f3}',
        "lifecycle:", "  states: {new: {initial: true}, done: {final: true, edit: [f0]}}",
        "  transitions:",
        "    finish: {from: new, to: done, roles: agent, guards: [{must: f3 > 0, message: Enter it}]}",
        "    again: {from: done, to: new}",
        "access: {agent: {read: true, create: true, update: open}, boss: {delete: true}}",
        "views:", "  default: {columns: [number, f0, f1.title, f2, f3, state], sort: -created_at}",
        "  mine: {filter: created_by == actor && open}",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def measured(code: str) -> dict[str, float]:
    """Seconds of the processor and of the clock, and the most memory in MB, of a Python process that runs some code."""
    started, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    program = f"{code}\nimport resource, sys; sys.stderr.write(str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=ENVIRONMENT)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"cpu": spent, "clock": time.perf_counter() - started, "mb": int(done.stderr.rsplit("\n", 1)[-1]) / 1024}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.scale", description="Check and start a large application.")
    parser.add_argument("--entities", type=int, default=300)
    parser.add_argument("--fields", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, text in application(given.entities, given.fields).items():
            (folder / file).parent.mkdir(exist_ok=True)
            (folder / file).write_text(text, encoding="utf-8")
        (folder / ".xrm").mkdir()
        (folder / ".xrm/schema.json").write_text("{}", encoding="utf-8")  # the check makes the editor's schema anew
        measured(IMPORTS)
        found = {"imports": measured(IMPORTS), "check": measured(CHECK.format(folder=name))}
        subprocess.run(
            [sys.executable, "-c", "from xrm.commands import main; main()", "apply", "--yes", "--app", name],
            check=True,
            capture_output=True,
            env=ENVIRONMENT,
        )
        found["start"] = measured(START.format(folder=name))
    if given.json:
        sys.stdout.write(json.dumps(found, indent=2) + "\n")
        return
    lines = [f"{given.entities:,} entities, {given.entities * given.fields:,} fields (imports: a server's, part of the start)"]
    for what, figures in found.items():
        lines.append(f"{what:<8} {figures['cpu']:6.2f} s processor {figures['clock']:6.2f} s clock {figures['mb']:6.0f} MB")
    sys.stdout.write("\n".join([*lines, ""]))


if __name__ == "__main__":
    main()
