#!/bin/sh
# Makes a virtual environment with a list of packages:
#   scripts/venv.sh PYTHON FOLDER LIST.txt
# LIST-py3.11.lock has the versions that the list came to on that Python, where it
# was made; another Python finds its own. LIST-after.txt is for what pip would not
# install together with the list.
set -eu
python=$1 folder=$2 list=${3%.txt} here=$(dirname "$0")

"$python" -c 'import sys; assert sys.version_info >= (3, 10), sys.version' || {
	echo "needs Python 3.10 or newer; PYTHON=... names one"
	exit 1
}
"$python" -c 'import ensurepip' || "$here/install.sh" ensurepip python3-venv || {
	echo "needs Python's venv (apt-get install python3-venv)"
	exit 1
}
"$python" -m venv "$folder"
pip() {
	"$here/again.sh" "$folder/bin/pip" install --quiet --disable-pip-version-check "$@"
}
lock=$list-py$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])').lock
if [ -f "$lock" ]; then
	pip -r "$list.txt" -c "$lock"
else
	pip -r "$list.txt"
fi
if [ -f "$list-after.txt" ]; then
	pip -r "$list-after.txt"
fi
touch "$folder/ready"
