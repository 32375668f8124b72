"""Stand-in for BigDL's attestation client: asks EHSM, by a real signed VerifyQuote, or BigDL's service for a verdict.

A quote needs SGX or TDX. So the quote is asked from the platform that the sandbox's service simulates: for the
measurement in the signature under which the stand-in of gramine-sgx was started, or for one made-up domain, where the
domain's device is mounted. Any other service has no such platform, and then nothing is attested. As upstream's client,
this one does not check the server's certificate.
"""

import argparse
import base64
import hashlib
import hmac
import json
import os
import pathlib
import secrets
import ssl
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from functools import partial

ACCEPTED = {0, 0xA000}
OUTDATED = {1, 0xA001, 0xA002, 0xA003, 0xA007, 0xA008}
TIMEOUT_SECONDS = 20
EHSM, BIGDL = "EHSMAttestationService", "BigDLRemoteAttestationService"
DOMAIN, DEVICE = "7d" * 48, "/dev/tdx-attest"


class AttestationError(Exception):
    """Why there is no verdict."""


class Server:
    """One service, and the account at it."""

    def __init__(self, url, app_id, api_key):
        host, port = [*url.split(":"), ""][:2]  # no scheme: parts 0 and 1, as upstream's
        self._root = f"https://{host}:{port}"
        self._app_id, self._api_key = app_id, api_key
        self._tls = ssl.create_default_context()
        self._tls.check_hostname, self._tls.verify_mode = False, ssl.CERT_NONE

    def quote(self, **shown):
        """A simulated platform's quote in base64."""
        return self._json(f"/quote?{urllib.parse.urlencode(shown)}")["quote"]

    def verify(self, quote, policy_id):
        """BigDL's service: its result, 0, 1 or -1."""
        body = {"appID": self._app_id, "apiKey": self._api_key, "quote": quote}
        return self._json("/verifyQuote", body | ({"policyID": policy_id} if policy_id else {}))["result"]

    def call(self, action, payload):
        """A signed call's answer."""
        body = {"appid": self._app_id, "timestamp": str(int(time.time() * 1000)), "nonce": secrets.token_hex(8)}
        body["payload"] = payload
        return self._json(f"/ehsm?Action={action}", {**body, "sign": self.signature(body)})

    def signature(self, fields):
        """EHSM's signature over what is not empty."""
        key = self._api_key.encode()
        return base64.b64encode(hmac.new(key, signed_text(fields).encode(), hashlib.sha256).digest()).decode()

    def _json(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._root + path, data, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, context=self._tls, timeout=TIMEOUT_SECONDS) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise AttestationError(
                f"{self._root}{path.partition('?')[0]}: {error.code} {error.read().decode()}"
            ) from None
        except (OSError, ValueError) as error:
            raise AttestationError(f"{self._root}{path.partition('?')[0]}: {error}") from None


def signed_text(value):
    """The text under a signature: names in order, zero and empty values left out, objects without brackets."""
    if not isinstance(value, dict):
        return str(value)
    kept = sorted((name, part) for name, part in value.items() if part not in ("", 0, None))
    return "&".join(f"{name}={signed_text(part)}" for name, part in kept)


def measurement():
    """MRENCLAVE and MRSIGNER of the enclave around this process."""
    signature = os.environ.get("STAND_IN_ENCLAVE")
    if not signature:
        raise AttestationError("this process is in no enclave, so nothing quotes it")
    sigstruct = pathlib.Path(signature).read_bytes()
    return sigstruct[960:992].hex(), hashlib.sha256(sigstruct[128:512]).hexdigest()


def quoted(server, quote_type):
    """A quote of what this process runs in."""
    if quote_type == "TDX":
        if not pathlib.Path(DEVICE).exists():
            raise AttestationError(f"there is no {DEVICE}, so nothing quotes this domain")
        print(f"stand-in: a simulated quote of {DOMAIN}", flush=True)
        return server.quote(mr_td=DOMAIN)
    mr_enclave, mr_signer = measurement()
    print(f"stand-in: a simulated quote of {mr_enclave}", flush=True)
    return server.quote(mr_enclave=mr_enclave, mr_signer=mr_signer)


def verdict(server, quote, policy_id):
    """The `result` of VerifyQuote, with its nonce and signature checked."""
    nonce = base64.b64encode(secrets.token_bytes(16)).decode()
    payload = {"quote": quote, "nonce": nonce}
    if policy_id:
        payload["policyId"] = policy_id
    answer = server.call("VerifyQuote", payload)
    if answer["code"] != 200:
        raise AttestationError(f'JSONObject["result"] is not a JSONObject. ({answer["code"]} {answer.get("message")})')
    result = answer["result"]
    sign = result.pop("sign")
    if result["nonce"] != nonce or not hmac.compare_digest(sign, server.signature(result)):
        raise AttestationError("the verdict is not signed over this question")
    return result["result"]


def arguments():
    """The words that attestation.sh writes."""
    parser = argparse.ArgumentParser()
    for name in ("--url", "--app-id", "--api-key"):
        parser.add_argument(name, required=True)
    parser.add_argument("--policy-id")
    parser.add_argument("--type", choices=[EHSM, BIGDL])
    parser.add_argument("--quote-type", choices=["gramine", "TDX"])
    return parser.parse_args()


def main():
    """0 where the job may go on."""
    given = arguments()
    try:
        server = Server(given.url, given.app_id, given.api_key)
        quote = quoted(server, given.quote_type)
        judge = server.verify if given.type == BIGDL else partial(verdict, server)
        result = judge(quote, given.policy_id)
    except AttestationError as error:
        print(f"stand-in: {error}")
        result = None
    if result in OUTDATED:
        print("WARNING: Attestation pass but BIOS or the software is out of date.")
    if result in ACCEPTED | OUTDATED:
        print("Attestation Success!")
        return 0
    if os.environ.get("ATTESTATION_DEBUG") == "true":
        print("ERROR:Attestation Fail! In debug mode, continue.")
        return 0
    print("Attestation Fail! Application killed!")
    return 1


if __name__ == "__main__":
    sys.exit(main())
