#!/bin/bash
# Stand-in for the script of the same name: adds the commands that give Gramine the data key to temp_command_file. A key
# of EHSM is fetched by /ppml/kms/client.py, which is not in this image either. Traces itself, as upstream's does.
set -x

later() { echo "$*" >>temp_command_file; }

required() {
    [ -z "${!1}" ] || return 0
    echo "[ERROR] Distributed encrypted filesystem is enabled, but $1 is empty!"
    echo "[INFO] PPML Application Exit!"
    exit 1
}

assumed() {
    [ -z "${!1}" ] || return 0
    echo "[INFO] Distributed encrypted filesystem is enabled, but $1 is empty!"
    echo "[INFO] Assume $2"
    later "export $1=$2"
}

if [ "$USING_LOCAL_DATA_KEY" = true ]; then
    echo "[INFO] Using local key"
    [ -n "$LOCAL_DATA_KEY" ] || { echo "[ERROR] LOCAL_DATA_KEY is not set!" && exit 1; }
    size=$(stat --format=%s "$LOCAL_DATA_KEY") || { echo "[ERROR] Failed to get the size of $LOCAL_DATA_KEY" && exit 1; }
    [ "$size" -ge 15 ] || { echo "[ERROR] The key should be at least 15 bytes" && exit 1; }
    later 'data_key=$(head -c 15 $LOCAL_DATA_KEY)'
else
    echo "[INFO] Using EHSM KMS service to acquire keys"
    required EHSM_URL
    required APP_ID
    required API_KEY
    assumed EHSM_PORT 3000
    assumed EHSM_PRIMARY_KEY /ppml/encrypted_keys/encrypted_primary_key
    assumed EHSM_DATA_KEY /ppml/encrypted_keys/encrypted_data_key
    later 'data_key=$(python3 /ppml/kms/client.py -api get_data_key_plaintext -ip $EHSM_URL -port $EHSM_PORT' \
        '-pkp $EHSM_PRIMARY_KEY -dkp $EHSM_DATA_KEY) || exit 1'
    later 'data_key=$(echo $data_key | head -c 15)'
fi
later 'echo $data_key >/dev/attestation/keys/sgx_data_key'
