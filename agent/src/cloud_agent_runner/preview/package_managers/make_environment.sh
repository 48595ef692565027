# Make ~/.venv of a Python, unless it's there: sh make_environment.sh PYTHON
#
# `-m venv` installs pip anew each time, which takes longer than all else that a restored environment needs.
python=$1 environment=$HOME/.venv
made_of=$("$environment/bin/python" -c 'import pip, sys; print(sys.version)' 2> /dev/null) &&
  [ "$made_of" = "$("$python" -c 'import sys; print(sys.version)')" ] && exit
exec "$python" -m venv "$environment"
