"""An environment that the release before applied keeps its records, and plans nothing: a lockfile and its world."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from flows.place import Place, changed

from ppmlctl.sandbox import process
from ppmlctl.sandbox.kubernetes.kinds import kind_named
from ppmlctl.sandbox.kubernetes.store import Store

BEFORE = Path(__file__).parent / "environment_of_before"


def test_it_plans_nothing_and_goes_as_it_came(tmp_path: Path) -> None:
    folder = tmp_path / "env"
    ignored = shutil.ignore_patterns("world.json")
    shutil.copytree(BEFORE, folder, ignore=ignored)
    place = Place(folder, {"PPML_VAULT_PASSWORD": "fixture", "XDG_STATE_HOME": str(tmp_path), "NO_COLOR": "1"})
    world = place.sandbox / "kubernetes"
    world.mkdir(parents=True, mode=0o700)
    place.sandbox.chmod(0o700)
    store = Store(world)
    for plural, objects in json.loads((BEFORE / "world.json").read_text()).items():
        for one in objects:
            store.put(kind_named(plural), one)
    store.close()
    before = place.lockfile
    place.succeed("sandbox", "up")
    try:
        code, plan = place.plan()
        assert (code, changed(plan)) == (0, {})
        place.apply()
        assert place.lockfile == before
    finally:
        process.down(place.sandbox)
