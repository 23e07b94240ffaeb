"""Applications that are small to write and mean to read: each must be refused, or read, quickly and in little memory."""

from collections.abc import Callable, Iterator, Mapping

XRM = "xrm: 1\nname: city\nroles: {agent: Agent}\n"
THING = "entity: thing\nfields: {name: text, size: integer, owner: {type: link, to: user}, lines: {type: rows, fields: {n: integer}}}\n"
Files = Mapping[str, str]


def thing(more: str) -> Files:
    return {"xrm.yml": XRM, "entities/thing.yml": THING + more}


def fields(text: str) -> Files:
    return {"xrm.yml": XRM, "entities/thing.yml": f"entity: thing\nfields:\n  name: text\n{text}"}


def must(expression: str) -> Files:
    return thing(f"checks:\n  c:\n    must: '{expression}'\n    message: No\n")


def view(expression: str) -> Files:
    return thing(f"views:\n  v:\n    filter: {quoted(expression)}\n")


def quoted(expression: str) -> str:
    """As YAML wants it; what is quoted already stays."""
    return expression if expression.startswith('"') else "'" + expression.replace("'", "''") + "'"


def flat(count: int, base: str, own: str = "") -> Files:
    """So many heirs of one base."""
    rest = {f"entities/e{n}.yml": f"entity: e{n}\nextends: base\n{own.format(n)}" for n in range(count)}
    return {"xrm.yml": XRM, "entities/base.yml": f"entity: base\nabstract: true\n{base}", **rest}


def some_fields(count: int, form: str = "text") -> str:
    return "fields:\n" + "".join(f"  f{n}: {form.format(n)}\n" for n in range(count))


def line_of_heirs(count: int, of: str) -> Files:
    """Heirs in a chain, the first with these fields."""
    made = heirs(count)
    return {**made, "entities/e0.yml": f"entity: e0\n{of}"}


def options(count: int, rest: str = "") -> str:
    return f"entity: thing\nfields:\n  name: text\n  c: {{type: choice, options: [{', '.join(f'o{n}' for n in range(count))}]{rest}}}\n"


def pattern(regex: str) -> Files:
    return fields(f"  code: {{type: text, pattern: '{regex}'}}\n")


def laughs() -> str:
    lines = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    return "\n".join(lines) + "\n"


def merges() -> str:
    lines = ["a0: &a0 {x: 1}"] + [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}" for n in range(1, 12)]
    return "\n".join(lines) + "\n"


def heirs(count: int, *, closed: bool = False) -> Files:
    first = f"entity: e0\nfields: {{name: text}}\n{f'extends: e{count - 1}' if closed else ''}\n"
    rest = {f"entities/e{n}.yml": f"entity: e{n}\nextends: e{n - 1}\n" for n in range(1, count)}
    return {"xrm.yml": XRM, "entities/e0.yml": first, **rest}


def chain(count: int, form: str, last: str) -> str:
    """Lines of which each speaks of the one before."""
    return "".join(f"  f{n}: {form.format(n - 1)}\n" if n else f"  f0: {last}\n" for n in range(count))


def roles(count: int, last: str) -> Files:
    lines = "".join(f"  r{n}: {{includes: r{n - 1}}}\n" if n else f"  r0: {last}\n" for n in range(count))
    return {"xrm.yml": f"xrm: 1\nname: city\nroles:\n{lines}", "entities/thing.yml": THING}


def types(count: int, last: str) -> Files:
    lines = "".join(f"  t{n}: {{type: t{n - 1}}}\n" if n else f"  t0: {last}\n" for n in range(count))
    return {"xrm.yml": f"{XRM}types:\n{lines}", "entities/thing.yml": "entity: thing\nfields: {name: text, a: t5}\n"}


def nested(inner: str, depth: int) -> str:
    text = "true"
    for number in range(depth):
        text = inner.format(f"v{number}", text)
    return text


def keyed(rows: str) -> Files:
    entity = "entity: thing\nkey: code\nfields: {code: {type: text, unique: true, required: true}, size: integer, place: json}\n"
    return {"xrm.yml": XRM, "entities/thing.yml": entity, "data/thing.yml": rows}


def spanish(text: str) -> Files:
    return {**thing(""), "locale/es.yml": text}


def states(count: int) -> str:
    names = "".join(f"    s{n}: {{{'initial: true' if not n else 'final: true'}}}\n" for n in range(count))
    moves = "".join(f"    m{n}: {{from: s0, to: s{n}}}\n" for n in range(1, count))
    return f"lifecycle:\n  states:\n{names}  transitions:\n{moves}"


def tree(depth: int) -> str:
    return "".join(f"{' ' * n}a{n}:\n" for n in range(depth))


BOMBS: Mapping[str, Callable[[], Files]] = {
    "aliases": lambda: thing(laughs()),
    "aliases of data": lambda: keyed(laughs()),
    "aliases of a locale": lambda: spanish(laughs()),
    "merge keys": lambda: thing(merges()),
    "many anchors": lambda: thing("".join(f"k{n}: &a{n} x\n" for n in range(50_000))),
    "deep lists": lambda: thing("views: " + "[" * 200_000),
    "deep maps": lambda: thing("views: " + "{a: " * 100_000),
    "deep blocks": lambda: thing("views:\n" + tree(1_300)),
    "deep dashes": lambda: thing("views:\n  " + "- " * 200_000 + "a\n"),
    "deep keys": lambda: thing("? " * 100_000 + "a\n"),
    "ten megabytes": lambda: thing("# " + "x" * 10_000_000 + "\n"),
    "ten megabytes of the application": lambda: {**thing(""), "xrm.yml": XRM + "x" * 10_000_000},
    "ten files of a megabyte": lambda: {
        **thing(""),
        **{f"entities/e{n}.yml": f"entity: e{n}\n" + "help: " + "x " * 490_000 for n in range(10)},
    },
    "many keys": lambda: thing("".join(f"k{n}: 1\n" for n in range(100_000))),
    "one key often": lambda: thing("a: 1\n" * 150_000),
    "many fields": lambda: fields("".join(f"  f{n}: text\n" for n in range(50_000))),
    "many misspelt types": lambda: fields("".join(f"  f{n}: txet{n}\n" for n in range(40_000))),
    "many misspelt names": lambda: thing("checks:\n" + "".join(f"  c{n}: {{must: nmae{n} == 1, message: M}}\n" for n in range(15_000))),
    "many checks": lambda: thing("checks:\n" + "".join(f"  c{n}: {{must: size > {n}, message: M}}\n" for n in range(20_000))),
    "many states": lambda: thing(states(8_000)),
    "many options": lambda: fields("  c: {type: choice, options: [" + ", ".join(f"o{n}" for n in range(50_000)) + "]}\n"),
    "many files": lambda: {**thing(""), **{f"entities/e{n}.yml": f"entity: e{n}\nfields: {{a: text}}\n" for n in range(2_000)}},
    "many commas": lambda: thing("views: [" + "," * 500_000),
    "open quotes": lambda: thing('help: "' + "a\n  'b\n" * 50_000),
    "bad indents": lambda: thing("".join(f"{' ' * (n % 7)}a: b: c\n" for n in range(50_000))),
    "long line": lambda: thing("views: {" + "a: b: " * 100_000),
    "long expression": lambda: view("size > 1 && " * 60_000 + "true"),
    "deep brackets": lambda: view("(" * 50_000 + "true" + ")" * 50_000),
    "deep within bounds": lambda: view("(" * 60 + "size > 0" + ")" * 60),
    "nested choices": lambda: view("size > 1 ? " * 350 + "true" + " : false" * 350),
    "nots": lambda: view('"' + "!" * 4_000 + 'true"'),
    "macros in macros": lambda: view(nested("lines.exists({0}, {1})", 60)),
    "macros within bounds": lambda: must(nested("lines.exists({0}, {0}.n > 1 && {1})", 14)),
    "sums of sums": lambda: must(nested("sum(lines.filter({0}, {1}).n) > 1", 20)),
    "long chain of sums": lambda: must(" + ".join(["sum(lines.n)"] * 60) + " > 3"),
    "doubled values": lambda: fields(chain(2_000, "{{compute: =f{0} + f{0}}}", "integer")),
    "doubled texts": lambda: fields(chain(60, "{{compute: =f{0} + f{0} + f{0} + f{0}}}", "text")),
    "long chain of values": lambda: fields(chain(5_000, "{{type: integer, compute: =f{0} + 1}}", "integer")),
    "circle of values": lambda: fields(chain(5_000, "{{compute: =f{0} + 1}}", "{compute: =f4999 + 1}")),
    "circle of defaults": lambda: fields(chain(5_000, "{{type: integer, default: =f{0}}}", "{type: integer, default: =f4999}")),
    "chain of conditions": lambda: fields(chain(3_000, "{{type: integer, show: f{0} > 1}}", "{type: integer, show: f2999 > 1}")),
    "heirs": lambda: heirs(5_000),
    "circle of heirs": lambda: heirs(5_000, closed=True),
    "heirs with many fields": lambda: {
        **heirs(1_000),
        "entities/e0.yml": "entity: e0\nfields:\n" + "".join(f"  f{n}: text\n" for n in range(1_000)),
    },
    "types of types": lambda: types(5_000, "text"),
    "circle of types": lambda: types(5_000, "{type: t4999}"),
    "roles of roles": lambda: roles(5_000, "Agent"),
    "circle of roles": lambda: roles(5_000, "{includes: r4999}"),
    "heirs of one base within bounds": lambda: flat(990, some_fields(100)),
    "heirs with rules within bounds": lambda: flat(
        200, some_fields(60, "{{type: integer, required: f0 > {0}, show: f1 < {0}}}"), "checks: {{own: {{must: f1 > {0}, message: No}}}}\n"
    ),
    "heirs with views within bounds": lambda: flat(
        300, some_fields(40) + "views:\n" + "".join(f"  v{n}: {{filter: 'f{n} == \"x\"', columns: [f{n}]}}\n" for n in range(40))
    ),
    "heirs misspelt within bounds": lambda: flat(990, some_fields(50), "checks: {{own: {{must: nmae{0} > 1, message: No}}}}\n"),
    "heirs in a line within bounds": lambda: line_of_heirs(20, some_fields(900)),
    "heirs in a line with rules within bounds": lambda: line_of_heirs(20, some_fields(450, "{{type: integer, required: f0 > {0}}}")),
    "lines of heirs within bounds": lambda: {
        "xrm.yml": XRM,
        **{
            f"entities/e{k}_{n}.yml": f"entity: e{k}_{n}\n" + (f"extends: e{k}_{n - 1}\n" if n else some_fields(30))
            for k in range(49)
            for n in range(20)
        },
    },
    "chain of values within bounds": lambda: fields(chain(990, "{{type: integer, compute: =f{0} + 1}}", "integer")),
    "untyped chain of values within bounds": lambda: fields(chain(990, "{{compute: =f{0} + 1}}", "integer")),
    "circle of values within bounds": lambda: fields(chain(990, "{{compute: =f{0} + 1}}", "{compute: =f989 + 1}")),
    "circle of defaults within bounds": lambda: fields(chain(990, "{{type: integer, default: =f{0}}}", "{type: integer, default: =f989}")),
    "chain of conditions within bounds": lambda: fields(chain(990, "{{type: integer, show: f{0} > 1}}", "{type: integer, show: f989 > 1}")),
    "values of all before": lambda: fields(
        "".join(
            f"  f{n}: {{type: integer, compute: ={' + '.join(f'f{k}' for k in range(max(0, n - 60), n)) or '1'}}}\n" for n in range(990)
        )
    ),
    "misspelt names within bounds": lambda: thing(
        "checks:\n" + "".join(f"  c{n}: {{must: nmae{n} == 1, message: M}}\n" for n in range(900))
    ),
    "long misspelt names within bounds": lambda: thing(
        "checks:\n" + "".join(f"  c{n}: {{must: {'nmae' * 100}{n} == 1, message: M}}\n" for n in range(900))
    ),
    "names misspelt among many": lambda: {
        "xrm.yml": XRM,
        "entities/thing.yml": "entity: thing\n"
        + some_fields(990)
        + "checks:\n"
        + "".join(f'  c{n}: {{must: ff{n}x == "1", message: M}}\n' for n in range(900)),
    },
    "states within bounds": lambda: thing(states(990)),
    "states and moves within bounds": lambda: thing(
        states(990).split("  transitions:")[0]
        + "  transitions:\n"
        + "".join(f"    m{n}: {{from: [{', '.join(f's{k}' for k in range(100))}], to: s{n}}}\n" for n in range(100, 900))
    ),
    "options within bounds": lambda: {
        "xrm.yml": XRM,
        "entities/thing.yml": options(990) + "checks:\n" + "".join(f"  k{n}: {{must: 'c != \"o{n}\"', message: M}}\n" for n in range(900)),
    },
    "options misspelt within bounds": lambda: {
        "xrm.yml": XRM,
        "entities/thing.yml": options(990)
        + "checks:\n"
        + "".join(f"  k{n}: {{must: 'c != \"oo{n}x\"', message: M}}\n" for n in range(900)),
    },
    "conditions on options within bounds": lambda: {
        "xrm.yml": XRM,
        "entities/thing.yml": "entity: thing\nfields:\n  n: integer\n  c:\n    type: choice\n    options:\n"
        + "".join(f"      o{n}: {{when: n > {n}}}\n" for n in range(990)),
    },
    "roles of roles within bounds": lambda: roles(990, "Agent"),
    "circle of roles within bounds": lambda: roles(990, "{includes: r989}"),
    "roles of all roles": lambda: {
        "xrm.yml": "xrm: 1\nname: city\nroles:\n"
        + "".join(
            f"  r{n}: {{includes: [{', '.join(f'r{k}' for k in range(max(0, n - 100), n))}]}}\n" if n else "  r0: R\n" for n in range(990)
        ),
        "entities/thing.yml": THING + "access:\n" + "".join(f"  r{n}: [read]\n" for n in range(990)),
    },
    "rights of many roles": lambda: {
        "xrm.yml": "xrm: 1\nname: city\nroles:\n" + "".join(f"  r{n}: R\n" for n in range(990)),
        "entities/thing.yml": "entity: thing\nfields:\n"
        + "".join(f"  f{n}: {{type: integer, protected: true}}\n" for n in range(100))
        + "  all: {compute: ="
        + " + ".join(f"f{n}" for n in range(100))
        + ", discloses: true}\naccess:\n"
        + "".join(f"  r{n}: {{read: size > {n}, sees: [{', '.join(f'f{k}' for k in range(100))}]}}\n" for n in range(990)),
    },
    "types within bounds": lambda: types(20, "text"),
    "many types within bounds": lambda: {
        "xrm.yml": XRM + "types:\n" + "".join(f"  t{n}: {{type: choice, options: [a{n}, b{n}]}}\n" for n in range(990)),
        "entities/thing.yml": "entity: thing\nfields:\n" + "".join(f"  f{n}: t{n}\n" for n in range(990)),
    },
    "a type of many options used often": lambda: {
        "xrm.yml": XRM + f"types:\n  t: {{type: choice, options: [{', '.join(f'o{n}' for n in range(990))}]}}\n",
        **{f"entities/e{k}.yml": f"entity: e{k}\n" + some_fields(100, "t") for k in range(20)},
    },
    "additions within bounds": lambda: {
        **thing(""),
        **{f"entities/a{n}.yml": f"add_to: thing\nfields: {{g{n}: text}}\n" for n in range(980)},
    },
    "additions that clash": lambda: {**thing(""), **{f"entities/a{n}.yml": "add_to: thing\nfields: {name: text}\n" for n in range(980)}},
    "links to all": lambda: {
        "xrm.yml": XRM,
        **{f"entities/e{n}.yml": f"entity: e{n}\nfields: {{a: text, up: {{type: link, to: any, inverse: down{n}}}}}\n" for n in range(150)},
    },
    "links in a chain": lambda: {
        "xrm.yml": XRM,
        **{
            f"entities/e{n}.yml": f"entity: e{n}\nfields: {{a: integer, up: {{type: link, to: e{max(0, n - 1)}, inverse: down}}, "
            f"s: {{compute: =sum(down.s) + up.a}}}}\n"
            for n in range(300)
        },
    },
    "ten files of many values": lambda: {
        **thing(""),
        **{f"entities/e{n}.yml": f"entity: e{n}\nhelp: [" + "1, " * 110_000 + "1]\n" for n in range(10)},
    },
    "ten files of data": lambda: {
        "xrm.yml": XRM,
        **{
            f"entities/e{n}.yml": f"entity: e{n}\nkey: code\nfields: {{code: {{type: text, unique: true, required: true}}}}\n"
            for n in range(10)
        },
        **{f"data/e{n}.yml": "".join(f"k{k}: {{}}\n" for k in range(9_990)) for n in range(10)},
    },
    "many files of data": lambda: {**thing(""), **{f"data/e{n}.yml": "a: {b: 1}\n" for n in range(3_000)}},
    "ten languages of many texts": lambda: {
        **thing(""),
        **{f"locale/a{a}.yml": "entities:\n" + "".join(f"  e{n}: {{label: E}}\n" for n in range(25_000)) for a in "abcdefghij"},
    },
    "languages within bounds": lambda: {
        "xrm.yml": XRM,
        "entities/thing.yml": "entity: thing\n" + some_fields(990),
        **{
            f"locale/a{a}.yml": "entities:\n  thing:\n    fields:\n" + "".join(f"      f{n}: {{label: F}}\n" for n in range(990))
            for a in "abcdefghijklmnopqrst"
        },
    },
    "languages of heirs": lambda: {
        **flat(300, some_fields(60)),
        "locale/es.yml": "entities:\n  base:\n    fields:\n" + "".join(f"      f{n}: {{label: F}}\n" for n in range(60)),
    },
    "views within bounds": lambda: {
        "xrm.yml": XRM,
        "entities/thing.yml": "entity: thing\n"
        + some_fields(990)
        + "views:\n"
        + "".join(f"  v{n}: {{columns: [{', '.join(f'f{k}' for k in range(60))}]}}\n" for n in range(900)),
    },
    "sections within bounds": lambda: {
        "xrm.yml": XRM,
        "entities/thing.yml": "entity: thing\n"
        + some_fields(990, "integer")
        + "forms:\n"
        + "".join(f"  - {{section: S, fields: [f{n}], show: f{(n + 1) % 990} > 1}}\n" for n in range(990)),
    },
    "many sections": lambda: thing("forms:\n" + "  - {section: S, fields: [name]}\n" * 30_000),
    "many cases": lambda: fields("  a:\n    type: integer\n    default:\n" + "      - {when: a > 1, use: 1}\n" * 20_000),
    "cases within bounds": lambda: fields(
        "".join(
            f"  f{n}:\n    type: integer\n    default:\n" + "      - {when: f1 > 1, use: 1}\n" * 40 + "      - {use: 1}\n"
            for n in range(400)
        )
    ),
    "many columns": lambda: thing("views: {v: {columns: [" + "name, " * 100_000 + "name]}}\n"),
    "many keys of uniqueness": lambda: {
        "xrm.yml": XRM,
        "entities/thing.yml": "entity: thing\n"
        + some_fields(990)
        + "unique:\n"
        + "".join(f"  u{n}: [{', '.join(f'f{k}' for k in range(n % 900, n % 900 + 60))}]\n" for n in range(900)),
    },
    "rows within bounds": lambda: {
        "xrm.yml": XRM,
        "entities/thing.yml": "entity: thing\nfields:\n"
        + "".join(
            f"  r{k}: {{type: rows, fields: {{{', '.join(f'c{n}: {{type: integer, max: =c{max(0, n - 1)}}}' for n in range(90))}}}}}\n"
            for k in range(20)
        ),
    },
    "rows of many fields": lambda: fields(
        "".join(f"  r{k}: {{type: rows, fields: {{{', '.join(f'c{n}: text' for n in range(900))}}}}}\n" for k in range(60))
    ),
    "long expressions within bounds": lambda: thing(
        "checks:\n" + "".join(f"  c{n}: {{must: {' && '.join([f'size > {k}' for k in range(90)])}, message: M}}\n" for n in range(400))
    ),
    "a record of many fields": lambda: keyed("a: {" + ", ".join(f"f{n}: 1" for n in range(55_000)) + "}\n"),
    "patterns within bounds": lambda: fields("".join(f"  f{n}: {{type: text, pattern: '(x{{{n % 900}}}y)+'}}\n" for n in range(900))),
    "repeated repeats": lambda: pattern("((((a{100}){100}){100}){100})"),
    "thousands of repeats": lambda: pattern("(x{1000}){1000}"),
    "nested stars": lambda: pattern("(((((a*)*)*)*)*)*b"),
    "classic backtracking": lambda: pattern("(x+x+)+y"),
    "large classes": lambda: pattern("(" + "[^a]" * 200 + "){1,4}"),
    "letters of every script": lambda: pattern("(\\pL|\\PL){1,900}"),
    "deep groups": lambda: pattern("(" * 480 + "a" + ")" * 480),
    "a repeat in an expression": lambda: view("name.matches('((a{100}){100}){100}')"),
    "number of counters": lambda: thing('number: "' + "{seq:12}" * 12_000 + '"\n'),
    "number of many paths": lambda: thing('number: "{seq}' + "{owner.name}" * 8 + '"\n'),
    "long title": lambda: thing('title: "' + "{name}" * 100_000 + '"\n'),
    "message of many fields": lambda: thing('checks: {c: {must: size > 1, message: "' + "{name}" * 100_000 + '"}}\n'),
    "huge integer": lambda: fields("  a: {type: integer, min: " + "9" * 900_000 + "}\n"),
    "huge decimal": lambda: fields("  a: {type: decimal, max: 0." + "1" * 900_000 + "}\n"),
    "huge length": lambda: fields("  a: {type: text, length: " + "9" * 100_000 + "}\n"),
    "huge power": lambda: fields("  a: {type: decimal, max: 1e999999999}\n"),
    "huge number in an expression": lambda: view("size > " + "9" * 4_000),
    "huge year": lambda: fields("  a: {type: date, min: " + "9" * 100_000 + "-01-01}\n"),
    "huge duration": lambda: fields("  a: {type: duration, max: " + "9" * 100_000 + " days}\n"),
    "huge size": lambda: fields("  a: {type: file, size: " + "9" * 100_000 + " MB}\n"),
    "long name": lambda: fields("  " + "a" * 900_000 + ": text\n"),
    "long key": lambda: thing('"' + "k" * 900_000 + '": 1\n'),
    "long type": lambda: fields("  a: " + "t" * 900_000 + "\n"),
    "long names of packs": lambda: {**thing(""), "xrm.yml": XRM + "use: [" + ", ".join("p" * 40 + str(n) for n in range(15_000)) + "]\n"},
    "many locales": lambda: {**thing(""), "xrm.yml": XRM + "locales: [" + ", ".join(f"aa-{n:08}" for n in range(20_000)) + "]\n"},
    "many files of languages": lambda: {
        **thing(""),
        **{f"locale/{a}{b}.yml": "label: X\n" for a in "abcdefghijklmnopqrst" for b in "abcdefghijklmnopqrst"},
    },
    "deep locale": lambda: spanish("entities:\n" + "".join(f"{' ' * n}a:\n" for n in range(1, 39))),
    "many unknown texts": lambda: spanish("entities:\n" + "".join(f"  e{n}: {{label: E}}\n" for n in range(25_000))),
    "many records": lambda: keyed("".join(f"k{n}: {{size: {n}}}\n" for n in range(29_000))),
    "records within bounds": lambda: keyed("".join(f"k{n}: {{size: {n}, place: {{a: {n}}}}}\n" for n in range(9_990))),
    "many wrong records": lambda: keyed("".join(f"k{n}: {{sise: x}}\n" for n in range(9_900))),
    "deep record": lambda: keyed("a: {place: " + "[" * 38 + "]" * 38 + "}\n"),
    "wide record": lambda: keyed("a: {place: [" + "1, " * 110_000 + "1]}\n"),
    "huge key of a record": lambda: keyed("k" * 900_000 + ": {}\n"),
    "control characters": lambda: thing("help: " + "\x01" * 500_000 + "\n"),
    "spaces": lambda: thing(" " * 990_000 + "\n"),
    "lines": lambda: thing("\n" * 990_000),
    "comments": lambda: thing("#\n" * 490_000),
}
CHEAP = (
    "aliases",
    "merge keys",
    "deep lists",
    "deep within bounds",
    "macros in macros",
    "thousands of repeats",
    "huge integer",
    "ten megabytes",
)


def made(names: tuple[str, ...] | None = None) -> Iterator[tuple[str, Files]]:
    for name in names or tuple(BOMBS):
        yield name, BOMBS[name]()
