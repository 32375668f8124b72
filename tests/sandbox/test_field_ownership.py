"""Paths, merging and ownership as values."""

from __future__ import annotations

from contextlib import nullcontext

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ppmlctl.sandbox.kubernetes.fields import as_text, decode, encode, leaves, with_prefixes
from ppmlctl.sandbox.kubernetes.kinds import KINDS, kind_named
from ppmlctl.sandbox.kubernetes.merging import merge, remove
from ppmlctl.sandbox.kubernetes.ownership import APPLY, Owner, applied, owned_leaves, owners_of, record
from ppmlctl.sandbox.kubernetes.patching import merged_patch
from ppmlctl.sandbox.kubernetes.schema import schema_of
from ppmlctl.sandbox.kubernetes.status import ApiError

CONFIGMAP = schema_of(kind_named("configmaps"))
DEPLOYMENT = schema_of(kind_named("deployments"))

names = st.sampled_from(["a", "b", "c"])
values = st.sampled_from(["1", "2"])
data = st.dictionaries(names, values, max_size=3)
environment = data.map(lambda chosen: [{"name": name, "value": value} for name, value in chosen.items()])
containers = st.dictionaries(names, environment, max_size=3).map(
    lambda chosen: [{"name": name, "env": env} if env else {"name": name} for name, env in chosen.items()]
)
deployments = containers.map(lambda listed: {"spec": {"template": {"spec": {"containers": listed}}}})
paths = st.frozensets(st.lists(st.sampled_from(["f:a", "f:b", 'k:{"name":"x"}']), min_size=1, max_size=4).map(tuple))


def by(manager):
    return Owner(manager, APPLY, "v1", frozenset(), "2026-01-01T00:00:00Z")


def with_record(obj, owners):
    return {**obj, "metadata": {"managedFields": record(owners)}}


def apply(live, config, manager, schema=DEPLOYMENT, *, force=True):
    return with_record(*applied(live, config, schema, by(manager), force=force))


def content(obj):
    """Every leaf with its value, whatever the order of keyed lists."""
    return {path: repr(value) for path, value in owned_leaves(obj, DEPLOYMENT).items()}


@settings(deadline=None)
@given(paths)
def test_a_set_of_paths_reads_back_as_written(chosen):
    assert decode(encode(chosen)) == chosen


@settings(deadline=None)
@given(data, data)
def test_what_is_applied_stands_afterwards(live, config):
    merged = merge({"data": live}, {"data": config}, CONFIGMAP)["data"]
    assert merged == {**live, **config}


@settings(deadline=None)
@given(deployments, deployments)
def test_applying_again_changes_nothing(live, config):
    once = apply(apply({}, live, "first"), config, "second")
    assert apply(once, config, "second") == once


@settings(deadline=None)
@given(deployments, deployments)
def test_a_lone_applier_has_exactly_what_it_applied_last(before, after):
    assert content(apply(apply({}, before, "one"), after, "one")) == content(after)


@settings(deadline=None)
@given(deployments, deployments)
def test_whoever_applies_nothing_any_more_leaves_the_others_work(mine, theirs):
    alone = apply({}, theirs, "they")
    both = apply(apply({}, mine, "me"), theirs, "they")
    assert content(apply(both, {}, "me")) == content(alone)


@settings(deadline=None)
@given(deployments, deployments)
def test_without_force_either_all_is_applied_or_nothing_is_disputed(mine, theirs):
    live = apply({}, mine, "me")
    standing, wanted = content(live), content(theirs)
    disputed = any(standing[path] != wanted[path] for path in standing.keys() & wanted.keys())
    with pytest.raises(ApiError, match="conflict") if disputed else nullcontext():
        applied(live, theirs, DEPLOYMENT, by("they"), force=False)


@settings(deadline=None)
@given(deployments, deployments)
def test_every_field_has_an_owner_after_applying(mine, theirs):
    both = apply(apply({}, mine, "me"), theirs, "they")
    owned = with_prefixes(path for owner in owners_of(both) for path in owner.fields)
    named = {path for path, value in leaves(both["spec"], DEPLOYMENT.fields["spec"]) if value}
    assert {("f:spec", *path) for path in named} <= owned


def test_live_items_keep_their_place_among_applied_ones():
    live = [{"name": name} for name in ("a", "b", "c")]
    node = DEPLOYMENT.fields["spec"].fields["template"].fields["spec"].fields["containers"]
    merged = merge(live, [{"name": "c"}, {"name": "a"}, {"name": "new"}], node)
    assert [item["name"] for item in merged] == ["c", "a", "b", "new"]


def test_a_removed_item_takes_its_defaults_along():
    live = {"containers": [{"name": "a", "image": "x", "resources": {}}, {"name": "b"}]}
    node = DEPLOYMENT.fields["spec"].fields["template"].fields["spec"]
    gone = frozenset({("f:containers", 'k:{"name":"a"}')})
    assert remove(live, node, gone) == {"containers": [{"name": "b"}]}


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("f:data", "f:a"), ".data.a"),
        (("f:containers", 'k:{"name":"c"}', "f:image"), '.containers[name="c"].image'),
        (("f:ports", 'k:{"containerPort":80,"protocol":"TCP"}'), '.ports[containerPort=80,protocol="TCP"]'),
        (("f:finalizers", 'v:"x"'), '.finalizers[="x"]'),
    ],
)
def test_paths_are_told_as_the_api_tells_them(path, text):
    assert as_text(path) == text


def test_every_kind_has_a_schema_with_metadata():
    assert [kind.kind for kind in KINDS if "metadata" not in schema_of(kind).fields] == []


# The examples of RFC 7386, appendix A, that have objects on both sides.
@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_merge_patch_follows_its_rfc(target, patch, result):
    assert merged_patch(target, patch) == result
