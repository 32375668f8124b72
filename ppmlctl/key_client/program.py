"""Has EHSM unwrap a data key and prints it, in base64: the key client that the images' `encrypted-fsd.sh` starts.

This file goes into the custom image as it is, since BigDL's images lack the client that their script calls. It runs
there inside the enclave, under the image's own Python (3.8 or later), with nothing but its standard library. It takes
the options that the script gives and the account from `APPID` and `APIKEY`. EHSM is trusted by the certificate's
SHA-256 in `PPMLCTL_EHSM_FINGERPRINT`, by the PEM text in `PPMLCTL_EHSM_CA`, by nothing with `PPMLCTL_EHSM_INSECURE`,
and otherwise by the image's own authorities.

Source: upstream `ppml/base/encrypted-fsd.sh`, `python/ppml/src/bigdl/ppml/kms/ehsm` (options, variables, additional
data `test`); intel/ehsm `ehsm_kms_service/function.js` (the signature).
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import http.client
import json
import os
import pathlib
import random
import ssl
import sys
import time

ADDITIONAL_DATA = "test"
_OK, _LONGEST_ANSWER = 200, 1 << 20
_LONGEST_WORDS = 1000
_SECONDS = 60.0
_SPREAD = 60_000
"""Milliseconds by which timestamps are set back at random: pods of one account that begin at one instant differ."""
_TRIES = 3
_REPLAYED = "Timestamp can't be repeated in 20 minutes"


class RefusedError(Exception):
    """Why there is no key, in words that hold no secret."""


def plain_data_key(host: str, port: int, primary_key: str, data_key: str) -> str:
    """The plaintext in base64. Raises RefusedError, OSError, HTTPException."""
    account = {name: os.environ.get(name) or "" for name in ("APPID", "APIKEY")}
    for name, value in account.items():
        if not value:
            raise RefusedError(f"{name} is empty")
    payload = {"aad": ADDITIONAL_DATA, "ciphertext": data_key, "keyid": primary_key}
    answer: dict[str, object] = {}
    for _ in range(_TRIES):
        answer = _answer(host, port, _signed(account["APPID"], account["APIKEY"], payload))
        if answer.get("message") != _REPLAYED:
            break
    result = answer.get("result")
    plaintext = result.get("plaintext") if isinstance(result, dict) else None
    if answer.get("code") != _OK or not isinstance(plaintext, str) or not plaintext:
        raise RefusedError(
            f"EHSM does not unwrap the data key: {answer.get('code')} {answer.get('message') or '(no words)'}"
        )
    return plaintext


def _signed(appid: str, apikey: str, payload: dict[str, str]) -> bytes:
    """Without a nonce, which EHSM 0.3.2 does not sign."""
    timestamp = str(int(time.time() * 1000) - random.randrange(_SPREAD))  # noqa: S311 - kept apart, not kept secret
    members = "&".join(f"{name}={payload[name]}" for name in sorted(payload))
    text = f"appid={appid}&payload={members}&timestamp={timestamp}"
    signature = base64.b64encode(hmac.new(apikey.encode(), text.encode(), hashlib.sha256).digest()).decode()
    return json.dumps({"appid": appid, "payload": payload, "timestamp": timestamp, "sign": signature}).encode()


def _answer(host: str, port: int, body: bytes) -> dict[str, object]:
    connection = http.client.HTTPSConnection(host, port, timeout=_SECONDS, context=_trust())
    try:
        connection.connect()
        _compare_certificate(connection.sock)
        connection.request("POST", "/ehsm?Action=Decrypt", body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        text = response.read(_LONGEST_ANSWER)
    finally:
        connection.close()
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        raise RefusedError(f"what answers is no EHSM (HTTP {response.status})")
    return answer


def _trust() -> ssl.SSLContext:
    if os.environ.get("PPMLCTL_EHSM_FINGERPRINT") or os.environ.get("PPMLCTL_EHSM_INSECURE") == "true":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE  # a pinned certificate is compared itself, before anything is sent
        return context
    return ssl.create_default_context(cadata=os.environ.get("PPMLCTL_EHSM_CA") or None)


def _compare_certificate(connection: ssl.SSLSocket) -> None:
    wanted = os.environ.get("PPMLCTL_EHSM_FINGERPRINT")
    found = hashlib.sha256(connection.getpeercert(binary_form=True) or b"").hexdigest()
    if wanted and not hmac.compare_digest(wanted.lower().encode(), found.encode()):
        raise RefusedError(f"EHSM's certificate is not the pinned one: its SHA-256 is {found}")


def _on_one_line(words: str) -> str:
    """What a server says, so that it can write no line of its own into the pod's log, and steer no terminal."""
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in words[:_LONGEST_WORDS])


def _first_line(path: str) -> str:
    with pathlib.Path(path).open(encoding="ascii") as file:
        return file.readline().strip()


def main() -> int:
    """0 with the key on the standard output, 1 with the reason on standard error."""
    parser = argparse.ArgumentParser()
    parser.add_argument("-api", required=True, choices=["get_data_key_plaintext"])
    parser.add_argument("-ip", required=True)
    parser.add_argument("-port", required=True, type=int)
    parser.add_argument("-pkp", required=True)
    parser.add_argument("-dkp", required=True)
    given = parser.parse_args()
    try:
        sys.stdout.write(plain_data_key(given.ip, given.port, _first_line(given.pkp), _first_line(given.dkp)) + "\n")
    except (RefusedError, OSError, ValueError, http.client.HTTPException) as error:
        sys.stderr.write(f"ppmlctl: no data key from EHSM at {given.ip}:{given.port}: {_on_one_line(str(error))}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
