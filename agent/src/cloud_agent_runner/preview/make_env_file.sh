# Make an .env of its example: sh make_env_file.sh EXAMPLE FILE
#
# The secrets that an application signs its own cookies and tokens with are made up where the example leaves them empty:
# nobody gives them out, and many a framework doesn't start without. Those of a service stay as they are.
# Laravel's APP_KEY has a form of its own, and `artisan key:generate` to make it.
awk -v own="^[ \t]*(export[ \t]+)?\
((ADMIN_JWT|APP|APPLICATION|AUTH|AUTH0|BETTER_AUTH|COOKIES?|CSRF|DJANGO|FLASK|NEXT_?AUTH|PAYLOAD|SERVER|SESSIONS?\
|((ACCESS|REFRESH)_)?(JWT|TOKEN)(_(ACCESS|REFRESH))?)_)?(SECRET|SECRET_KEY|SECRET_KEY_BASE)\
[ \t]*=[ \t]*(\"\"|'')?[ \t]*(#.*)?\r?\$" '
  $0 ~ own {
    make = "od -An -N32 -tx1 /dev/urandom | tr -d \" \\n\""
    make | getline secret
    close(make)
    sub(/[ \t]*=.*/, "=" secret)
  }
  { print }
' "$1" > "$2" || cp "$1" "$2" # where there's no awk
