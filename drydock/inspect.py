"""Inspect a project: its record, its template at two commits, and what lies between them."""

import datetime
from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from drydock import accept, chance, made, policy, project, record
from drydock.answers import NAME, Resolved
from drydock.compare import Comparison, compare
from drydock.errors import DrydockError
from drydock.merge import Fate, irreconcilable, merge
from drydock.policy import Policy
from drydock.record import Record
from drydock.renames import renames, with_names
from drydock.secrets import hide
from drydock.source import Source, open_source
from drydock.source.base import folder_of
from drydock.state import State
from drydock.template import Template
from drydock.tree import File, Tree, pointer


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the user asked for.

    `to` is the commit, tag or branch to compare with; None is the newest of what the record follows. `directory` is the
    template's folder there; None is the recorded one. `given` are answers for it that replace the recorded ones.
    `partial` asks for what can be compared, where something cannot be rendered or read.
    """

    folder: Path
    template: str | None = None
    to: str | None = None
    directory: str | None = None
    given: Mapping[str, str] | None = None
    offline: bool = False
    hooks: bool = False
    progress: Callable[[str], None] | None = None
    partial: bool = False


@dataclass(frozen=True, kw_only=True)
class Commit:
    """A commit of the template: its full name, and a short one for people."""

    sha: str = field(metadata={"json_name": "commit", "pattern": "^[0-9a-f]{40}$"})
    label: str
    date: str = field(metadata={"description": "ISO 8601; empty for an archive"})


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """What was found: the three trees, and the comparison of them.

    `behind` is the number of commits from the recorded to the newest one, `ahead` that of the
    commits that only the recorded one has. `follows` is the branch or tag that the project follows if it is updated;
    None is the default branch. `directory` is the template's folder at the newest commit. `notes` are sentences about the
    answers. `by_hook` are files that are as the template's hooks made them, not as rendered. The trees do not show them as edits;
    `rendered`, the recorded and the newest render, has them as rendered. `renames` are the files that the template
    has renamed, old path to new: the trees have them under the new path, unlike `rendered`. `answers` are those of the newest
    template, and `recordable` those that a record may have; its `new_questions` were not asked when the project was
    generated, or their answers are secret and not recorded.

    `not_known` is why the newest template is not known, if so: it stands for the recorded one then. Files that are
    not known are in the comparison, and in none of the trees.
    """

    record: Record
    url: str
    recorded: Commit
    newest: Commit
    behind: int
    ahead: int
    follows: str | None
    directory: str | None
    base: Tree
    upstream: Tree
    here: Tree
    rendered: tuple[Tree, Tree]
    renames: dict[str, str]
    policy: Policy
    comparison: Comparison
    notes: tuple[str, ...]
    by_hook: tuple[str, ...]
    answers: dict[str, Any]
    recordable: dict[str, Any]
    new_questions: tuple[str, ...]
    not_known: str | None = None

    @property
    def pending(self) -> dict[str, str]:
        """The new and the old path of each file that has its old name here."""
        return {
            drift.path: drift.renamed
            for drift in self.comparison.drifts
            if drift.renamed is not None
        }

    def named_here(self, tree: Tree) -> Tree:
        """Return one of the trees with the names that files have here."""
        return with_names(tree, self.pending)

    def check_known(self, paths: Iterable[str]) -> None:
        """Raise DrydockError if one of some files, or of those below some folders, is not known."""
        for drift in self.comparison.drifts:
            if drift.reason and any(Path(drift.path).is_relative_to(path) for path in paths):
                raise DrydockError(drift.reason)


def commit(template: Template, sha: str) -> Commit:
    """Return a commit of a template with its name for people."""
    return Commit(sha=sha, label=template.describe(sha), date=template.date(sha))


def inspect(options: Options) -> Inspection:
    """Inspect a project; DrydockError if its record, its template or its files cannot be read."""
    project.check_no_merge(options.folder)
    known = record.read_record(options.folder)
    own_rules = policy.read_policy(options.folder, known.skip)
    source = open_source(
        options.template or known.template,
        base=None if options.template else options.folder,
        offline=options.offline,
        progress=options.progress,
    )
    old = source.resolve(known.commit)
    new, not_known = old, None
    try:
        new = source.resolve(options.to or known.checkout)
    except DrydockError as error:
        if not options.partial or options.to or options.given:
            raise
        not_known = str(error)
    behind, ahead = source.commits_between(old, new) if new != old else (0, 0)
    older = ""
    if ahead and not behind and not options.to:
        older = older_than_recorded(known.checkout)
        new, ahead = old, 0
    follows = followed(source, options.to, known.checkout)

    template = Template(source, known.directory, hooks=options.hooks)
    base, resolved = render_recorded(template, known, old, partial=options.partial)
    upstream, resolved = base, replace(resolved, notes=())
    directory = directory_of(options.directory, known.directory)
    latest = replace(known, checkout=follows, directory=directory)
    if new != old or options.given or latest != known:
        try:
            upstream, resolved = template.render_record(
                latest, new, given=options.given, partial=options.partial
            )
        except DrydockError as error:
            if not options.partial or options.given:
                raise
            not_known = str(error)
    given = options.given or {}
    hide(answers.get(name) for answers in (known.answers, given) for name in resolved.secret)
    base, upstream, elsewhere = without_pointers(base, upstream)
    unasked = ""
    if options.given and not options.hooks:
        unasked = unasked_hook(template.at(directory).tree(new))

    # The newest template knows best which of its files are the project's.
    rules = own_rules.above(policy.shipped_policy(resolved.variables, f"{source.url}: {NAME}"))
    wanted = [path for path in {**base, **upstream} if not rules.is_ignored(path)]
    here = project.read(options.folder, wanted, {**upstream, **base}, partial=options.partial)
    random: Tree = {}
    if options.hooks and any(here.get(path) != file for path, file in base.items()):
        again, _ = render_recorded(template, known, old, partial=options.partial)
        as_rendered = base
        base, upstream = chance.settled(base, again, upstream, here)
        random = {path: file for path, file in base.items() if file != as_rendered[path]}
    base, upstream, empty = without_empty_submodules(source.fetched, base, upstream, here)
    (base, upstream, here), uncertain = without_unknown(base, upstream, here)

    paths = {*wanted} & {*base, *upstream}
    by_hook, unknown = made_by_hooks(
        options, template, replace(known, commit=old), resolved, paths, base, here
    )
    by_hook = {**random, **by_hook}
    names = renames(resolved.moves, base, upstream, here)
    pending = {new: old for old, new in names.items() if old in here}
    by_hook_here = {names.get(path, path): file for path, file in by_hook.items()}
    trees = as_made(by_hook_here, with_names(base, names), upstream, with_names(here, names))
    rules = follow(rules, names, leaving_out={path for tree in uncertain for path in tree})
    in_force, accepted, ended = accept.in_force(rules, *trees, datetime.date.today())
    everything = [{**tree, **rest} for tree, rest in zip(trees, uncertain, strict=True)]
    comparison = compare(everything[0], everything[1], everything[2], in_force, pending)
    unmerged = ""
    try:
        comparison = with_merges(comparison, *trees)
    except DrydockError as error:
        if not options.partial:
            raise
        unmerged = f"Whether conflicts merge cleanly is not known. {error}"
    secrets = not_recorded(resolved)
    told = (*empty, *elsewhere, *ended)
    notes = (older, *resolved.notes, secrets, unasked, unknown, unmerged, *told)
    return Inspection(
        record=replace(known, template=source.url),
        url=source.url,
        recorded=commit(template, old),
        newest=commit(template, new),
        behind=behind,
        ahead=ahead,
        follows=follows,
        directory=directory,
        base=trees[0],
        upstream=trees[1],
        here=trees[2],
        rendered=(base, upstream),
        renames=names,
        policy=rules,
        comparison=accept.marked(comparison, accepted),
        notes=tuple(filter(None, (*notes, *left_out(source)))),
        by_hook=tuple(sorted(path for path in by_hook if here.get(path) == by_hook[path])),
        answers=resolved.public,
        recordable=resolved.recordable(known.answers),
        new_questions=resolved.new,
        not_known=not_known,
    )


def followed(source: Source, to: str | None, checkout: str | None) -> str | None:
    """Return what a project that follows `checkout` follows after an update to `to`.

    A commit is nothing to follow.
    """
    if to == "HEAD":
        return None
    return (to and source.name_of(to)) or checkout


def directory_of(given: str | None, recorded: str | None) -> str | None:
    """Return the template's folder at the newest commit, None being the top; `given` is that of the user, if any."""
    if given is None or folder_of(given) == folder_of(recorded):
        return recorded
    return None if folder_of(given) == "." else folder_of(given)


def older_than_recorded(checkout: str | None) -> str:
    """Return a sentence on what a project follows, if that is older than the project."""
    name = f"{checkout}, which the record follows," if checkout else "The template's default branch"
    return f"{name} is older than the recorded commit: `drydock update --to {checkout or 'HEAD'}` goes back to it."


def render_recorded(
    template: Template, known: Record, sha: str, *, partial: bool
) -> tuple[Tree, Resolved]:
    """Return the render of a record, whose commit is `sha`, with each file that was taken from a later commit."""
    base, resolved = template.render_record(known, sha, partial=partial)
    for taken in {*known.taken.values()}:
        paths = [path for path, commit in known.taken.items() if commit == taken]
        try:
            later, _ = template.render_record(
                known, template.source.resolve(taken), partial=partial
            )
        except DrydockError as error:
            if not partial:
                raise
            reason = "is of another commit of the template"
            later = {path: File(data=b"", unknown=f"{path}: {reason}. {error}") for path in paths}
        for path in paths:
            base.pop(path, None)
            base |= {path: later[path]} if path in later else {}
    return base, resolved


def without_unknown(*trees: Tree) -> tuple[list[Tree], list[Tree]]:
    """Return trees without the files that are not known in all of them, and trees of those alone."""
    unknown = {path for tree in trees for path, file in tree.items() if file.unknown}
    return (
        [{path: file for path, file in tree.items() if path not in unknown} for tree in trees],
        [{path: file for path, file in tree.items() if path in unknown} for tree in trees],
    )


def made_by_hooks(
    options: Options,
    template: Template,
    known: Record,
    resolved: Resolved,
    paths: set[str],
    base: Tree,
    here: Tree,
) -> tuple[dict[str, File | None], str]:
    """Return which of some files hooks made different from the render, as they were then, and why it is unknown, if so.

    The template declares them, or the project's history tells.
    """
    differing = [path for path in paths if path in base and here.get(path) != base[path]]
    declared = resolved.variables.get("_by_hook")
    if differing and declared is not None:
        if not isinstance(declared, list):
            raise DrydockError(
                f"{template.source.url}: {NAME}: _by_hook is not a list of patterns."
            )
        patterns = tuple(map(str, declared))
        return {path: here.get(path) for path in differing if policy.matches(patterns, path)}, ""
    if not differing or options.hooks or not (hooks := hooks_of(template.tree(known.commit))):
        return {}, ""

    def render(then: Record) -> Tree:
        return template.render_record(then, template.source.resolve(then.commit))[0]

    told = made.inspect_history(options.folder, base, known, hooks, render)
    files = {path: file for path, file in told.files.items() if path in paths}
    if not told.reason:
        return files, ""
    return files, (
        f"{len(differing)} differ, and the template's hooks may have made some of them. It is unknown which, "
        f"because {told.reason}."
    )


def follow(rules: Policy, names: Mapping[str, str], *, leaving_out: set[str]) -> Policy:
    """Return a policy for files that the template has renamed, without what is accepted of some files."""
    accepted = [
        replace(acceptance, file=names.get(acceptance.file, acceptance.file))
        for acceptance in rules.accepted
        if acceptance.file not in leaving_out
    ]
    old_names = {new: old for old, new in names.items()}
    return replace(rules, accepted=tuple(accepted), renamed=old_names)


def without_empty_submodules(
    submodules: Iterable[str], base: Tree, upstream: Tree, here: Tree
) -> tuple[Tree, Tree, list[str]]:
    """Return two renders without the template's submodules of which a project has nothing, and a sentence for each."""
    notes = []
    for submodule in sorted(submodules):
        folder = f"{submodule.partition('/')[2]}/"
        rendered = any(path.startswith(folder) for path in {**base, **upstream})
        if rendered and not any(path.startswith(folder) for path in here):
            base, upstream = (
                {path: file for path, file in tree.items() if not path.startswith(folder)}
                for tree in (base, upstream)
            )
            notes.append(
                f"{folder} is not compared: it is a submodule of the template, and nothing of it is here. "
                "cookiecutter leaves it empty."
            )
    return base, upstream, notes


def without_pointers(base: Tree, upstream: Tree) -> tuple[Tree, Tree, list[str]]:
    """Return two renders without the files that stand for others in git, and a sentence for each of them.

    What cookiecutter writes for one depends on the user's machine, and nobody wants a pointer in place of a file.
    """
    found = {
        path: what
        for tree in (base, upstream)
        for path, file in tree.items()
        if (what := pointer(file))
    }
    base, upstream = (
        {path: file for path, file in tree.items() if path not in found}
        for tree in (base, upstream)
    )
    notes = [
        f"{path} is not compared: in the template, its contents are in {what}, which drydock does not read."
        for path, what in sorted(found.items())
    ]
    return base, upstream, notes


def left_out(source: Source) -> list[str]:
    """Return a sentence for each file that the template's project folder has and cannot be read."""
    return [
        f"{path} in the template is not compared: {reason}."
        for path, reason in sorted(source.left_out.items())
        if "cookiecutter" in path.partition("/")[0]
    ]


def not_recorded(resolved: Resolved) -> str:
    """Return a sentence on the secret answers that the record does not have, if there are any."""
    names = [name for name in resolved.secret if name in resolved.new]
    if not names:
        return ""
    return (
        f"Secrets are not recorded, so the template's defaults are used for {', '.join(names)}. --set gives other "
        "values."
    )


def hooks_of(template: Tree) -> Tree:
    """Return a template's hooks, which may change what was rendered."""
    return {path: file for path, file in template.items() if path.startswith("hooks/")}


def unasked_hook(template: Tree) -> str:
    """Return a sentence on the template's hook that might refuse new answers, if it has one."""
    for path in template:
        if path.startswith("hooks/pre_gen_project."):
            return f"The template may check answers in {path}. That is code, so it was not run; --hooks runs it."
    return ""


def with_merges(comparison: Comparison, base: Tree, upstream: Tree, here: Tree) -> Comparison:
    """Return a comparison in which only what cannot be merged is a conflict."""
    paths = {drift.path for drift in comparison.drifts if drift.state is State.CONFLICT}
    paths -= irreconcilable(*(among(paths, tree) for tree in (base, here, upstream)))
    if not paths:
        return comparison
    # The template may have moved a file to the place of a new one, where its conflict would be.
    gone = {path for path in paths if path in base and path not in upstream}
    new = {*upstream} - {*base} - {*here} if gone else set()
    old, mine, newer = (among(paths | new, tree) for tree in (base, here, upstream))
    fates = {outcome.path: outcome.fate for outcome in merge(old, mine, newer, {}, {})}
    elsewhere = any(fates.get(path) is Fate.CONFLICT for path in new)

    def state(path: str) -> State:
        if path in gone and elsewhere:
            return State.CONFLICT
        match fates.get(path):
            case Fate.CONFLICT:
                return State.CONFLICT
            case Fate.KEPT_DELETED:
                return State.DELETED
            case _:
                return State.MERGES

    drifts = (
        replace(
            drift,
            state=state(drift.path),
            collisions=drift.collisions if state(drift.path) is State.CONFLICT else (),
        )
        if drift.path in paths
        else drift
        for drift in comparison.drifts
    )
    return replace(comparison, drifts=tuple(drifts))


def among(paths: Set[str], tree: Tree) -> Tree:
    """Return what a tree has at some paths."""
    return {path: file for path, file in tree.items() if path in paths}


def as_made(
    by_hook: Mapping[str, File | None], base: Tree, upstream: Tree, here: Tree
) -> tuple[Tree, Tree, Tree]:
    """Return the three trees, adjusted so that a hook's work is not an edit, but an edit of it is."""
    trees = dict(base), dict(upstream), dict(here)
    for path, file in by_hook.items():
        unchanged = upstream.get(path) == base.get(path)
        if path not in base:
            continue
        if here.get(path) == file is None:
            for tree in trees:
                tree.pop(path, None)
        elif here.get(path) == file:
            trees[2][path] = base[path]
        else:
            for tree in trees[:2] if unchanged else trees[:1]:
                if file:
                    tree[path] = file
                else:
                    tree.pop(path, None)
    return trees
