"""EHSM's terse answers. The client takes causes and remedies of its messages from here."""

from __future__ import annotations

from ppmlctl.explanations.explanation import Explanation

_SANDBOX = "ppmlctl/sandbox/storage.py"
_SERVICE = "intel/ehsm ehsm_kms_service/function.js"
_CHECKS = "intel/ehsm ehsm_kms_service/payload_checker.js"
_KEYS = "intel/ehsm ehsm_kms_service/key_management_apis.js"
_CLIENT = "intel-analytics/BigDL scala/ppml attestation/service/EHSMAttestationService.scala"
_QUOTES = "intel/ehsm ehsm_kms_service/quote_manager_apis.js"

ROWS = (
    Explanation(
        "nothing can be kept: the sandbox's disk is full or cannot be written",
        "the sandbox keeps accounts, keys and policies in `.ppml/sandbox`",
        "make room there, then:\nppmlctl apply",
        _SANDBOX,
    ),
    Explanation(
        "sign error",
        "the apikey is not this account's",
        "compare appid and apikey with those of the enrolment",
        _SERVICE,
    ),
    Explanation(
        "Timestamp error", "the clocks of this machine and of EHSM differ by 10 minutes or more", "date -u", _SERVICE
    ),
    Explanation(
        "Timestamp can't be repeated in 20 minutes",
        "another client uses this account at the same instants",
        "give each client an account of its own",
        _SERVICE,
    ),
    Explanation(
        "API Not Found", "this EHSM is too old or another service", "compare kms.ehsm.url with the deployment", _SERVICE
    ),
    Explanation("Invalid  policyId.", "the account has no such policy", "upload it again: ppmlctl apply", _QUOTES),
    Explanation(
        "Server exception.",
        "its enclave refused: a measurement that differs from the policy's, a malformed quote, or a PCCS that fails",
        "read the log of the EHSM server",
        _QUOTES,
    ),
    Explanation(
        "Server internal error, please contact the administrator.",
        "the service failed by itself, often at its database",
        "read the log of the EHSM server and of its couchdb",
        _SERVICE,
    ),
    Explanation(
        "enroll user info failed",
        "its database cannot be reached",
        "look at the couchdb of EHSM, then try again",
        _SERVICE,
    ),
    Explanation(
        "Missing required parameters",
        "appid, timestamp, sign or the payload is missing",
        "send JSON with Content-Type: application/json",
        _SERVICE,
    ),
    Explanation(
        "Decryption failed, Please confirm that your parameters are correct.",
        "the key, the AAD or the ciphertext is another one",
        "use the key and the AAD of the encryption; a restored domain key cannot read older keys",
        _KEYS,
    ),
    Explanation("keyid error", "the key is unknown, or another account's", "list the account's keys", _KEYS),
    Explanation("appid error", "the key belongs to another account", "use the account that made the key", _KEYS),
    Explanation("keyid is disabled", "the key was disabled", "enable it", _KEYS),
    Explanation("keyid expire", "keys live 365 days, and this one is over", "make a new one, and encrypt anew", _KEYS),
    Explanation("not find this keyid", "the account has no such key", "list the account's keys", _KEYS),
    Explanation(
        "Parameter invalid, The …",
        "a field of the payload has another form than EHSM takes",
        "compare the field it names with EHSM's version: 0.3.2 and later ones differ",
        _CHECKS,
    ),
    Explanation(
        'JSONObject["result"] is not a JSONObject',
        "EHSM refused the enclave: its measurement is not the policy's, or its quote does not verify",
        "ppmlctl plan shows whether the policy fits the image; a quote of a platform that EHSM's PCCS knows?",
        _CLIENT,
    ),
    Explanation(
        'JSONObject["sign"] not found',
        "EHSM refused account or policy: an unknown appid, another apikey, or no policy of this account; all "
        "look alike to the images' client",
        "ask EHSM with the account of the vault: ppmlctl ehsm policy; then compare kms-secret with it: ppmlctl plan",
        _CLIENT,
    ),
)
