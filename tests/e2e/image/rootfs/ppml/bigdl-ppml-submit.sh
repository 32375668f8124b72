#!/bin/bash
# Stand-in for BigDL's submit script: takes the same words, needs the same variables and mounts, and submits nothing.

faults=0

say() { echo "stand-in: $*"; }

fault() {
    say "missing: $*"
    faults=$((faults + 1))
}

need_value() { [ -n "$2" ] || fault "$1"; }

need_file() { [ -s "$1" ] || fault "file $1"; }

need_number() {
    case "$2" in
    '' | *[!0-9]*) fault "$1, a number" ;;
    esac
}

key_store=/ppml/keys/keystore.jks
sgx_enabled=false
passed=""

# As upstream's: own options take a value, --verbose takes none, any other option is passed on with the next word, and
# the first word without a dash begins the application.
while [ $# -gt 0 ]; do
    case "$1" in
    --verbose) passed="$passed $1" && shift && continue ;;
    --master) master="$2" ;;
    --deploy-mode) deploy_mode="$2" ;;
    --sgx-enabled) sgx_enabled="$2" ;;
    --sgx-driver-jvm-memory) driver_jvm_memory="$2" ;;
    --sgx-executor-jvm-memory) executor_jvm_memory="$2" ;;
    --driver-memory) driver_memory="$2" ;;
    --executor-memory) executor_memory="$2" ;;
    --driver-template) driver_template="$2" ;;
    --executor-template) executor_template="$2" ;;
    --key-store) key_store="$2" ;;
    --log-file) ;;
    -*) passed="$passed $1 $2" ;;
    *) break ;;
    esac
    if [ $# -lt 2 ]; then
        fault "a value for $1"
        break
    fi
    shift 2
done

[ "$PWD" = /ppml ] || fault "the working directory /ppml, not $PWD"
need_value "--master" "$master"
need_value "an application" "$1"
need_value "RUNTIME_DRIVER_MEMORY" "$RUNTIME_DRIVER_MEMORY"
need_number "RUNTIME_DRIVER_PORT" "$RUNTIME_DRIVER_PORT"
need_value "LOCAL_IP" "$LOCAL_IP"

case "$master" in
k8s*)
    need_value "--deploy-mode" "$deploy_mode"
    need_value "--driver-memory" "$driver_memory"
    need_value "--executor-memory" "$executor_memory"
    need_file /root/.kube/config
    need_file "${driver_template:-/ppml/spark-driver-template.yaml}"
    need_file "${executor_template:-/ppml/spark-executor-template.yaml}"
    case "$passed" in
    *spark.kubernetes.container.image=*) ;;
    *) fault "spark.kubernetes.container.image" ;;
    esac
    ;;
esac

case "$sgx_enabled" in
true)
    need_value "--sgx-driver-jvm-memory" "$driver_jvm_memory"
    need_value "--sgx-executor-jvm-memory" "$executor_jvm_memory"
    need_file /ppml/bash.manifest.sgx
    need_file /ppml/bash.sig
    ;;
false) ;;
*) fault "--sgx-enabled true or false" ;;
esac

if [ -n "$secure_password" ]; then
    need_file "$key_store"
    need_file /ppml/password/key.txt
    need_file /ppml/password/output.bin
fi

if [ "$faults" -gt 0 ]; then
    say "would not submit: $faults missing"
    exit 1
fi
say "would submit to $master${deploy_mode:+ in $deploy_mode mode}, SGX $sgx_enabled"
say "settings:$passed"
say "application: $*"
