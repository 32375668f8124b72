#!/bin/bash
# Stand-in for the script of the same name: takes away what a run leaves in the working directory.
rm -rf temp_command_file bigdl-ppml-submit.log bash.token metastore_db derby.log spark-warehouse
