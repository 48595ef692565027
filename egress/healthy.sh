#!/bin/bash
# Succeed when the first of the allowed names can be requested, through both of Squid's ports. Nothing is sent to it.
# The first request after a start fails in any case: Squid looks whether its second port is there before it opens it.
set -eu
name=${EGRESS_ALLOWED%%,*} name=${name#*://} name=${name%%[:/]*}
exec 3<> "/dev/tcp/127.0.0.1/${1:-3128}"
printf 'CONNECT %s:%s HTTP/1.1\r\n\r\n' "$name" "${2:-443}" >&3
read -r -t 5 status <&3
[[ $status == "HTTP/1.1 200 "* ]]
