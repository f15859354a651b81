"""The rooms stand in one order and a room looks only back; torch waits until it is needed."""

import ast
from collections.abc import Iterator
from pathlib import Path

import photopal

ROOT = Path(photopal.__file__).parent
ROOMS = (
    "photos library vision concepts prompts tuning answers watch drawn mini evaluation cli".split()  # noqa: SIM905
)
COMMON = {"errors", "__version__"}
WITHOUT_TORCH = ("photos", "library", "prompts", "watch", "drawn", "cli")
SQL = ("sqlite3", "sqlite_utils")


def modules(room: str) -> Iterator[Path]:
    return (ROOT / room).rglob("*.py")


def imports(path: Path, *, at_module_level: bool = False) -> set[str]:
    """Dotted names that a module imports; at module level, what stands under an `if` is left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = list(tree.body) if at_module_level else list(ast.walk(tree))
    names: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def rooms_of(names: set[str]) -> set[str]:
    return {name.split(".")[1] for name in names if name.startswith("photopal.")}


def test_a_room_imports_only_rooms_before_it():
    for place, room in enumerate(ROOMS):
        allowed = {*ROOMS[: place + 1], *COMMON, *({"settings"} if room == "cli" else ())}
        for path in modules(room):
            assert rooms_of(imports(path)) <= allowed, f"{path} imports a later room"


def test_there_are_no_other_rooms():
    folders = {path.name for path in ROOT.iterdir() if path.is_dir() and path.name != "__pycache__"}
    files = {path.name for path in ROOT.glob("*.py")}
    assert folders <= set(ROOMS)
    assert files == {"__init__.py", "__main__.py", "errors.py", "settings.py"}


def test_errors_and_settings_import_no_room():
    for name in ("errors.py", "settings.py"):
        assert rooms_of(imports(ROOT / name)) <= COMMON


def test_sql_is_spoken_in_the_library_only():
    for room in ROOMS:
        for path in modules(room):
            reached = {name for name in imports(path) if name.startswith(SQL)}
            assert room == "library" or not reached, f"{path} reaches for the database"


def test_torch_and_transformers_wait_for_the_rooms_that_need_them():
    for room in WITHOUT_TORCH:
        for path in modules(room):
            at_import = imports(path, at_module_level=True)
            heavy = {name for name in at_import if name.split(".")[0] in ("torch", "transformers")}
            assert not heavy, f"{path} imports {heavy} at module level"


def test_photos_library_prompts_and_drawn_never_import_torch():
    for room in ("photos", "library", "prompts", "drawn"):
        for path in modules(room):
            assert not {name for name in imports(path) if name.split(".")[0] in ("torch", "transformers")}, (
                path
            )


def test_every_module_says_first_what_it_does():
    for path in ROOT.rglob("*.py"):
        docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
        assert docstring, f"{path} has no docstring"
