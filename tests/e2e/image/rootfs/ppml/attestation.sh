#!/bin/bash
# Stand-in for the script of the same name: writes the command that attests to temp_command_file, where the account
# stands among the arguments, as in upstream's.
set -e

required() {
    [ -z "${!1}" ] || return 0
    echo "[ERROR] Attestation is enabled, but $1 is empty!"
    echo "[INFO] PPML Application Exit!"
    exit 1
}

required ATTESTATION_URL
required APP_ID
required API_KEY

words=(python3 /ppml/stand-in/attestation.py --url "$ATTESTATION_URL" --app-id "$APP_ID" --api-key "$API_KEY"
    --type "${ATTESTATION_TYPE:-EHSMAttestationService}" --quote-type "${QUOTE_TYPE:-gramine}")
[ -z "$ATTESTATION_POLICYID" ] || words+=(--policy-id "$ATTESTATION_POLICYID")
printf 'set -e\n%s\n' "${words[*]}" >temp_command_file
