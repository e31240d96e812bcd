#!/bin/sh
# join.sh <cgroup folder>... -- <command>...
# Moves this process into the cgroups and becomes the command. A process can only move itself
# before it starts what must be inside, and Node cannot exec(2): hence a shell.
set -eu
while [ "$1" != -- ]; do
  echo $$ > "$1/cgroup.procs"
  shift
done
shift
exec "$@"
