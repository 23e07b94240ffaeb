"""The map: everything wrong with it is found before the first row, all at once, each with its place."""

from pathlib import Path

import pytest

from tests.support.application import Applications
from tests.transfer.samples import FILES, MAP, TABLE, imported
from xrm.errors import Invalid, NotFound
from xrm.service.transfer.outline import COLUMN_KEYS, LINK_KEYS, MAP_KEYS, read_map

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "import-map.md"


def said(error: Invalid) -> list[str]:
    return [f"{p.place}  {p.code}  {p.message}" + (f"  [{p.hint}]" if p.hint else "") for p in error.problems]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "m.yml:1:1  XRM202  the file is empty"),
        ("import: case", "XRM202  the key 'columns' is missing"),
        ("import: case\ncolumn: {a: b}\n", "m.yml:2:1  XRM201  unknown key 'column'  [did you mean 'columns'?]"),
        ("import: case\ncolumns: {a: {to: b, value: {x: y}}}", "m.yml:2:22  XRM201  unknown key 'value'  [did you mean 'values'?]"),
        ("import: case\ncolumns: {a: b}\nhistoric: yes\n", "m.yml:3:11  XRM106  this must be true or false"),
        ("import: case\ncolumns: {a: b}\nlinks: {kind: {missing: crate}}\n", "m.yml:3:25  XRM206  'crate' is not allowed here  [did you mean 'create'?]"),
        ("import: case\ncolumns: {a: b}\ndelimiter: comma\n", "m.yml:3:12  XRM106  this must be one sign"),
        ("import: case\ncolumns: {a: {to: b, else: c}}\n", "XRM202  'else' wants 'values'"),
        ("import: case\ncolumns: {a: b, a: c}\n", "m.yml:2:17  XRM102"),
        ("import: case\ncolumns: &x {a: b}\n", "XRM103"),
    ],
)  # fmt: skip
def test_structure_is_checked_as_in_a_definition(text: str, says: str) -> None:
    """The same reader, the same codes and hints."""
    outline, problems = read_map("m.yml", text)
    assert outline is None
    assert any(says in line for line in said(Invalid(*problems))), said(Invalid(*problems))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("What: subject", "What: subjct"), "map.yml:6:9  XRM203  unknown field 'subjct'  [did you mean 'subject'?]"),
        (("What: subject", "Wat: subject"), "map.yml:6:3  XRM601  the file has no column 'Wat'  [did you mean 'What'?]"),
        (("  What: subject\n", ""), "table.csv:1:1  XRM601  nothing is said of the column 'What' of the file"),
        (("What: subject", "What: double"), "XRM601  'double' cannot be filled: it is computed"),
        (("What: subject", "What: state"), "XRM601  'state' cannot be filled: xrm keeps it itself  [write historic: true"),
        (("What: subject", "What: title"), "XRM601  'title' cannot be filled: xrm keeps it itself"),
        (("What: subject", "What: source"), "XRM601  'source' is filled by a column already"),
        (("What: subject", "What: [subject, subject]"), "XRM601  'subject' is filled twice"),
        (("What: subject", "What: place.lat"), "XRM601  'place' has one half only  [which column holds place.lon?]"),
        (("What: subject", "What: subject.x"), "XRM601  'subject' has no part 'x'"),
        (("What: subject", "What: {to: subject, dates: '%Y'}"), "XRM601  'dates' is for dates and times"),
        (("What: subject", "What: {to: paid, values: {a: free}}"), "XRM210  the value for 'paid' must be a number"),
        (("{missing: create}", "{find: nam, missing: create}"), "XRM203  unknown field 'nam'"),
        (("{missing: create}", "{missing: empty}"), "XRM601  'kind.label' is for records that are created"),
        (("  kind: {", "  knd: {"), "XRM601  nothing fills the link 'knd'  [did you mean 'kind'?]"),
        (("[source, source_id]", "[source]"), "map.yml:2:7  XRM601  source is not unique"),
        (("[source, source_id]", "number"), "XRM601  nothing in the map fills 'number'"),
        (("key: [source, source_id]\n", ""), "XRM601  the map does not say by which fields a record is found again"),
        (("{source: old}", "{source: =subject + 1}"), "XRM303"),
        (("{source: old}", "{source: =ended_at}"), "XRM309"),
        (("{source: old}", "{source: =kind.code}"), "'kind.code' follows a link"),
        (("{source: old}", "{source: =secret}"), "the expression reads 'secret', which nothing in the map fills"),
        (("set: {", "timezone: Mars/Base\nset: {"), "map.yml:3:11  XRM601  unknown time zone 'Mars/Base'"),
        (("set: {", "skip: Nmae\nset: {"), "XRM601  the file has no column 'Nmae'  [did you mean 'Name'?]"),
        (("import: case", "import: kind"), "map.yml:1:9  XRM601  the map is for 'kind', and 'case' is imported"),
    ],
)
def test_meaning_is_checked_against_entity_and_file(application: Applications, tmp_path: Path, change: tuple[str, str], says: str) -> None:
    """Names, types, rights, the key, expressions and the columns of the file."""
    assert change[0] in MAP
    with pytest.raises(Invalid) as caught:
        imported(application(FILES).system, tmp_path, TABLE, MAP.replace(*change))
    assert any(says in line for line in said(caught.value)), said(caught.value)


def test_all_problems_are_told_at_once(application: Applications, tmp_path: Path) -> None:
    """Three slips give three problems, in the order of the file."""
    wrong = MAP.replace("subject", "subjct").replace("kind.label", "kind.lable").replace("Nr:", "No:")
    with pytest.raises(Invalid) as caught:
        imported(application(FILES).system, tmp_path, TABLE, wrong)
    codes = [(problem.code, problem.place.line if problem.place else 0) for problem in caught.value.problems]
    assert codes == [("XRM601", 5), ("XRM203", 6), ("XRM203", 8), ("XRM601", 1)]


def test_a_field_that_a_role_does_not_see_is_unknown_to_its_map(application: Applications, tmp_path: Path) -> None:
    """The problem is that of a field that does not exist, and no hint names it."""
    running = application(FILES)
    for name in ("secret", "nosuch"):
        with pytest.raises(Invalid) as caught:
            imported(running.person("ana", "agent"), tmp_path, TABLE, MAP.replace("What: subject", f"What: {name}"))
        (problem,) = caught.value.problems
        assert problem.message == f"unknown field '{name}'"
        assert problem.hint is None or "secret" not in problem.hint


def test_an_entity_that_a_role_may_not_know_is_not_there(application: Applications, tmp_path: Path) -> None:
    """Importing it is answered as for a name that nobody defined."""
    with pytest.raises(NotFound):
        imported(application(FILES).person("gus", "guest"), tmp_path, TABLE, MAP, entity="nosuch")


def test_columns_called_like_fields_need_no_map(application: Applications, tmp_path: Path) -> None:
    """The key is the first that the columns have; what xrm keeps or computes is left out and said."""
    running = application(FILES)
    report = imported(running.system, tmp_path, "source,source_id,subject,double,version\na,1,Bench,4,9\n")
    assert (report.created, report.left_out) == (1, ("double", "version"))
    with pytest.raises(Invalid, match="unknown field 'subjct'"):
        imported(running.system, tmp_path, "source,source_id,subjct\na,1,Bench\n")
    with pytest.raises(Invalid, match="does not say by which fields"):
        imported(running.system, tmp_path, "subject\nBench\n")


def test_the_reference_page_lists_every_key() -> None:
    """``docs/reference/import-map.md`` has a row for each key, with the words that the code has."""
    page = REFERENCE.read_text(encoding="utf-8")
    missing = [key.name for key in (*MAP_KEYS, *COLUMN_KEYS, *LINK_KEYS) if f"| `{key.name}` | {key.doc} |" not in page]
    assert missing == []
