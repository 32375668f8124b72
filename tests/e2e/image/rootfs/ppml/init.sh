#!/bin/bash
# Stand-in for the script of the same name: what an enclave needs must be there, a signature and the devices, which then
# both have the names that Gramine opens. Traces itself, as upstream's does.
set -x

not_ready() {
    echo "$1 not ready, $2"
    exit 1
}

device() {
    if [ -c "/dev/sgx/$1" ]; then
        echo "/dev/sgx/$1 is ready"
    elif [ -c "/dev/sgx_$1" ]; then
        echo "/dev/sgx/$1 not ready, try to link to /dev/sgx_$1"
        mkdir -p /dev/sgx
        ln -s "/dev/sgx_$1" "/dev/sgx/$1"
    else
        not_ready "both /dev/sgx/$1 /dev/sgx_$1 are" "please check the kernel and driver"
    fi
}

[ -f /ppml/bash.sig ] || not_ready "/ppml/bash.sig is" "please sign the image"
echo "/ppml/bash.sig is ready"
device enclave
device provision
ls -al /dev/sgx
gramine-sgx-get-token --output /ppml/bash.token --sig /ppml/bash.sig
chmod +x /ppml/bash.token
