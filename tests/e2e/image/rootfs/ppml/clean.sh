#!/bin/bash
# Stand-in for the script of the same name: takes what signing made away.
set -x
make SGX=1 THIS_DIR=/ppml G_SGX_SIZE="$SGX_MEM_SIZE" clean
