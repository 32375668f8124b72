#!/bin/bash
# Stand-in for the entrypoint of BigDL's images, started by Spark's driver and executor pods. It honours the contract
# to the letter, and so ends with 0 having done nothing where that does.
set -e

case "$1" in
driver | driver-py | driver-r | executor) role=$1 ;;
*) exec tini -s -- "$@" ;;
esac
shift

echo "stand-in: $role, SGX_ENABLED=$SGX_ENABLED, SGX_MEM_SIZE=${SGX_DRIVER_MEM_SIZE:-$SGX_EXECUTOR_MEM_SIZE}"
if [ -n "$PCCS_URL" ]; then
    printf 'PCCS_URL=%s/sgx/certification/v4/\nUSE_SECURE_CERT=FALSE\n' "$PCCS_URL" >/etc/sgx_default_qcnl.conf
fi

class_path="${SPARK_CONF_DIR:-$SPARK_HOME/conf}:$SPARK_HOME/jars/*${SPARK_EXTRA_CLASSPATH:+:$SPARK_EXTRA_CLASSPATH}"

driver_words() {
    words=(org.apache.spark.deploy.SparkSubmit --conf "spark.driver.bindAddress=$SPARK_DRIVER_BIND_ADDRESS"
        --deploy-mode client "$@")
}

executor_words() {
    words=(org.apache.spark.executor.CoarseGrainedExecutorBackend --driver-url "$SPARK_DRIVER_URL"
        --executor-id "$SPARK_EXECUTOR_ID" --cores "$SPARK_EXECUTOR_CORES" --app-id "$SPARK_APPLICATION_ID"
        --hostname "$SPARK_EXECUTOR_POD_IP" --resourceProfileId "${SPARK_RESOURCE_PROFILE_ID:-0}")
}

# What Spark's submitter tells executors' Java.
executor_options() {
    mapfile -t options < <(env | sed -n 's/^SPARK_JAVA_OPT_[0-9]*=//p')
}

attest() {
    rm -f temp_command_file
    case "$ATTESTATION" in
    '') echo "[INFO] Attestation is disabled!" ;;
    true) bash attestation.sh ;;
    esac
}

in_the_open() {
    attest
    [ ! -f temp_command_file ] || bash temp_command_file
    case "$role" in
    driver) exec tini -s -- "$SPARK_HOME/bin/spark-submit" "${words[@]:1}" ;;
    executor)
        exec tini -s -- "$JAVA_HOME/bin/java" "${options[@]}" "-Xms$SPARK_EXECUTOR_MEMORY" \
            "-Xmx$SPARK_EXECUTOR_MEMORY" -cp "$class_path" "${words[@]}"
        ;;
    *) : ;; # drivers in Python and R: upstream's entrypoint prepares them and starts nothing
    esac
}

in_the_enclave() {
    case "$role" in
    driver) heap=-Xmx$SGX_DRIVER_JVM_MEM_SIZE ;;
    executor) heap=-Xmx$SGX_EXECUTOR_JVM_MEM_SIZE ;;
    *) return 0 ;;
    esac
    export SGX_MEM_SIZE=${SGX_DRIVER_MEM_SIZE:-$SGX_EXECUTOR_MEM_SIZE}
    export sgx_command="$JAVA_HOME/bin/java ${options[*]} $heap -cp $class_path ${words[*]}"
    attest
    [ "$ENCRYPTED_FSD" != true ] || bash encrypted-fsd.sh
    if [ -f temp_command_file ]; then
        echo "$sgx_command" >>temp_command_file
        export sgx_command="bash temp_command_file"
    fi
    # As upstream's: what init.sh misses ends the list, not the script, so the pod succeeds having done nothing.
    ./init.sh && gramine-sgx bash
    echo "stand-in: the enclave's shell has ended"
}

case "$role" in
driver*) driver_words "$@" ;;
executor) executor_words && executor_options ;;
esac
case "$SGX_ENABLED" in
false) in_the_open ;;
true) in_the_enclave ;;
esac
