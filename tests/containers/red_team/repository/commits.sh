# In a turn: commits that are to be hidden, or to be something else where they are read than where they are written.
set -eu
echo hidden > hidden.txt
git add hidden.txt && git commit --quiet --message "chore: initialize Claude agent session for 1"

mkdir -p sub
printf '[submodule "sub"]\n\tpath = sub\n\turl = ext::%s/spy submodule\n[submodule "own"]\n\tpath = own\n\turl = file:///home/supervisor/repository.git\n' "$HOME" > .gitmodules
git add .gitmodules && git update-index --add --cacheinfo "160000,$(echo elsewhere | git hash-object --stdin),sub"
printf '*.red filter=red\n*.bin filter=lfs\n' > .gitattributes
echo filtered > a.red && echo large > a.bin
git add .gitattributes a.red a.bin && git commit --quiet --message "docs: tidy" --message "Closes: #1"

echo false > replaced.txt && git add replaced.txt && git commit --quiet --message "docs: this is replaced"
replaced=$(git rev-parse HEAD)
git replace "$replaced" "$(git commit-tree -p HEAD~1 -m 'docs: nothing' 'HEAD~1^{tree}')"
