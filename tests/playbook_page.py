"""docs/playbooks.md: the language in words and examples, and each module's arguments from their models."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from ppmlctl.modules.registry import kinds, module
from ppmlctl.playbook.schema import TASK_KEYS

ABOUT = """\
# Playbooks

A playbook is a YAML list of tasks. Those that ship say what the sections of `ppml.yaml` mean; `playbooks:` in
`ppml.yaml` adds your own, and `site:` replaces the shipped ones. Each task names one module; the tasks together are the
plan graph, in which a task comes after those whose results it reads.

```yaml
- name: signing-key
  enclave_key: {path: keys/enclave-key.pem}
  register: signing_key

- name: settings
  title: What the application reads
  when: env.cluster.namespace != 'default'
  k8s_object:
    manifest:
      apiVersion: v1
      kind: ConfigMap
      metadata: {name: settings, namespace: "{{ env.cluster.namespace }}"}
      data: {signer: "{{ signing_key.mr_signer }}"}
  needs: [namespace]
```

An entry of the list is a task, a `block`, an `import` or `outputs`. A key that means nothing where it stands is an
error at its line and column.

## Keys of a task

"""

LANGUAGE = """\

Beside these a task has the name of its module, with the arguments below it. `when`, `vars`, `needs` and `tags` are also
keys of blocks, imports and files.

## Blocks, imports and files

What a block says holds for all tasks in it: its condition is asked before theirs, its variables are theirs, and its
needs and tags are added to theirs. Blocks may stand in blocks. A block has at least one task, and no name: it is in no
plan and no lockfile.

```yaml
- block:
    - name: registry-password
      vault_secret: {name: registry_password, generate: false, env: "{{ variable }}"}
      register: registry_password
    - name: registry-account
      k8s_secret:
        name: registry-account
        namespace: "{{ env.cluster.namespace }}"
        data: {password: "{{ registry_password.value }}"}
  when: [env.images is not none, env.images.custom.push]
  vars: {variable: REGISTRY_PASSWORD}
  needs: [namespace]
  tags: [registry]
```

An import takes in another playbook, named from the folder of this one, and may say the same for all of it:

```yaml
- import: registry.yaml
  when: env.images is not none
  tags: [registry]
```

`import: {flows: tasks.yaml}` takes in the file of that name from the folder of every kind of workload.

A file may say it for itself. It is a mapping then, with its list under `tasks`:

```yaml
when: env.keys is not none
vars: {folder: "{{ env.keys.folder }}"}
tasks:
  - name: own-password
    vault_secret: {name: own_password}
    register: own_password
  - outputs:
      folder: "{{ folder }}"
```

`outputs` are named values that the recap and `ppmlctl output` show; they have `when` and `vars` of their own.

## Expressions

`{{ }}` holds a Jinja2 expression over `env` (what `ppml.yaml` says, with its defaults), the variables of `vars` in
`ppml.yaml`, `target`, variables of tasks and blocks, `item` in a loop, and what tasks `register`. Statements, methods
and attributes of Python are not offered.

- A scalar that is one expression gives that expression's own type: a number, a list, a mapping. Text around it gives
  text.
- What touches a secret is a secret; what touches a value that is not known before apply is unknown in the plan.
- `when` needs no braces. Of a list every condition must hold. A condition that reads results is decided in apply.
- A variable may use those written before it and, in a loop, `item`. It is evaluated where it is used; one that is
  used nowhere may be wrong where nobody looks.
- A variable hides the result of its name for the tasks that it is for, and for no others.
- A name that several tasks register means the last of them before the reader.

### omit

`omit` drops the key or the list entry whose value it is, so that what is optional stands in its place:

```yaml
- name: reader
  vars:
    data_volume: {name: data, hostPath: {path: /srv/data}}
  k8s_object:
    manifest:
      apiVersion: v1
      kind: Pod
      metadata: {name: reader, namespace: default}
      spec:
        runtimeClassName: "{{ runtime_class | default(omit) }}"
        volumes:
          - {name: scratch, emptyDir: {}}
          - "{{ data_volume if env.client.data is not none else omit }}"
        containers: [{name: reader, image: example/reader}]
```

It can be chosen, given to `default`, kept in a variable, and stand for an argument, a member of a mapping or list, a
`needs` entry or an output. Where a value is needed (a condition, a loop, inside a text, an argument without a default)
it is an error. No variable and no result can be called `omit`.

### Filters and tests

Filters: FILTERS.

Tests, as in `is none`: TESTS.

## Manifests in files

The `manifest` of a `k8s_object` may be the name of a YAML file, from the folder of the playbook:

```
- name: settings
  k8s_object: {manifest: manifests/settings.yaml}
```

The file holds the one object, with expressions as if it stood in the task. It lies in the playbook's folder or below,
wherever links lead. Faults in it are told at its own lines.

## Tags

`plan` and `apply` take `--tags a,b` and `--skip-tags c`. A task has its own tags and those of the blocks, imports and
files around it.

| | |
| --- | --- |
| `--tags a,b` | tasks that have one of these tags, and those tagged `always` |
| `--skip-tags c` | not those that have one of these, even if `--tags` names another of theirs |
| `always` | a tag: chosen whatever `--tags` says, unless `--skip-tags always` |
| `never` | a tag: chosen only where `--tags` names it or another tag of the task |
| `all`, `tagged`, `untagged` | words for both options; no task can have them as tags |

What a chosen task needs, directly or not, is planned too, and the plan's header names it. Everything else is left out:
nothing of it is made, changed or removed, and a plan with `--tags` or `--skip-tags` removes nothing at all. What tags
keep out (`--skip-tags`, `never`) although a chosen task needs it must be there as it is declared; otherwise there is no
plan, and the message names both. Header, recap and JSON say what is left out. A saved plan is applied with the tags
that it was made with. A tag that no task has is an error, which lists those there are. `destroy` takes away everything,
whatever its tags.

The shipped playbooks have the tags `images`, `keys`, `kms`, `attestation`, `cluster` and `workloads`.

## Arguments of the modules

What a module does, its result and its errors are in [modules.md](modules.md). Every value may be an expression.
"""

_HIDDEN = ("known value", "~")


def playbooks_page(generated: str, filters: Mapping[str, Any], tests: Mapping[str, Any]) -> str:
    """The whole page."""
    rows = "".join(f"| `{name}` | {_type_of_schema(key)} | {key['description']} |\n" for name, key in TASK_KEYS.items())
    language = LANGUAGE.replace("FILTERS", _named(filters)).replace("TESTS", _named(tests))
    parts = [generated, ABOUT, "| key | is | meaning |\n| --- | --- | --- |\n", rows, language]
    return "".join([*parts, *(_arguments(kind) for kind in kinds())])


def _named(offered: Mapping[str, Any]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(offered) if name not in _HIDDEN)


def _arguments(kind: str) -> str:
    args = module(kind).Args
    text = " ".join((args.__doc__ or "").split())
    head = f"\n### {kind}\n\n{text}\n\n| argument | type | default | meaning |\n| --- | --- | --- | --- |\n"
    schema = args.model_json_schema()
    return head + "".join(_rows(schema, schema.get("$defs", {}), args, ""))


def _rows(
    schema: Mapping[str, Any], inner: Mapping[str, Any], model: type[BaseModel] | None, prefix: str
) -> Iterator[str]:
    for name, field in schema.get("properties", {}).items():
        known = model.model_fields[name] if model else None
        default = "required" if name in schema.get("required", ()) else _default(field, known)
        meaning = " ".join(field.get("description", "").split()).replace("|", "\\|")
        yield f"| `{prefix}{name}` | {_type_of_schema(field)} | {default} | {meaning} |\n"
        for nested, many in _nested(field):
            yield from _rows(inner[nested], inner, None, f"{prefix}{name}{'[]' if many else ''}.")


def _nested(field: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    for one in (field, *field.get("anyOf", ())):
        if "$ref" in one:
            yield one["$ref"].rpartition("/")[2], False
        elif "$ref" in one.get("items", {}):
            yield one["items"]["$ref"].rpartition("/")[2], True


def _default(field: Mapping[str, Any], known: Any) -> str:
    default = field.get("default", None if known is None else known.default)
    if default is None or default is PydanticUndefined:
        return ""
    return f"`{json.dumps(default, default=str)}`"


def _type_of_schema(field: Mapping[str, Any]) -> str:
    """A type in words: `text`, `list of text`; what may be left empty is not told apart."""
    if "anyOf" in field:
        kinds_of = dict.fromkeys(_type_of_schema(one) for one in field["anyOf"] if one.get("type") != "null")
        return " or ".join(kinds_of)
    if "enum" in field or "const" in field:
        return ", ".join(f"`{one}`" for one in field.get("enum", [field.get("const")]))
    if "$ref" in field:
        return "mapping"
    named = field.get("type", "any value")
    if isinstance(named, list):
        return " or ".join(_type_of_schema({**field, "type": one}) for one in named if one != "null")
    if named == "array":
        return f"list of {_type_of_schema(field['items'])}" if field.get("items") else "list"
    words = {"string": "text", "integer": "whole number", "boolean": "true or false", "object": "mapping"}
    return words.get(named, named)
