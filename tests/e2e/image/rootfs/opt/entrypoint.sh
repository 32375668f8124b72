#!/bin/bash
# Stand-in for the entrypoint of BigDL's images, started by Spark's driver and executor pods. It honours the contract
# to the letter, traces itself as that one does, and so ends with 0 having done nothing where that does.
set -ex

if [ -n "$PCCS_URL" ]; then
    printf 'PCCS_URL=%s/sgx/certification/v4/\nUSE_SECURE_CERT=FALSE\n' "$PCCS_URL" >/etc/sgx_default_qcnl.conf
fi

role=$1
case "$role" in
driver | driver-py | driver-r | executor) shift ;;
'') echo "stand-in: no command" >&2 && exit 1 ;;
*) exec /usr/bin/tini -s -- "$@" ;;
esac

echo "stand-in: $role, SGX_ENABLED=$SGX_ENABLED, SGX_MEM_SIZE=${SGX_DRIVER_MEM_SIZE:-$SGX_EXECUTOR_MEM_SIZE}"
case "$ATTESTATION" in
'') echo "[INFO] Attestation is disabled!" ;;
true) echo "[INFO] Attestation is enabled!" ;;
esac

# What Spark's submitter tells executors' Java, in the order of its numbers.
mapfile -t options < <(env | grep ^SPARK_JAVA_OPT_ | sort -t_ -k4 -n | sed 's/^[^=]*=//')
class_path="$SPARK_CLASSPATH:$SPARK_HOME/jars/*${SPARK_EXTRA_CLASSPATH:+:$SPARK_EXTRA_CLASSPATH}"
unset PYTHONHOME PYTHONPATH

driver_words=(--conf "spark.driver.bindAddress=$SPARK_DRIVER_BIND_ADDRESS" --deploy-mode client "$@")
executor_words=(org.apache.spark.executor.CoarseGrainedExecutorBackend --driver-url "$SPARK_DRIVER_URL"
    --executor-id "$SPARK_EXECUTOR_ID" --cores "$SPARK_EXECUTOR_CORES" --app-id "$SPARK_APPLICATION_ID"
    --hostname "$SPARK_EXECUTOR_POD_IP" --resourceProfileId "$SPARK_RESOURCE_PROFILE_ID")

in_the_open() {
    if [ "$ATTESTATION" = true ]; then
        rm -f temp_command_file
        bash attestation.sh
        bash temp_command_file
    fi
    case "$role" in
    driver) "$SPARK_HOME/bin/spark-submit" "${driver_words[@]}" ;;
    executor)
        /opt/jdk8/bin/java "-Xms$SPARK_EXECUTOR_MEMORY" "-Xmx$SPARK_EXECUTOR_MEMORY" "${options[@]}" \
            -cp "$class_path" "${executor_words[@]}"
        ;;
    esac
}

in_the_enclave() {
    local java="/opt/jdk8/bin/java -Dlog4j.configurationFile=$SPARK_HOME/conf/log4j2.xml -Xms1G"
    case "$role" in
    driver)
        extra=$(sed -n 's/^spark.driver.extraClassPath=//p' /opt/spark/conf/spark.properties || true)
        export SGX_MEM_SIZE=$SGX_DRIVER_MEM_SIZE
        export sgx_command="$java -Xmx$SGX_DRIVER_JVM_MEM_SIZE -cp $class_path:$extra \
org.apache.spark.deploy.SparkSubmit ${driver_words[*]}"
        ;;
    executor)
        export SGX_MEM_SIZE=$SGX_EXECUTOR_MEM_SIZE
        export sgx_command="$java -Xmx$SGX_EXECUTOR_JVM_MEM_SIZE ${options[*]} -cp $class_path ${executor_words[*]}"
        ;;
    esac
    if [ "$ATTESTATION" = true ] || [ "$ENCRYPTED_FSD" = true ]; then
        rm -f temp_command_file
        [ "$ATTESTATION" != true ] || bash attestation.sh
        [ "$ENCRYPTED_FSD" != true ] || bash encrypted-fsd.sh
        echo "$sgx_command" >>temp_command_file
        export sgx_command="bash temp_command_file"
    fi
    # As upstream's: what init.sh misses ends the list, not the script, so the pod succeeds having done nothing.
    echo "$sgx_command" && ./init.sh && gramine-sgx bash 1>&2
    rm -f temp_command_file
}

# Drivers in Python and R: upstream's entrypoint prepares their command and starts nothing.
case "$role,$SGX_ENABLED" in
driver,false | executor,false) in_the_open ;;
driver,true | executor,true) in_the_enclave ;;
esac
