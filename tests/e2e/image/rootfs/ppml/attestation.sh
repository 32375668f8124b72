#!/bin/bash
# Stand-in for the script of the same name: begins temp_command_file with the command that attests. The account stands
# among its arguments, and in the trace that the script writes of itself, as in upstream's.
set -x

case "$ATTESTATION" in
'') echo "[INFO] Attestation is disabled!" && exit ;;
true) echo "[INFO] Attestation is enabled!" ;;
*) exit ;;
esac

required() {
    [ -z "${!1}" ] || return 0
    echo "[ERROR] Attestation is enabled, but $1 is empty!"
    echo "[INFO] PPML Application Exit!"
    exit 1
}

required ATTESTATION_URL
required APP_ID
required API_KEY

command="python3 -u /ppml/stand-in/attestation.py -u $ATTESTATION_URL -i $APP_ID -k $API_KEY"
option() { [ -z "$2" ] || command="$command $1 $2"; }
option -c "$ATTESTATION_CHALLENGE"
option -o "$ATTESTATION_POLICYID"
option -t "$ATTESTATION_TYPE"
option -O "$QUOTE_TYPE"
option --proxyHost "$ATTESTATION_PORXY_HOST"
option --proxyPort "$ATTESTATION_PORXY_PORT"
echo "$command || exit 1" >temp_command_file
