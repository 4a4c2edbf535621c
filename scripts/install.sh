#!/bin/sh
# Installs Debian's packages if a program is not at hand, where that is allowed:
#   scripts/install.sh PROGRAM PACKAGE...
set -e
program=$1
shift
command -v "$program" >/dev/null && exit
command -v apt-get >/dev/null && [ "$(id -u)" = 0 ] || exit 1
export DEBIAN_FRONTEND=noninteractive
again=$(dirname "$0")/again.sh
"$again" apt-get -o DPkg::Lock::Timeout=300 update -qq
"$again" apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends "$@"
