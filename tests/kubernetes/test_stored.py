"""What is noted of an object after an apply, and what is drift from that."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

from ppmlctl.kubernetes.differences import differences
from ppmlctl.kubernetes.ownership import as_applied, has_updated
from ppmlctl.kubernetes.prepare import prepared
from ppmlctl.kubernetes.stored import NOT_THERE, not_noted, noted


def digest(value: bytes) -> str:
    return hmac.new(b"key", value, hashlib.sha256).hexdigest()


def job(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j"}, "spec": spec}


def test_what_was_stored_otherwise_is_drift_only_once_it_changes() -> None:
    sent = job(ttlSecondsAfterFinished=60, cpu="1000m", policy="")
    stored = job(cpu="1", policy="Always")
    notes = noted(differences(sent, stored, "m"), digest)
    assert notes["spec.ttlSecondsAfterFinished"] == NOT_THERE
    assert sorted(notes) == ["spec.cpu", "spec.policy", "spec.ttlSecondsAfterFinished"]
    assert "Always" not in str(notes)
    assert not_noted(differences(sent, stored, "m"), notes, digest) == []
    assert not_noted(differences(sent, sent, "m"), notes, digest) == []
    drifted = not_noted(differences(sent, job(cpu="2", policy="Always"), "m"), notes, digest)
    assert [(one.path, one.live) for one in drifted] == [("spec.cpu", "2")]


def test_without_the_key_nothing_that_is_there_can_be_told_from_drift() -> None:
    sent, stored = job(cpu="1000m", ttl=1), job(cpu="1")
    notes = noted(differences(sent, stored, "m"), lambda _: None)
    assert notes == {"spec.ttl": NOT_THERE}
    assert [one.path for one in not_noted(differences(sent, stored, "m"), notes, lambda _: None)] == ["spec.cpu"]


def test_quantities_that_are_numbers_are_sent_as_text_and_nothing_else_is() -> None:
    limits = {"limits": {"cpu": 0.5, "memory": 1024}, "claims": [{"name": "a"}]}
    container = {"resources": limits, "args": [1], "env": [{"value": 1}]}
    volume = {"emptyDir": {"sizeLimit": 5}}
    sent = prepared(job(replicas=1, containers=[container], volumes=[volume], labels={"limits": 1}, paused=True))
    (seen,), (mounted,) = sent["spec"]["containers"], sent["spec"]["volumes"]
    assert seen["resources"] == {"limits": {"cpu": "0.5", "memory": "1024"}, "claims": [{"name": "a"}]}
    assert (seen["args"], seen["env"], mounted) == ([1], [{"value": 1}], {"emptyDir": {"sizeLimit": "5"}})
    assert (sent["spec"]["replicas"], sent["spec"]["labels"], sent["spec"]["paused"]) == (1, {"limits": 1}, True)
    ranged = prepared({**job(limits=[{"type": "Container", "default": {"cpu": 1}, "min": {"cpu": 0.1}}])})
    assert ranged["spec"]["limits"] == [{"type": "Container", "default": {"cpu": "1"}, "min": {"cpu": "0.1"}}]


def test_numbers_of_others_kinds_are_theirs() -> None:
    boat = {
        "apiVersion": "harbour.example.com/v1",
        "kind": "Boat",
        "metadata": {"name": "b"},
        "spec": {"limits": {"t": 1}},
    }
    assert prepared(boat) == boat


def test_what_a_manager_created_becomes_what_it_applied() -> None:
    fields = {"f:spec": {".": {}, "f:ports": {'k:{"port":80}': {".": {}, "f:port": {}}}}}
    entry = {"manager": "m", "operation": "Update", "apiVersion": "v1", "fieldsV1": fields}
    status = {"manager": "m", "operation": "Update", "subresource": "status", "fieldsV1": {"f:status": {}}}
    live = {"metadata": {"managedFields": [entry, status, {**entry, "manager": "other"}]}}
    assert has_updated(live, "m")
    after = as_applied(live, "m")
    assert [(one["manager"], one["operation"], one.get("subresource")) for one in after] == [
        ("m", "Apply", None),
        ("m", "Update", "status"),
        ("other", "Update", None),
    ]
    assert after[0]["fieldsV1"] == fields
    assert not has_updated({"metadata": {"managedFields": after}}, "m")
