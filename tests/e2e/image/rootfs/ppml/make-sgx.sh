#!/bin/bash
# Stand-in for the script of the same name: manifest, signature and token by the key in /root/.config/gramine.
set -e
cd /ppml

[ "$ENABLE_DCAP_ATTESTATION" != false ] || sed -i 's/"dcap"/"none"/' bash.manifest.template
gramine-manifest -Dlog_level="${SGX_LOG_LEVEL:-error}" -Dg_sgx_size="${SGX_MEM_SIZE:-16G}" -Dexecdir=/usr/bin \
    -Darch_libdir=/lib/x86_64-linux-gnu -Djdk_home="$JAVA_HOME" -Dspark_home="$SPARK_HOME" -Dspark_local_ip=127.0.0.1 \
    bash.manifest.template bash.manifest
gramine-sgx-sign --manifest bash.manifest --output bash.manifest.sgx
gramine-sgx-get-token --sig bash.sig --output bash.token
