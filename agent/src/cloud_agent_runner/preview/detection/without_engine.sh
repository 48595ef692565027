#!/bin/sh
# without_engine.sh COMMAND...: run it where `docker` and its like do nothing, and succeed.
#
# Scripts of package.json start databases with them, and then the dev server. A session has no engine for containers, and
# runs the databases itself. What keeps running elsewhere does so here: others may end with it.
engines="$HOME/.cache/without-engine"
mkdir -p "$engines" || exec "$@"
cat > "$engines/docker" << 'EOS'
#!/bin/sh
echo "docker: A session has no engine for containers. Its databases run without one." >&2
case " $* " in
  *" -d "* | *" --detach "* | *" --wait "*) ;;
  *" up "*) exec sleep infinity ;;
esac
EOS
chmod +x "$engines/docker"
for name in docker-compose podman podman-compose nerdctl; do ln -sf docker "$engines/$name"; done
PATH="$engines:$PATH" exec "$@"
