#!/bin/sh
# Trains on two months, stages the best model and serves it. Called by make demo:
#   MONTHS  folder to look for real months in
#   ADDR    address of the server
#   CHECK   if set: send the curl, print the answer and end
set -eu
unset MLFLOW_TRACKING_URI # the demo has a registry of its own
bin=$1
home=build/demo
date=2021-03-05

if [ -f "$MONTHS/green_tripdata_2021-01.parquet" ] && [ -f "$MONTHS/green_tripdata_2021-02.parquet" ]; then
	echo "demo: real months from $MONTHS"
	data=$MONTHS
else
	data=build/synthetic
	if "$bin" months get green 2021-01 2021-02 --home "$home" >/dev/null 2>build/fetch.log; then
		echo "demo: real months, fetched from TLC"
		data=$home/months
	else
		echo "demo: the real months are neither in $MONTHS nor to be had from TLC ($(head -n 1 build/fetch.log))"
		echo "demo: so two months are synthesised: same columns, same dirt, but these rides never were"
		"$bin" months make green 2021-01..2021-02 --out "$data" --force >/dev/null
	fi
fi

"$bin" train --date "$date" --data "$data" --home "$home"

if [ -z "$CHECK" ]; then
	echo
	"$bin" server --home "$home" --addr "$ADDR" &
	server=$!
	trap 'kill $server 2>/dev/null; wait $server; exit' HUP INT TERM
	code=0
	wait $server || code=$?
	if [ $code = 5 ]; then # the port is somebody else's
		echo "demo: so at a free port (make demo ADDR=... names another)"
		exec "$bin" server --home "$home" --addr "${ADDR%:*}:0"
	fi
	exit $code
fi

out=build/demo-server.log
rm -f "$out"
"$bin" server --home "$home" --addr 127.0.0.1:0 >"$out" 2>&1 &
server=$!
trap 'kill $server 2>/dev/null || true' EXIT
tries=0
until grep -q '^predict ' "$out"; do
	tries=$((tries + 1))
	if [ "$tries" -gt 300 ] || ! kill -0 $server 2>/dev/null; then
		cat "$out"
		echo "demo: the server did not start"
		exit 1
	fi
	sleep 0.1
done
cat "$out"
url=$(sed -n 's/^page *\(http.*\)\/$/\1/p' "$out")
ride='{"PULocationID":43,"DOLocationID":151,"trip_distance":1.01}'
if command -v curl >/dev/null; then
	answer=$(curl -sS --fail-with-body "$url/predict" -H 'Content-Type: application/json' -d "$ride")
else
	answer=$("$bin" predict "$ride" --home "$home" --json)
fi
echo "demo: $answer"
case $answer in
*'"duration":'*'"model_version":'*) ;;
*)
	echo "demo: that is no prediction"
	exit 1
	;;
esac
