#!/bin/sh
# init.sh <plan> <working folder> <node> <inside.js> <command>...
# Process 1 of the namespace. It waits for any child, so orphans are reaped, which Node would not
# do; when it ends, the kernel ends every other process in here. Descriptor 3 is the run's lock:
# held exactly as long as this process lives, and by nothing that it starts.
plan=$1 folder=$2 node=$3 inside=$4
shift 4
"$node" "$inside" "$plan" 3>&- || exit 3
# The mounts have changed under the folder that was inherited.
cd "$folder" || exit 3
"$@" 3>&-
exit $?
