# Install a package manager for Node.js, unless it's there: sh get_package_manager.sh NAME@VERSION
#
# To be told by the registry that there is nothing to do takes npm as long as all else that a restored installation needs.
# By npm, not Corepack: Node.js has none from 25 on, and older ones reject the keys that npm signs with today.
name=${1%@*} version=${1##*@}
case $version in
  *[!0-9.]*) ;; # a range, or a name
  *)
    said="\"version\": \"$version"
    grep --quiet --no-messages --fixed-strings -e "$said\"" -e "$said." "$HOME/.local/lib/node_modules/$name/package.json" && exit
    ;;
esac
exec npm install --global --no-audit --no-fund --no-update-notifier --prefix "$HOME/.local" "$1"
