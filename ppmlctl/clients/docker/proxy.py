"""What builds reach the network through."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from ppmlctl.secret import MASK, Secret


@dataclass(frozen=True)
class Proxy:
    """Proxies by scheme, and whom they ask for. `password` goes with `username`."""

    http: str | None = None
    https: str | None = None
    no_proxy: tuple[str, ...] = ()
    username: str | None = None
    password: Secret | None = None

    def build_arguments(self) -> dict[str, str]:
        """Docker's predefined proxy arguments, which stay out of the image's history and of the cache's key.

        Source: Dockerfile reference, "Predefined ARGs". Programs disagree about the case, so both are given.
        """
        urls = {"http_proxy": self.http, "https_proxy": self.https}
        given = {name: self._with_user(url) for name, url in urls.items() if url}
        if self.no_proxy:
            given["no_proxy"] = ",".join(self.no_proxy)
        return given | {name.upper(): value for name, value in given.items()}

    def masked(self, text: str) -> str:
        """`text` without the password, and without the user information of the URLs."""
        if self.password is None:
            return text
        plain = self.password.reveal_text()
        for hidden in (self._user_information(), quote(plain, safe=""), plain):
            text = text.replace(hidden, MASK) if hidden else text
        return text

    def _with_user(self, url: str) -> str:
        user, (scheme, separator, rest) = self._user_information(), url.partition("://")
        return f"{scheme}{separator}{user}@{rest}" if user else url

    def _user_information(self) -> str:
        if self.username is None:
            return ""
        password = f":{quote(self.password.reveal_text(), safe='')}" if self.password else ""
        return quote(self.username, safe="") + password
