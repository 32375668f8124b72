"""Through which proxy a server is reached; the rules themselves are held to kubectl in test_kubeconfig_as_kubectl."""

from __future__ import annotations

import pytest

from ppmlctl.clients.proxies import Proxy, proxy_of
from ppmlctl.diagnostics import InputError

PROXY = {"HTTPS_PROXY": "http://proxy:3128"}


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1", "127.8.9.1", "[::1]", "localhost."])
def test_this_machine_is_asked_directly(host: str) -> None:
    assert proxy_of(f"https://{host}:6443", PROXY) is None


@pytest.mark.parametrize(
    ("exceptions", "url", "goes"),
    [
        ("10.0.0.0/8", "https://10.1.2.3:6443", False),
        ("10.0.0.0/8", "https://11.1.2.3:6443", True),
        ("fd00::/8", "https://[fd00::1]:6443", False),
        ("10.1.2.3", "https://10.1.2.3", False),
        ("10.1.2.3:6443", "https://10.1.2.3:6443", False),
        ("10.1.2.3:443", "https://10.1.2.3:6443", True),
        ("[fd00::1]:6443", "https://[fd00::1]:6443", False),
        ("fd00::1", "https://[fd00::1]:6443", False),
        ("example.com", "https://a.example.com", False),
        ("example.com", "https://badexample.com", True),
        (".example.com", "https://example.com", True),
        ("no/network", "https://example.com", True),
    ],
)
def test_no_proxy_names_networks_addresses_and_domains(exceptions: str, url: str, *, goes: bool) -> None:
    assert (proxy_of(url, {**PROXY, "NO_PROXY": exceptions}) is not None) is goes


def test_each_scheme_has_its_variable() -> None:
    assert proxy_of("http://a.example.com", PROXY) is None
    assert proxy_of("http://a.example.com", {"http_proxy": "proxy:3128"}) == Proxy("http://proxy:3128", "http_proxy")
    assert proxy_of("https://a.example.com", {"ALL_PROXY": "proxy:3128"}) is None


def test_who_asks_is_in_no_text() -> None:
    proxy = Proxy.of("http://me:s%40fe@proxy:3128", "HTTPS_PROXY")
    assert (str(proxy), proxy.user) == ("http://proxy:3128 (HTTPS_PROXY)", "me:s@fe")
    assert "s%40fe" not in repr(proxy)


@pytest.mark.parametrize("value", ["ftp://me:hunter2@proxy", "http://", "http://proxy:port", "::"])
def test_a_variable_that_names_no_proxy_is_an_error_that_quotes_nothing(value: str) -> None:
    with pytest.raises(InputError) as refused:
        proxy_of("https://a.example.com", {"HTTPS_PROXY": value})
    assert str(refused.value) == (
        "error[proxy-invalid]: a variable names no proxy\n"
        "  is   HTTPS_PROXY: it is no URL with one of the schemes http, https, socks5, socks5h\n"
        "  fix  HTTPS_PROXY=http://HOST:PORT, or unset it"
    )
