"""Which tasks a plan is about: those whose tags are asked for, and what they need. Pure.

Tags choose as Ansible's do. What is left out stays as it is, as with Terraform's `-target`: what a chosen task needs is
planned with it, and where a tag keeps that out, it must be there unchanged, or there is no plan.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ppmlctl.diagnostics import Diagnostic, InputError
from ppmlctl.planning.model import ActionKind, PlannedAction, Selection
from ppmlctl.planning.task import Task

ALWAYS, NEVER = "always", "never"
"""Tags of tasks that are chosen whatever is asked for, and of those that are chosen only where a tag of theirs is."""
ALL, TAGGED, UNTAGGED = "all", "tagged", "untagged"
"""Words that stand for tags on the command line."""
WORDS = (ALL, ALWAYS, NEVER, TAGGED, UNTAGGED)


@dataclass(frozen=True)
class Tags:
    """What the command line asks for. Nothing: every task but those tagged `never`."""

    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()

    @property
    def restrict(self) -> bool:
        """Whether anything is asked for."""
        return bool(self.only or self.skip)

    def choose(self, tags: frozenset[str]) -> bool:
        """Whether a task with these tags is chosen."""
        return self._named(tags) and not self._skipped(tags)

    def keep_out(self, tags: frozenset[str]) -> bool:
        """Whether a task with these tags is not even planned where a chosen one needs it."""
        return not self.choose(tags) and (NEVER in tags or self._skipped(tags))

    def _named(self, tags: frozenset[str]) -> bool:
        only = self.only or (ALL,)
        if ALWAYS in tags or not tags.isdisjoint(only) or (not tags and UNTAGGED in only):
            return True
        return NEVER not in tags and (ALL in only or (TAGGED in only and bool(tags)))

    def _skipped(self, tags: frozenset[str]) -> bool:
        if not tags.isdisjoint(self.skip) or (not tags and UNTAGGED in self.skip) or (tags and TAGGED in self.skip):
            return True
        return ALL in self.skip and ALWAYS not in tags


def select(tasks: Sequence[Task], tags: Tags) -> tuple[tuple[Task, ...], Selection]:
    """The tasks to plan, in their order, and what that leaves out."""
    by_address = {task.address: task for task in tasks}
    chosen = [task.address for task in tasks if tags.choose(task.tags)]
    planned = _with_needs(chosen, by_address)
    held = {address for address in planned if tags.keep_out(by_address[address].tags)}
    included = planned.difference(chosen, held)
    selection = Selection(
        only=tags.only,
        skip=tags.skip,
        included=tuple(task.address for task in tasks if task.address in included),
        held=frozenset(held),
        left_out=tuple(task.address for task in tasks if task.address not in planned or task.address in held),
    )
    return tuple(task for task in tasks if task.address in planned), selection


def check_known(asked: Tags, known: Iterable[str]) -> None:
    """Raises InputError (tag-unknown) once, with each word that is no tag of any task."""
    tags = sorted(set(known) - set(WORDS))
    unknown = [word for word in dict.fromkeys((*asked.only, *asked.skip)) if word not in {*tags, *WORDS}]
    if unknown:
        raise InputError(_unknown(unknown, tags))


def check_held(selection: Selection, actions: Sequence[PlannedAction]) -> None:
    """Raises InputError (tags-keep-out-needed) where what is kept out, and needed, is not there as it should be."""
    acting = [one for one in actions if one.address in selection.held and one.action is not ActionKind.KEEP]
    if acting:
        raise InputError(_needed(acting, actions, selection))


def check_asked(asked: Mapping[str, Iterable[str]], planned: Iterable[str]) -> None:
    """Raises InputError (tags-leave-out-asked) where an option names, by its address, what is not planned."""
    here = set(planned)
    outside = [
        f"{option} {address}" for option, addresses in asked.items() for address in addresses if address not in here
    ]
    if outside:
        raise InputError(
            Diagnostic(
                "tags-leave-out-asked",
                "what is asked for is left out by tags",
                found=", ".join(outside),
                why="what is left out stays as it is",
                fix="name its tag too, or ask for it without --tags and --skip-tags",
            )
        )


def _with_needs(chosen: Iterable[str], tasks: Mapping[str, Task]) -> set[str]:
    found: set[str] = set()
    waiting = list(chosen)
    while waiting:
        address = waiting.pop()
        if address in tasks and address not in found:
            found.add(address)
            waiting.extend(tasks[address].needs)
    return found


def _unknown(words: Sequence[str], tags: Sequence[str]) -> Diagnostic:

    near = [match for word in words for match in difflib.get_close_matches(word, [*tags, *WORDS], n=1)]
    told = [f"did you mean {' and '.join(f'`{one}`' for one in near)}?"] if near else []
    return Diagnostic(
        "tag-unknown",
        "no task has such a tag",
        found=", ".join(f"`{word}`" for word in words),
        fix="\n".join([*told, f"tags: {', '.join(tags) or 'none'}; and {', '.join(WORDS)}"]),
    )


def _needed(acting: Sequence[PlannedAction], actions: Sequence[PlannedAction], selection: Selection) -> Diagnostic:
    return Diagnostic(
        "tags-keep-out-needed",
        "tags keep out what a chosen task needs, and it is not as it should be",
        found="\n".join(_told(acting, actions, selection)),
        why="what is made from it would be made from what is not there, or no longer true",
        fix="plan it too (name its tag after --tags, or leave it out of --skip-tags), or skip what needs it as well",
    )


def _told(acting: Sequence[PlannedAction], actions: Sequence[PlannedAction], selection: Selection) -> Iterator[str]:
    for one in acting:
        users = [
            other.address for other in actions if one.address in other.needs and other.address not in selection.held
        ]
        user = f"; {', '.join(users)} needs it" if users else ""
        yield f"{one.address}: {one.action.value} ({', '.join(one.reasons) or 'if changed'}){user}"
