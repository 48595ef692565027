#!/bin/sh
# get_toolchains.sh TOOL@VERSION...: get each with mise and put its programs on the PATH, in ~/.local/bin.
#
# It runs as the workspace's user, in its home: a configuration of mise in the repository, which may name commands to run,
# isn't read. What can't be had is said and left out: the commands that follow say whether they can do without.
cd "$HOME" && mkdir -p .local/bin || exit 0
# Where CI is set, mise prints colors to a pipe, too.
export MISE_YES=1 MISE_QUIET=1 MISE_COLOR=0
if ! command -v mise > /dev/null; then
  echo "warning: $* isn't installed, and neither is mise to get it. What is on the PATH is used."
  exit 0
fi
# Those of an earlier run, for which the repository may not ask any more.
find .local/bin -lname '*/mise/installs/*' -delete
for tool; do
  if mise where "$tool" > /dev/null 2>&1 || mise install "$tool"; then
    mise bin-paths "$tool" | while read -r folder; do ln -sf "$folder"/* .local/bin/; done
  else
    echo "warning: mise can't get $tool. What is on the PATH is used."
  fi
done
exit 0
