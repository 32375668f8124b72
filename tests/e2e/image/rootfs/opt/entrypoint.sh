#!/bin/sh
# Stand-in for the entrypoint of BigDL's images: pods of Spark name their role first, anything else is a command.
case "$1" in
driver | driver-py | driver-r | executor)
    case "$SGX_ENABLED" in
    true | false) echo "stand-in: would start a $1, SGX_ENABLED=$SGX_ENABLED" ;;
    *) echo "stand-in: SGX_ENABLED is neither true nor false" && exit 1 ;;
    esac
    ;;
*) exec "$@" ;;
esac
