#!/bin/sh
# install_requirements.sh PYTHON UV ARGUMENT...: make ~/.venv of PYTHON, and have pip install ARGUMENT... into it.
#
# What a repository pins has wheels for the Pythons of its day alone, and often can't be compiled for a later one, or says
# that it doesn't run there. Then the environment is made of an older one, which uv gets. It stays with that: the next run
# finds it made.
python=$1 uv=$2
shift 2
made_of_older=$HOME/.venv/made-of-older-python
log=$(mktemp)
trap 'rm -f "$log"' EXIT

install() { "$HOME/.venv/bin/python" -m pip install --log "$log" "$@"; }
does_not_go_with_python() { grep -qE 'subprocess-exited-with-error|Failed to build|Ignored the following .*Requires-Python [^;]*<' "$log"; }

[ -e "$made_of_older" ] || sh "$(dirname "$0")/make_environment.sh" "$python" || exit
install "$@" && exit
[ ! -e "$made_of_older" ] || exit 1
for version in 3.11 3.9; do
  does_not_go_with_python || exit 1
  : > "$log"
  "$uv" venv --quiet --seed --clear --python="$version" "$HOME/.venv" 2> /dev/null || exit 1
  touch "$made_of_older"
  echo "These requirements don't go with the Python that was there. Trying $version, as no file names one."
  install "$@" && exit
done
exit 1
