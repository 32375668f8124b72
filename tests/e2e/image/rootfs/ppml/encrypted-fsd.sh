#!/bin/bash
# Stand-in for the script of the same name: writes the commands that get a data key to temp_command_file, as upstream's
# does. Nothing is encrypted with it: what is said of it is a digest, so that two pods' keys can be compared.
set -e

required() {
    [ -n "${!1}" ] && return
    echo "[ERROR] Distributed encrypted filesystem is enabled, but $1 is empty!"
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
    [ "$(stat -c %s "$LOCAL_DATA_KEY")" -ge 15 ] || { echo "[ERROR] The key should be at least 15 bytes" && exit 1; }
    origin="the file $LOCAL_DATA_KEY"
    echo "data_key=\$(cat '$LOCAL_DATA_KEY')" >>temp_command_file
else
    required EHSM_URL
    required APP_ID
    required API_KEY
    primary_key=${EHSM_PRIMARY_KEY:-/ppml/encrypted_keys/encrypted_primary_key}
    data_key=${EHSM_DATA_KEY:-/ppml/encrypted_keys/encrypted_data_key}
    required_file "$primary_key"
    required_file "$data_key"
    origin="$EHSM_URL:${EHSM_PORT:-3000}"
    echo "data_key=\$(python3 /ppml/stand-in/data_key.py --host '$EHSM_URL' --port '${EHSM_PORT:-3000}'" \
        "--primary-key '$primary_key' --data-key '$data_key') || exit 1" >>temp_command_file
fi
cat >>temp_command_file <<END
digest=\$(printf %s "\$data_key" | head -c 15 | sha256sum | cut -c 1-8)
[ -w /ppml/encrypted-fsd ] || { echo "stand-in: /ppml/encrypted-fsd cannot be written to" && exit 1; }
echo "stand-in: data key \$digest from $origin; /ppml/encrypted-fsd stays as it is"
unset data_key
END
