#!/bin/bash
# Stand-in for BigDL's submit script: the same options, defaults and settings, the same trace of all its words, secrets
# among them, and the same exit status: 1 where an option is missing, else 0 however the submission ends.

key_store=/ppml/keys/keystore.jks
sgx_enabled=false
log_file=bigdl-ppml-submit.log
driver_template=/ppml/spark-driver-template.yaml
executor_template=/ppml/spark-executor-template.yaml
passed=()

# Own options take a value, --verbose takes none, any other option is passed on with the next word, and the first word
# without a dash begins the application.
while [ $# -gt 0 ]; do
    case "$1" in
    --verbose) passed+=("$1") && shift && continue ;;
    --master) master=$2 ;;
    --deploy-mode) deploy_mode=$2 ;;
    --sgx-enabled) sgx_enabled=$2 ;;
    --sgx-driver-jvm-memory) sgx_driver_jvm_memory=$2 ;;
    --sgx-executor-jvm-memory) sgx_executor_jvm_memory=$2 ;;
    --driver-memory) driver_memory=$2 ;;
    --executor-memory) executor_memory=$2 ;;
    --log-file) log_file=$2 ;;
    --driver-template) driver_template=$2 ;;
    --executor-template) executor_template=$2 ;;
    --key-store) key_store=$2 ;;
    -*) passed+=("$1" "$2") ;;
    *) break ;;
    esac
    shift 2 || shift
done

required() {
    [ -n "$2" ] && return
    echo "stand-in: $1 is required"
    exit 1
}

confs=()
conf() { for setting in "$@"; do confs+=(--conf "$setting"); done; }

conf "spark.driver.host=$LOCAL_IP" "spark.driver.port=$RUNTIME_DRIVER_PORT" \
    spark.network.timeout=10000000 spark.executor.heartbeatInterval=10000000 \
    spark.python.use.daemon=false spark.python.worker.reuse=false \
    spark.kubernetes.authenticate.driver.serviceAccountName=spark \
    "spark.kubernetes.driver.podTemplateFile=$driver_template" \
    "spark.kubernetes.executor.podTemplateFile=$executor_template" \
    spark.kubernetes.executor.deleteOnTermination=false

if [ "$sgx_enabled" = true ]; then
    required --sgx-driver-jvm-memory "$sgx_driver_jvm_memory"
    required --sgx-executor-jvm-memory "$sgx_executor_jvm_memory"
    conf spark.kubernetes.sgx.enabled=true "spark.kubernetes.sgx.driver.jvm.mem=$sgx_driver_jvm_memory" \
        "spark.kubernetes.sgx.executor.jvm.mem=$sgx_executor_jvm_memory"
fi

placement=(--master "$master")
if [[ $master == k8s* ]]; then
    required --deploy-mode "$deploy_mode"
    required --driver-memory "$driver_memory"
    required --executor-memory "$executor_memory"
    placement+=(--deploy-mode "$deploy_mode" --driver-memory "$driver_memory" --executor-memory "$executor_memory")
elif [ -n "$deploy_mode" ]; then
    placement+=(--deploy-mode "$deploy_mode")
fi

set -x
if [ -n "$secure_password" ]; then
    conf spark.authenticate=true "spark.authenticate.secret=$secure_password" spark.authenticate.enableSaslEncryption=true \
        spark.kubernetes.driver.secretKeyRef.SPARK_AUTHENTICATE_SECRET=spark-secret:secret \
        spark.kubernetes.executor.secretKeyRef.SPARK_AUTHENTICATE_SECRET=spark-secret:secret \
        spark.network.crypto.enabled=true spark.network.crypto.keyLength=128 \
        spark.network.crypto.keyFactoryAlgorithm=PBKDF2WithHmacSHA1 \
        spark.io.encryption.enabled=true spark.io.encryption.keySizeBits=128 \
        spark.io.encryption.keygen.algorithm=HmacSHA1 \
        spark.ssl.enabled=true spark.ssl.port=8043 \
        "spark.ssl.keyStore=$key_store" "spark.ssl.keyStorePassword=$secure_password" spark.ssl.keyStoreType=JKS \
        "spark.ssl.keyPassword=$secure_password" \
        "spark.ssl.trustStore=$key_store" "spark.ssl.trustStorePassword=$secure_password" spark.ssl.trustStoreType=JKS
fi

# Words are split again at blanks, as upstream's are: no value may hold one.
words="${placement[*]} ${confs[*]} ${passed[*]} $*"
if [ "$sgx_enabled" = true ] && [ "$deploy_mode" != cluster ]; then
    export sgx_command="$JAVA_HOME/bin/java -Xmx$RUNTIME_DRIVER_MEMORY -cp $SPARK_HOME/conf/:$SPARK_HOME/jars/* \
org.apache.spark.deploy.SparkSubmit $words"
    if [ "$ENCRYPTED_FSD" = true ]; then
        rm -f temp_command_file
        bash encrypted-fsd.sh
        echo "$sgx_command" >>temp_command_file
        export sgx_command="bash temp_command_file"
    fi
    ./init.sh
    gramine-sgx bash 2>&1 | tee "$log_file"
    rm -f temp_command_file
else
    # shellcheck disable=SC2086 # split at blanks
    "$SPARK_HOME/bin/spark-submit" $words 2>&1 | tee "$log_file"
fi
exit 0
