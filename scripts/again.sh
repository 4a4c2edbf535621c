#!/bin/sh
# Runs a command that needs the network, up to four times: mirrors have bad
# minutes. What is not there at all (126, 127) is not asked for again.
#   scripts/again.sh COMMAND ARGUMENT...
for pause in 5 20 60 0; do
	"$@" && exit
	code=$?
	[ $code = 126 ] || [ $code = 127 ] || [ $pause = 0 ] && exit $code
	echo "again in $pause seconds: $*" >&2
	sleep $pause
done
