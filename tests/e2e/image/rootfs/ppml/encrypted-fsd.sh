#!/bin/bash
# Stand-in for the script of the same name: demands a data key as upstream's does, and encrypts nothing with it.
set -e

required() {
    [ -n "${!1}" ] && return
    echo "[ERROR] ENCRYPTED_FSD is enabled, but $1 is empty!"
    echo "[INFO] PPML Application Exit!"
    exit 1
}

required_file() {
    [ -s "$1" ] && return
    echo "[ERROR] the key file $1 is missing or empty!"
    exit 1
}

[ -f temp_command_file ] || echo "set -e" >temp_command_file
if [ "$USING_LOCAL_DATA_KEY" = true ]; then
    required LOCAL_DATA_KEY
    required_file "$LOCAL_DATA_KEY"
    [ "$(stat -c %s "$LOCAL_DATA_KEY")" -ge 15 ] || { echo "[ERROR] a data key has at least 15 bytes!" && exit 1; }
    origin="the file $LOCAL_DATA_KEY"
else
    required APP_ID
    required API_KEY
    required EHSM_URL
    required_file "${EHSM_PRIMARY_KEY:-/ppml/encrypted_keys/encrypted_primary_key}"
    required_file "${EHSM_DATA_KEY:-/ppml/encrypted_keys/encrypted_data_key}"
    origin="$EHSM_URL:${EHSM_PORT:-3000}, which is not asked"
fi
echo "echo 'stand-in: a data key from $origin; the folders stay as they are'" >>temp_command_file
