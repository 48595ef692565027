# In a turn: puts the supervisor's repository in the place of the work tree's own.
set -eu
mv .git "$HOME/kept.git"
ln -s /home/supervisor/repository.git .git
