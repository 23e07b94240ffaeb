"""What a plugin imports, and how plugins are loaded, checked and called.

    from xrm.plugins import hookimpl, Problem

Plugins are trusted code of the agency. They read and write through ``service``, never around it.
"""

from __future__ import annotations

import inspect
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from types import ModuleType
from typing import Any, Protocol, TypeVar, cast

import pluggy

from xrm import hookspecs
from xrm.errors import Place, Problem, XrmError
from xrm.expr import STANDARD, Function

__all__ = ["Committed", "Function", "PageRequest", "PluginContext", "Problem", "Route", "hookimpl"]

hookimpl = pluggy.HookimplMarker("xrm")
Given = TypeVar("Given")


class PluginContext(Protocol):
    """Who acts and when, and reading in the name of the system (a plugin is trusted)."""

    @property
    def actor_id(self) -> str: ...
    @property
    def now(self) -> datetime: ...
    def find(self, entity: str, filter: str, fields: Sequence[str], limit: int = 50) -> list[dict[str, Any]]: ...


@dataclass(frozen=True, slots=True)
class Committed:
    """A change that is committed: ``fields`` maps a name to what it was before and after (plain JSON values)."""

    entity: str
    record: str
    version: int
    action: str
    transition: str | None
    fields: Mapping[str, tuple[Any, Any]]


class PageRequest(Protocol):
    """What a plugin's page gets: who asks, the query string, and reading with *that actor's* rights."""

    @property
    def actor_id(self) -> str: ...
    @property
    def query(self) -> Mapping[str, str]: ...
    def find(self, entity: str, filter: str, fields: Sequence[str], limit: int = 50) -> list[dict[str, Any]]: ...


@dataclass(frozen=True, slots=True)
class Route:
    """A page at ``/w/x/{path}``. ``page`` returns HTML for the main region; use ``markupsafe.Markup`` to build it.

    ``roles``: who may open it; empty means every signed-in user.
    """

    path: str
    label: str
    page: Callable[[PageRequest], str]
    roles: tuple[str, ...] = ()
    icon: str = "list"


@dataclass(frozen=True, slots=True)
class Plugins:
    """The plugins of one release. Hooks nobody implements cost nothing: their lists are empty."""

    names: tuple[str, ...]
    functions: Mapping[str, Function]
    routes: tuple[Route, ...]
    preparing: tuple[Callable[..., Any], ...]
    validating: tuple[Callable[..., Any], ...]
    committed: tuple[Callable[..., Any], ...]


NONE = Plugins((), STANDARD, (), (), (), ())


def load(files: Mapping[str, str]) -> tuple[Plugins, tuple[Problem, ...]]:
    """The plugins among an application's files (``plugins/*.py``), and what is wrong with them, with its place."""
    manager = pluggy.PluginManager("xrm")
    manager.add_hookspecs(hookspecs)
    problems: list[Problem] = []
    names = []
    for path in sorted(files):
        if path.startswith("plugins/") and path.endswith(".py"):
            module = _module(path, files[path], problems)
            if module is not None and _fits(module, path, files[path], problems):
                manager.register(module, name=path)
                names.append(path)
    if problems:
        return NONE, tuple(problems)
    return _collected(manager, tuple(names), files, problems), tuple(problems)


def _module(path: str, text: str, problems: list[Problem]) -> ModuleType | None:
    """Run the plugin's file, from the text of the release, as a module of its own."""
    name = "xrm_plugin_" + path.removeprefix("plugins/").removesuffix(".py").replace("/", "_").replace("-", "_")
    module = ModuleType(name)
    module.__file__ = path
    sys.modules[name] = module
    try:
        exec(compile(text, path, "exec"), module.__dict__)  # noqa: S102 (a plugin is the agency's own trusted code)
    except SyntaxError as error:
        place = Place(path, error.lineno or 1, error.offset or 1)
        problems.append(Problem("XRM701", f"the plugin is not valid Python: {error.msg}", place))
        return None
    except (Exception, SystemExit) as error:  # noqa: BLE001 (whatever a plugin does at import is its problem, shown with its place)
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
        place = Place(path, (frames[-1].lineno or 1) if frames else 1, 1)
        problems.append(Problem("XRM701", f"the plugin cannot be loaded: {type(error).__name__}: {error}", place))
        return None
    return module


def _fits(module: ModuleType, path: str, text: str, problems: list[Problem]) -> bool:
    """Whether every hook the plugin names exists with the arguments it takes."""
    known = {
        name: set(inspect.signature(function).parameters) for name, function in vars(hookspecs).items() if hasattr(function, "xrm_spec")
    }
    before = len(problems)
    for name, function in vars(module).items():
        if not hasattr(function, "xrm_impl"):
            continue
        place = _place(path, text, function)
        if name not in known:
            near = get_close_matches(name, known, 1)
            hint = f"did you mean '{near[0]}'?" if near else "one of " + ", ".join(sorted(known))
            problems.append(Problem("XRM702", f"there is no hook '{name}'", place, (name,), hint))
            continue
        for argument in inspect.signature(function).parameters:
            if argument not in known[name]:
                near = get_close_matches(argument, known[name], 1)
                hint = f"did you mean '{near[0]}'?" if near else "it gets " + ", ".join(sorted(known[name]))
                problems.append(Problem("XRM702", f"hook '{name}' has no argument '{argument}'", place, (name,), hint))
    return len(problems) == before


def _place(path: str, text: str, function: Callable[..., Any]) -> Place:
    """The line of the ``def``, which follows its decorators."""
    first = getattr(function, "__func__", function).__code__.co_firstlineno
    lines = text.splitlines()
    while first < len(lines) and not lines[first - 1].lstrip().startswith(("def ", "async def ")):
        first += 1
    return Place(path, first, max(1, lines[first - 1].find("def ") + 5), len(function.__name__))


def _collected(manager: pluggy.PluginManager, names: tuple[str, ...], files: Mapping[str, str], problems: list[Problem]) -> Plugins:
    hook = manager.hook
    functions = dict(STANDARD)
    for function, place in _asked(hook.expression_functions, Function, files, problems):
        if function.name in functions:
            problems.append(Problem("XRM701", f"two functions are called '{function.name}'", place))
        functions[function.name] = function
    routes: dict[str, Route] = {}
    for route, place in _asked(hook.routes, Route, files, problems):
        if route.path in routes:
            problems.append(Problem("XRM701", f"two pages have the path '{route.path}'", place))
        routes[route.path] = route
    return Plugins(
        names,
        functions,
        tuple(routes.values()),
        _caller(hook.prepare_record),
        _caller(hook.validate_record),
        _caller(hook.record_committed),
    )


def _asked(hook: pluggy.HookCaller, kind: type[Given], files: Mapping[str, str], problems: list[Problem]) -> list[tuple[Given, Place]]:
    """What each plugin gives for a hook that is asked once, with the place of its hook."""
    found: list[tuple[Given, Place]] = []
    for plugin in hook.get_hookimpls():
        place = _place(plugin.plugin_name, files[plugin.plugin_name], plugin.function)
        try:
            given = list(cast("Sequence[Any]", plugin.function()))
        except Exception as error:  # noqa: BLE001 (as above)
            problems.append(Problem("XRM703", f"hook '{hook.name}' failed: {type(error).__name__}: {error}", place))
            continue
        for one in given:
            if isinstance(one, kind):
                found.append((one, place))
            else:
                problems.append(Problem("XRM703", f"hook '{hook.name}' gave a {type(one).__name__} and not a {kind.__name__}", place))
    return found


def _caller(hook: pluggy.HookCaller) -> tuple[Callable[..., Any], ...]:
    return (hook,) if hook.get_hookimpls() else ()


def failed(hook: str, error: Exception) -> XrmError:
    """A plugin's own failure, told to the user without a traceback (which goes to the log)."""
    return XrmError(Problem("XRM703", f"a plugin failed in {hook}: {type(error).__name__}: {error}"))
