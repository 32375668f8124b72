"""The script that submits: in a Job's pod or in the client container, from a ConfigMap, with no secret in it.

It stands in for `bigdl-ppml-submit.sh`, whose trace, arguments and exit status tell too much and too little. The way
into the enclave is that of upstream's `entrypoint.sh`: init.sh, `$sgx_command`, and with attestation or a data key a
command file. The scripts that write it trace themselves, the account among their words, so the trace is thrown away.
"""

from __future__ import annotations

from ppmlctl.flows.spark.security import exported_secret
from ppmlctl.kubernetes.admission import ADMISSION_GUARD

NAME = "submit.sh"

_BEGINNING = """\
#!/bin/bash
# Submits one run. Words of spark-submit in, its exit status out.
set -u
cd /ppml || exit 1

"""
_TOLD_TO_END = """\
# A container's first process alone is told to end, and shells do not hand it on: here all others are told.
if [ "$$" = 1 ]; then
    trap 'kill -TERM -1' TERM
    bash "$0" "$@" &
    wait $!
    status=$?
    while kill -0 -1 2>/dev/null; do sleep 0.2; done
    exit "$status"
fi
"""
_REST = f"""
# Executors are started with the same.
if [ -n "${{PPMLCTL_SECRET_FILE:-}}" ]; then
    {exported_secret("$PPMLCTL_SECRET_FILE")} || exit 1
fi

if [ "$PPMLCTL_ENCLAVE" != true ]; then
    exec "$SPARK_HOME/bin/spark-submit" "$@"
fi

# The pods' entrypoint does the same. What the PCCS serves is signed by Intel, whoever serves it.
if [ -n "${{PCCS_URL:-}}" ]; then
    printf 'PCCS_URL=%s/sgx/certification/v4/\\nUSE_SECURE_CERT=FALSE\\n' "$PCCS_URL" >/etc/sgx_default_qcnl.conf
fi
./init.sh || {{ echo "ppmlctl: no enclave: init.sh failed"; exit 1; }}
sgx_command="$JAVA_HOME/bin/java -cp $SPARK_HOME/conf/:$SPARK_HOME/jars/* -Xmx$PPMLCTL_HEAP"
sgx_command="$sgx_command org.apache.spark.deploy.SparkSubmit $*"
rm -f temp_command_file
if [ "${{ATTESTATION:-}}" = true ]; then
    env BASH_XTRACEFD=9 bash attestation.sh 9>/dev/null || exit 1
fi
if [ "${{ENCRYPTED_FSD:-}}" = true ]; then
    env BASH_XTRACEFD=9 bash encrypted-fsd.sh 9>/dev/null || exit 1
fi
if [ -f temp_command_file ]; then
    echo "$sgx_command" >>temp_command_file
    sgx_command="bash temp_command_file"
fi
export sgx_command
exec gramine-sgx bash
"""

SUBMIT_SCRIPT = f"{_BEGINNING}{ADMISSION_GUARD}{_REST}"
"""Begins once, whatever becomes of its pod."""
SERVER_SCRIPT = f"{_BEGINNING}{_TOLD_TO_END}{_REST}"
"""Begins whenever its pod does, and ends in good order when that is told to."""
