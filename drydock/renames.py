"""Files that a template has renamed, as its `_migrations` say: an edit of the old one belongs to the new one."""

from collections.abc import Mapping

from drydock.tree import Tree


def renames(moves: Mapping[str, str], base: Tree, upstream: Tree, here: Tree) -> dict[str, str]:
    """Return the old and the new path of each file that was renamed between two renders.

    `moves` maps old paths to new ones, of files, or of folders that end in a slash. A file that the project has
    under both names is not among them: nobody knows which of the two the template's became.
    """
    result: dict[str, str] = {}
    for old in sorted({*base} - {*upstream}):
        new = followed(moves, old, upstream)
        known = new in base or new in result.values() or (old in here and new in here)
        if new in upstream and not known:
            result[old] = new
    return result


def followed(moves: Mapping[str, str], path: str, upstream: Tree) -> str:
    """Return the path that a file was renamed to, over as many steps as it takes to one that exists."""
    for _ in moves:
        if path in upstream:
            break
        folders = [old for old in moves if old.endswith("/") and path.startswith(old)]
        folder = max(folders, key=len, default="")
        path = moves.get(path) or moves.get(folder, "") + path.removeprefix(folder)
    return path


def with_names(tree: Tree, names: Mapping[str, str]) -> Tree:
    """Return a tree in which files have other names."""
    return {names.get(path, path): file for path, file in tree.items()}
