"""The house rules as checks over syntax trees: a module in, sentences about its faults out."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tests.architecture import (
    CLOCK,
    FILE_CALLS,
    HOMES,
    LAYERS,
    LISTS,
    LOADS,
    MAX_FUNCTION,
    MAX_LINES,
    NOT_PURE,
    STOPWATCH_CALLS,
    STOPWATCHES,
    TIME_CALLS,
)


@dataclass(frozen=True, slots=True)
class Import:
    """One imported name: `from a.b import c` is target a.b.c."""

    target: str
    line: int
    typing_only: bool
    inside: bool


@dataclass(frozen=True, slots=True)
class Module:
    """A module's name, text and syntax tree."""

    name: str
    text: str
    tree: ast.Module
    package: bool = False

    @classmethod
    def of(cls, name: str, text: str, *, package: bool = False) -> Module:
        """Parse `text`."""
        return cls(name, text, ast.parse(text), package)

    def at(self, node: ast.AST | int) -> str:
        """Return where a node stands, to open a message."""
        return f"{self.name}:{node if isinstance(node, int) else getattr(node, 'lineno', 1)}"


def matches(name: str, patterns: Sequence[str]) -> bool:
    """Say whether `name` is one of the names, or in one of the packages ("x.*")."""
    return any(name == p or (p.endswith(".*") and (name + ".").startswith(p[:-1])) for p in patterns)


def layer_of(name: str) -> str | None:
    """Return the layer that the table gives to a module, None if it is not listed."""
    return next((layer for layer, patterns in LAYERS.items() if matches(name, patterns)), None)


def imports(module: Module) -> Iterator[Import]:
    """Yield every import of a module, those in functions and those for types only marked."""
    yield from _imports(module, module.tree, typing_only=False, inside=False)


def _imports(module: Module, node: ast.AST, *, typing_only: bool, inside: bool) -> Iterator[Import]:
    if isinstance(node, ast.Import):
        yield from (Import(name.name, node.lineno, typing_only, inside) for name in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = _base(module, node)
        yield from (Import(f"{base}.{name.name}", node.lineno, typing_only, inside) for name in node.names)
    for child in ast.iter_child_nodes(node):
        yield from _imports(
            module,
            child,
            typing_only=typing_only or (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)),
            inside=inside or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda),
        )


def _base(module: Module, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    parts = module.name.split(".")
    up = node.level - (1 if module.package else 0)
    return ".".join([*parts[: len(parts) - up], *([node.module] if node.module else [])])


def owner(target: str, known: Mapping[str, Module]) -> str | None:
    """Return our module that an imported name belongs to: the longest known prefix."""
    parts = target.split(".")
    return next((name for n in range(len(parts), 0, -1) if (name := ".".join(parts[:n])) in known), None)


def unlisted(module: Module) -> list[str]:
    """Rule 1: each module has a layer."""
    if layer_of(module.name):
        return []
    return [
        f"{module.name} has no layer: add it to LAYERS in tests/architecture.py, in the lowest layer it can do with"
    ]


def layer_faults(module: Module, known: Mapping[str, Module]) -> list[str]:
    """Rule 1: no import from a higher layer. A pure module may name a higher layer's type (TYPE_CHECKING)."""
    order = list(LAYERS)
    mine = layer_of(module.name)
    faults = []
    for item in imports(module):
        other = owner(item.target, known)
        theirs = layer_of(other) if other else None
        if mine and theirs and order.index(theirs) > order.index(mine) and not item.typing_only:
            faults.append(f"{module.at(item.line)} is {mine} and imports {item.target}, which is {theirs}")
    return faults


def border_faults(module: Module) -> list[str]:
    """Rule 1: the core does not know the feeds, the feeds do not know the site; only a command makes the real clock."""
    command = matches(module.name, ("aggregator.cli.*",))
    faults = []
    for item in imports(module):
        if module.name.startswith("aggregator") and not command and matches(item.target, ("ingest.*",)):
            faults.append(f"{module.at(item.line)} imports {item.target}; of aggregator only cli/ may import ingest")
        if module.name.startswith("ingest") and matches(item.target, ("aggregator.web.*", "aggregator.cli.*")):
            faults.append(f"{module.at(item.line)} imports {item.target}; ingest never imports the site or the command")
        if item.target == f"{CLOCK}.SystemClock" and not command:
            faults.append(f"{module.at(item.line)} makes a clock of its own; take the Clock as an argument")
        if matches(item.target, ("tests.*", "conftest", "pytest.*", "hypothesis.*")):
            faults.append(f"{module.at(item.line)} imports {item.target}, which is for tests")
    return faults


def home_faults(module: Module, standard: frozenset[str]) -> list[str]:
    """Rule 2: a package of others is imported where it is at home. `standard`: the standard library's names."""
    faults = []
    for item in imports(module):
        top = item.target.split(".")[0]
        if top in standard or top in {"aggregator", "ingest", "__future__"}:
            continue
        if top not in HOMES:
            faults.append(
                f"{module.at(item.line)} imports {top}, which has no home: add it to HOMES with the one module"
            )
        elif HOMES[top] and not matches(module.name, HOMES[top]):
            faults.append(f"{module.at(item.line)} imports {top}, whose home is {', '.join(HOMES[top])}")
    return faults


def time_faults(module: Module) -> list[str]:
    """Rule 3: nobody but the clock asks the system for the time."""
    faults = []
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom) and node.module == "time":
            names = {name.name for name in node.names} & (TIME_CALLS["time"] | STOPWATCH_CALLS)
            faults += [f"{module.at(node)} imports {name} from time; take the Clock as an argument" for name in names]
        if isinstance(node, ast.Attribute):
            before = ast.unparse(node.value).split(".")[-1]
            watch = before == "time" and node.attr in STOPWATCH_CALLS
            asks = node.attr in TIME_CALLS.get(before, ()) and module.name != CLOCK
            if asks or (watch and module.name not in STOPWATCHES):
                faults.append(
                    f"{module.at(node)} asks the system with {before}.{node.attr}; take the Clock as an argument"
                )
    return faults


def hidden_imports(module: Module) -> list[str]:
    """Rule 4: no import inside a function, unless a comment beside it names the optional extra; LOADS lives by it."""
    if module.name == LOADS:
        return []
    lines = module.text.splitlines()
    faults = [
        f"{module.at(item.line)} imports {item.target} inside a function; import at the top"
        for item in imports(module)
        if item.inside and "# optional extra" not in lines[item.line - 1]
    ]
    calls = (node for node in ast.walk(module.tree) if isinstance(node, ast.Call))
    names = ((node, ast.unparse(node.func).split(".")[-1]) for node in calls)
    return faults + [f"{module.at(n)} imports by {f}" for n, f in names if f in {"import_module", "__import__"}]


def state_faults(module: Module) -> list[str]:
    """Rule 4: no mutable module state: no `global`, no empty container waiting at module level to be filled."""
    faults = [
        f"{module.at(n)} uses global {', '.join(n.names)}" for n in ast.walk(module.tree) if isinstance(n, ast.Global)
    ]
    for node in module.tree.body:
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        if value is not None and ast.unparse(value) in {"{}", "[]", "set()", "dict()", "list()"}:
            faults.append(f"{module.at(node)} keeps an empty container at module level; hand it on as an argument")
    return faults


def purity_faults(module: Module) -> list[str]:
    """Rule 1: a pure module reads no file, opens no socket, throws no dice."""
    if layer_of(module.name) != "pure":
        return []
    faults = [
        f"{module.at(item.line)} is pure and imports {item.target}"
        for item in imports(module)
        if any(matches(item.target, (name, f"{name}.*")) for name in NOT_PURE) and not item.typing_only
    ]
    calls = (node for node in ast.walk(module.tree) if isinstance(node, ast.Call))
    names = ((node, ast.unparse(node.func).split(".")[-1]) for node in calls)
    return faults + [f"{module.at(n)} is pure and calls {f}()" for n, f in names if f in FILE_CALLS]


def graph(known: Mapping[str, Module]) -> dict[str, set[str]]:
    """Return which of our modules each of them names in an import, hidden and type-only ones included."""
    edges = {name: {owner(item.target, known) for item in imports(module)} for name, module in known.items()}
    return {name: {t for t in targets if t and t != name} for name, targets in edges.items()}


def cycles(edges: Mapping[str, set[str]]) -> list[str]:
    """Rule 4: return the modules that import each other round in a circle, one line a circle."""
    found: set[tuple[str, ...]] = set()
    for start in edges:
        path = _way_back(start, edges)
        if path:
            least = path.index(min(path))
            found.add((*path[least:], *path[:least]))
    return [" -> ".join([*path, path[0]]) for path in sorted(found)]


def _way_back(start: str, edges: Mapping[str, set[str]]) -> list[str]:
    ways = [[start]]
    seen: set[str] = set()
    for way in ways:  # grows while it is walked: breadth first, so the shortest circle
        for step in sorted(edges.get(way[-1], ())):
            if step == start:
                return way
            if step not in seen:
                seen.add(step)
                ways.append([*way, step])
    return []


def broad_excepts(module: Module) -> list[str]:
    """Return where everything is caught: `except:`, `except Exception`, `suppress(Exception)`. Not: tidy up, raise."""
    broad = {"Exception", "BaseException"}
    found = []
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ExceptHandler) and ast.unparse(node.body[-1]) != "raise":
            kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            if any(kind is None or ast.unparse(kind) in broad for kind in kinds):
                found.append(module.at(node))
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("suppress"):
            found += [module.at(node) for argument in node.args if ast.unparse(argument) in broad]
    return found


def undocumented(module: Module) -> list[str]:
    """Rule 7: a module, and whatever is public in it, has a docstring."""
    faults = (
        [] if ast.get_docstring(module.tree) else [f"{module.name} has no docstring: its place in the flow, one line"]
    )
    stack: list[ast.Module | ast.ClassDef] = [module.tree]
    while stack:
        for node in stack.pop().body:
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) or node.name.startswith("_"):
                continue
            if not ast.get_docstring(node):
                faults.append(f"{module.at(node)} {node.name} has no docstring")
            if isinstance(node, ast.ClassDef):
                stack.append(node)
    return faults


def too_long(module: Module) -> list[str]:
    """Rule 7: a file has at most 320 lines, a function 50."""
    lines = len(module.text.splitlines())
    faults = [f"{module.name} has {lines} lines, more than {MAX_LINES}: split it"] if lines > MAX_LINES else []
    return faults + [
        f"{module.at(node)} {node.name} has {length} lines, more than {MAX_FUNCTION}: split it"
        for node, length in functions(module)
        if length > MAX_FUNCTION and not matches(module.name, LISTS)
    ]


def functions(module: Module) -> Iterator[tuple[ast.FunctionDef | ast.AsyncFunctionDef, int]]:
    """Yield each function with its length in lines, docstring included."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node, (node.end_lineno or node.lineno) - node.lineno + 1
