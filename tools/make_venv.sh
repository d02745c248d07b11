#!/bin/sh
# make_venv.sh FOLDER PIP-ARGUMENTS...
#
# Makes FOLDER a virtual environment, installs into it what the arguments tell pip, and leaves the file
# FOLDER/.installed once all of that went well. Whatever a broken-off attempt left behind is cleared first.
#
# The Python is the one named by the variable PYTHON, else the first on PATH that will do. It has to be run to
# know: version managers leave names on PATH for Pythons that are switched off.
set -eu

supported="Python 3.11, 3.12 or 3.13"

find_python() {
    if [ -n "${PYTHON:-}" ]; then set -- "$PYTHON"; else set -- python3.12 python3.13 python3.11 python3 python; fi
    seen="" lacking=""
    for candidate; do
        # Prints the version, then fails if the modules that make a virtual environment are missing.
        probe='import sys; print("%d.%d" % sys.version_info[:2]); import venv, ensurepip'
        if version=$("$candidate" -c "$probe" 2>/dev/null); then complete=yes; else complete=no; fi
        case "$version-$complete" in
            3.11-yes | 3.12-yes | 3.13-yes) python=$candidate; return ;;
            3.11-no | 3.12-no | 3.13-no) lacking=${lacking:-$version} ;;
            -*) ;;  # not there, or does not run
            *) seen="$seen, $candidate is $version" ;;
        esac
    done
    if [ -n "$lacking" ]; then
        echo "Python $lacking lacks venv or ensurepip. Debian/Ubuntu: sudo apt install python$lacking-venv"
    else
        echo "This course needs $supported${seen:- and found none}. Install one, or name it: make PYTHON=/path/to/python3.12"
    fi >&2
    exit 1
}

folder=$1
shift
find_python
echo "Setting up $folder with $("$python" --version), once; this takes a minute or more."
"$python" -m venv --clear "$folder"
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check "$@"
touch "$folder/.installed"
