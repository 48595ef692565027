#!/bin/sh
# Write the files that squid.conf names into the working directory, from the environment, and become Squid.
#
# EGRESS_ALLOWED    URLs and domains, separated by commas. `example.com` is that name, `.example.com` those below it, too.
# EGRESS_EXCEPTED   an IPv4 range that may be reached although it's private; may be empty.
set -eu
umask 077
here=$(dirname "$(readlink -f "$0")")

# Of a URL only the host counts. Squid refuses a list with both a name and `.` with a parent of it: the wider one stays.
echo "$EGRESS_ALLOWED" | tr 'A-Z,' 'a-z\n' | sed -E 's|^https?://||; s|[:/].*||; /^$/d' | sort -u | awk '
  { listed[$0] }
  END {
    for (name in listed) {
      above = name
      if (!sub(/^\.[^.]+/, "", above)) above = "." name
      for (kept = 1; above != ""; sub(/^\.[^.]+/, "", above)) if (above in listed) kept = 0
      if (kept) print name
    }
  }' > listed
echo "${EGRESS_EXCEPTED:-}" > excepted
cp "$here/not_public.acl" .
# A port that looks at TLS needs a certificate. No client is shown it: nothing is opened.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 -subj /CN=unused \
  -keyout key.pem -out certificate.pem 2> /dev/null
cat key.pem certificate.pem > unused.pem

exec squid -N -f "$here/squid.conf"
