"""`ppmlctl attest quote`: a verdict for people and machines, and an exit code."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from ppmlctl.cli.main import run
from ppmlctl.sandbox.ehsm import ehsm_identity, make_app
from ppmlctl.sandbox.ehsm.quoting import Quoting
from ppmlctl.sandbox.ehsm.serving import served
from ppmlctl.sandbox.tls import ensure_certificates

AT = "2026-05-01T12:00:00Z"
OWN = ehsm_identity()
TIME = "error[attest-time]: the time cannot be understood\n  is   {}\n  fix  --at 2025-06-19T12:00:00Z\n"


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """A command line that accepts the sandbox's quote."""
    quoting = Quoting(tmp_path, lambda: 1777636800.0)
    (tmp_path / "quote").write_bytes(quoting.quote())
    (tmp_path / "quote4").write_bytes(quoting.quote(version=4))
    paths = ["--collateral", str(tmp_path / "collateral.json"), "--root-ca", str(tmp_path / "quote-root.pem")]
    return ["attest", "quote", str(tmp_path / "quote"), *paths, "--at", AT]


def test_an_accepted_quote_is_shown_with_what_it_says(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    expected = ["--expect", f"mr_enclave={OWN.mr_enclave}", "--expect", "min_svn=1", "--expect", "debug=false"]
    assert run([*files, *expected, "-o", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "verdict": "accepted",
        "reason": None,
        "detail": "",
        "verified": True,
        "root": "private root",
        "tcb_status": "UpToDate",
        "advisories": [],
        "tee": "sgx",
        "quote_version": 3,
        "mr_enclave": OWN.mr_enclave,
        "mr_signer": OWN.mr_signer,
        "isv_prod_id": 1,
        "isv_svn": 1,
        "debug": False,
        "report_data": "00" * 64,
    }
    assert run(files) == 0
    assert capsys.readouterr().out.startswith("accepted\n  verified         true\n  root             private root\n")


def test_a_quote_of_version_4_is_judged_like_one_of_3(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    found = []
    for name in ("quote", "quote4"):
        files[2] = str(Path(files[2]).with_name(name))
        assert run([*files, "--expect", f"mr_enclave={OWN.mr_enclave}", "-o", "json"]) == 0
        found.append(json.loads(capsys.readouterr().out))
    assert found[1] == found[0] | {"quote_version": 4}


def test_a_refused_quote_says_why_and_what_it_says_is_not_verified(
    files: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*files, "--at", "2030-01-01T00:00:00+02:00", "-o", "json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["verdict"], found["reason"], found["verified"]) == ("refused", "outside-validity", False)
    assert found["detail"] == "the TCB levels ended at 2026-05-31T12:00:00Z, which is before 2029-12-31T22:00:00Z"
    assert (found["tcb_status"], found["advisories"], found["mr_enclave"]) == (None, [], OWN.mr_enclave)
    assert run([*files, "--expect", "prod_id=2"]) == 1
    assert capsys.readouterr().out.startswith("refused[expectation-not-met]: prod_id is 1, expected 2\n")


def test_a_file_that_is_no_quote_is_refused_as_malformed(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    files[2] = __file__
    assert run([*files, "-o", "json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["verdict"], found["reason"], found["tee"]) == ("refused", "malformed", None)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            ["--expect", "mr_enclave=00"],
            (
                "error[attest-expectation]: an expectation cannot be understood\n"
                "  is   mr_enclave has 64 hexadecimal digits, which `00` has not\n"
                "  fix  --expect mr_enclave=HEX, mr_signer=, prod_id=, min_svn=, debug=, report_data=, mr_td=, rtmr0=\n"
            ),
        ),
        (
            ["--at", "yesterday"],
            TIME.format("yesterday"),
        ),
        (
            ["--at", "2025-06-19T12:00:00"],
            TIME.format("2025-06-19T12:00:00"),
        ),
        (
            ["--accept-status", "uptodate"],
            (
                "error[attest-status]: there is no such TCB status\n"
                "  is   uptodate\n"
                "  fix  name one of: UpToDate, SWHardeningNeeded, ConfigurationNeeded, "
                "ConfigurationAndSWHardeningNeeded, OutOfDate, OutOfDateConfigurationNeeded, Revoked\n"
            ),
        ),
        (
            ["--collateral", "/nowhere.json"],
            "error[attest-file]: a file cannot be read\n  is   /nowhere.json: No such file or directory\n",
        ),
        (
            ["--root-ca", "/dev/zero"],
            "error[attest-file]: a file cannot be read\n  is   /dev/zero: it is a device, not a regular file\n",
        ),
    ],
)
def test_a_wrong_command_line_is_told(
    files: list[str], wrong: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*files, *wrong]) == 1
    assert capsys.readouterr().err == message


@pytest.mark.parametrize(("given", "found"), [([], "neither"), (["--collateral", "f", "--pccs", "u"], "both")])
def test_one_source_of_collateral_must_be_named(
    given: list[str], found: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["attest", "quote", __file__, *given]) == 1
    assert capsys.readouterr().err == (
        "error[attest-collateral]: it is not clear what to verify the quote with\n"
        f"  is   {found} of two options\n  fix  --collateral FILE, or --pccs URL\n"
    )


def test_collateral_may_come_from_a_pccs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    certificates = ensure_certificates(tmp_path / "tls")
    with served(make_app(tmp_path / "ehsm"), certificates) as port:
        (tmp_path / "quote").write_bytes(Quoting(tmp_path / "ehsm", time.time).quote())
        words = ["attest", "quote", str(tmp_path / "quote"), "--pccs", f"https://127.0.0.1:{port}"]
        root = ["--root-ca", str(tmp_path / "ehsm" / "quote-root.pem")]
        assert run([*words, *root, "--pccs-ca", str(certificates.ca)]) == 0
        assert run([*words, *root]) == 1
        assert "error[pccs-untrusted]" in capsys.readouterr().err
        assert run([*words[:2], __file__, *words[3:], "-o", "json"]) == 1
        assert json.loads(capsys.readouterr().out)["reason"] == "malformed"
