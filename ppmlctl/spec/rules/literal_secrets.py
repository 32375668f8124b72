"""Rules against secrets in ppml.yaml."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ppmlctl.spec.environment import Environment
from ppmlctl.spec.finding import Finding, warning
from ppmlctl.spec.key_path import KeyPath
from ppmlctl.spec.rules.workloads import kinds_of
from ppmlctl.spec.secret_words import named_secret, secret_in, secrets_of
from ppmlctl.spec.section import Section
from ppmlctl.spec.traits import Trait, marked

_IN_PODS = "ppml.yaml is committed, and whoever may read pods reads it there"
_IN_IMAGES = "ppml.yaml is committed, and build arguments stay in the image's history"
_COMMITTED = "ppml.yaml is committed"


def no_secret_is_literal(environment: Environment) -> Iterator[Finding]:
    """ppml.yaml is committed, and settings, variables and arguments can be read in the pod's description."""
    for path, found, why, fix in _found(environment):
        if found not in environment.not_secrets and str(path[-1]) not in environment.not_secrets:
            ways = f"{fix}; or name it in `not_secrets`, where it is none"
            yield Finding(path, "literal-secret", "a secret stands in ppml.yaml", found, why, ways)
    for index, name in enumerate(environment.not_secrets):
        title, why = "what looks like a secret is none, as ppml.yaml says", "it is neither masked nor refused"
        fix = "take it out of `not_secrets` where it is one"
        yield warning(("not_secrets", index), "literal-allowed", title, found=name, why=why, fix=fix)


def _found(environment: Environment) -> Iterator[tuple[KeyPath, str, str, str]]:
    for path, kind in kinds_of(environment):
        for place, found in _in_fields(kind, path):
            yield place, found, _IN_PODS, kind.keeps_secrets
    for path, arguments in marked(environment, Trait.BUILD_ARGUMENTS):
        for place, found in secrets_of(arguments, path):
            yield place, found, _IN_IMAGES, "give it to the build by other means than arguments"
    for path, values in marked(environment, Trait.VALUES):
        for place, found in secrets_of(values, path):
            yield place, found, _COMMITTED, "keep it in the vault, by a vault_secret task"


def _in_fields(section: Section, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    for trait in (Trait.SETTINGS, Trait.VARIABLES):
        for place, values in marked(section, trait, path):
            yield from secrets_of(values, place)
    for place, words in marked(section, Trait.WORDS, path):
        yield from _in_words(words, place)
    for place, program in marked(section, Trait.PROGRAM, path):
        named = {place: program} if isinstance(program, str) else {(*place, i): one for i, one in enumerate(program)}
        yield from ((where, found) for where, word in named.items() if (found := secret_in(word)))


def _in_words(words: Sequence[str], path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    for index, word in enumerate(words):
        before = words[index - 1] if index else ""
        is_option = before.startswith("-") and "=" not in before
        follows = is_option and named_secret(before, word) and word[0] not in "-/" and not word.isdecimal()
        if found := before if follows else secret_in(word):
            yield (*path, index), found
