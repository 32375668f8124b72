"""An apply that is stopped past its lease, wherever it is, and woken after another has applied, overwrites nothing."""

from __future__ import annotations

import json
import random
import signal
from pathlib import Path

import pytest
from flows.checkouts import Checkout, Make

pytestmark = pytest.mark.long

OBJECTS = 24
TRIALS = [
    *(pytest.param("sandbox", seed, id=f"sandbox-{seed}") for seed in range(2)),
    *(pytest.param("real", seed, id=f"real-{seed}", marks=pytest.mark.cluster) for seed in range(20)),
]


def declare(checkout: Checkout, who: str) -> None:
    """Values of its own in many objects."""
    tasks = [
        {
            "name": f"object-{number}",
            "k8s_object": {
                "manifest": {
                    "apiVersion": "v1",
                    "kind": "ConfigMap",
                    "metadata": {"name": f"object-{number}", "namespace": checkout.namespace},
                    "data": {"by": who},
                }
            },
            "needs": ["first"],
        }
        for number in range(OBJECTS)
    ]
    with (checkout.folder / "objects.yaml").open("a") as file:
        file.write("".join(f"- {json.dumps(task)}\n" for task in tasks))


@pytest.mark.parametrize(("kubeconfig", "seed"), TRIALS, indirect=["kubeconfig"])
def test_nothing_of_the_winners_is_overwritten(make: Make, kubeconfig: Path, seed: int) -> None:
    assert kubeconfig.exists()
    one = make(seconds=3)
    if seed % 2:  # half of the trials change what is there, half make what is not
        declare(one, "before")
    one.succeed("apply", "--yes")
    two = one.clone("two")
    for checkout, who in ((one, "loser"), (two, "winner")):
        text = (checkout.folder / "objects.yaml").read_text().replace('"before"', f'"{who}"')
        (checkout.folder / "objects.yaml").write_text(text)
        if not seed % 2:
            declare(checkout, who)
    losing = one.begin()
    reached = f"object-{random.Random(seed).randrange(OBJECTS // 2)}"
    one.until("ConfigMap", reached, "the loser is there", lambda live: "loser" in str((live or {}).get("data")))
    losing.send_signal(signal.SIGSTOP)
    two.succeed("apply", "--yes", "--lock-timeout", "60")
    losing.send_signal(signal.SIGCONT)
    out, err = losing.communicate(timeout=60)
    assert losing.returncode in {0, 1}, out + err
    found = {f"object-{number}": two.object(f"object-{number}") for number in range(OBJECTS)}
    assert {name: (live or {}).get("data") for name, live in found.items()} == {
        name: {"by": "winner"} for name in found
    }
    if losing.returncode:
        assert "error[lease-lost]" in out + err
