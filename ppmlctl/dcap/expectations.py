"""What a quote is expected to say, as people write it: `mr_enclave=…`, `min_svn=2`, `debug=false`."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ppmlctl.dcap.claims import Claims

_LARGEST_NUMBER = 0xFFFF
_SIZES = {"mr_enclave": 32, "mr_signer": 32, "report_data": 64, "td_attributes": 8, "xfam": 8, "seam_attributes": 8}
_SIZES |= {"tee_tcb_svn": 16, "tee_tcb_svn2": 16}
_SIZES |= dict.fromkeys(("mr_td", "mr_seam", "mr_signer_seam", "rtmr0", "rtmr1", "rtmr2", "rtmr3"), 48)
_SIZES |= dict.fromkeys(("mr_config_id", "mr_owner", "mr_owner_config", "mr_service_td"), 48)
"""Bytes of what is compared as hexadecimal."""
_NUMBERS = {"prod_id": "isv_prod_id", "min_svn": "isv_svn"}
"""What is compared as a number, and the claim that it is compared with."""
NAMES = (*sorted(_SIZES), *_NUMBERS, "debug")


class ExpectationError(ValueError):
    """An expectation that cannot be understood. Says why."""


@dataclass(frozen=True)
class Expectations:
    """By name; measurements in lower-case hexadecimal, numbers as numbers. A quote of a debug enclave is expected by
    nobody unless `debug` says so.
    """

    values: Mapping[str, str | int | bool]

    @classmethod
    def parse(cls, texts: Iterable[str]) -> Expectations:
        """Reads `name=value` texts. Raises ExpectationError."""
        values: dict[str, str | int | bool] = {}
        for text in texts:
            name, equals, value = text.partition("=")
            if not equals:
                raise ExpectationError(f"`{text}` is not of the form name=value")
            if name in values:
                raise ExpectationError(f"`{name}` is expected twice")
            values[name] = _value(name, value)
        return cls(values)

    @property
    def debug(self) -> bool:
        """Whether a debug enclave or domain is expected."""
        return bool(self.values.get("debug", False))

    def differences(self, claims: Claims) -> Iterator[str]:
        """Each way in which a quote does not say what is expected; nothing where it does."""
        for name, expected in self.values.items():
            shown = claims.get(_NUMBERS.get(name, name))
            if shown is None:
                yield f"a quote of {str(claims['tee']).upper()} in version {claims['quote_version']} has no {name}"
            elif name == "min_svn" and int(shown) >= int(expected):
                continue
            elif shown != expected:
                least = "at least " if name == "min_svn" else ""
                yield f"{name.removeprefix('min_')} is {_word(shown)}, expected {least}{_word(expected)}"


def _word(value: str | int | bool) -> str:  # noqa: FBT001 - a claim
    return str(value).lower()


def _value(name: str, text: str) -> str | int | bool:
    if name in _SIZES:
        digits = text.lower().removeprefix("0x")
        if not re.fullmatch(rf"[0-9a-f]{{{2 * _SIZES[name]}}}", digits):
            raise ExpectationError(f"{name} has {2 * _SIZES[name]} hexadecimal digits, which `{text}` has not")
        return digits
    if name in _NUMBERS:
        if not re.fullmatch(r"[0-9]{1,5}", text) or int(text) > _LARGEST_NUMBER:
            raise ExpectationError(f"{name} is a number from 0 to {_LARGEST_NUMBER}, which `{text}` is not")
        return int(text)
    if name == "debug":
        if text not in {"true", "false"}:
            raise ExpectationError(f"debug is true or false, not `{text}`")
        return text == "true"
    near = difflib.get_close_matches(name, NAMES, n=1)
    raise ExpectationError(f"`{name}` cannot be expected" + (f"; did you mean `{near[0]}`?" if near else ""))
