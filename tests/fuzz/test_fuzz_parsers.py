"""Every parser refuses with its own error whatever is no input of it: noise, and valid inputs that were damaged."""

from __future__ import annotations

import pytest
from fuzz.targets import TARGETS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

_SEEDS = {name: sorted(target.seeds(), key=len)[:3] for name, target in TARGETS.items()}


@st.composite
def _damaged(draw: st.DrawFn, seeds: list[bytes]) -> bytes:
    """A valid input in which a few spans are changed, taken out, doubled or swapped for another's."""
    content = draw(st.sampled_from(seeds))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(content)))
        end = draw(st.integers(start, min(len(content), start + 400)))
        span = draw(
            st.one_of(
                st.binary(max_size=8),
                st.just(content[start:end] * 2),
                st.just(draw(st.sampled_from(seeds))[start:end]),
                st.sampled_from([b"\0" * 8, b"\xff" * 8, b"\r\n", b"[[", b"=", b'"""', b"0x" + b"f" * 70]),
            )
        )
        content = content[:start] + span + content[end:]
    return content


@pytest.mark.parametrize("name", TARGETS)
@given(data=st.data())
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_damaged_inputs_are_taken_or_refused(name: str, data: st.DataObject) -> None:
    TARGETS[name].check(data.draw(_damaged(_SEEDS[name])))


@pytest.mark.parametrize("name", TARGETS)
@given(content=st.binary(max_size=3000))
@settings(deadline=None)
def test_noise_is_refused(name: str, content: bytes) -> None:
    TARGETS[name].check(content)


@pytest.mark.parametrize("name", TARGETS)
def test_every_seed_is_taken(name: str) -> None:
    for seed in _SEEDS[name]:
        TARGETS[name].run(seed)
