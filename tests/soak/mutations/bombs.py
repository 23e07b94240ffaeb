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
    return thing(f"checks: {{c: {{must: >-\n   {expression}\n , message: No}}}}\n")


def view(expression: str) -> Files:
    return thing(f"views:\n  v:\n    filter: {expression}\n")


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
