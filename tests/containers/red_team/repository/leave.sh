# In a turn: leaves processes behind, each in another way.
setsid nohup sleep 98701 > /dev/null 2>&1 &
env -i setsid sh -c 'setsid sleep 98702 & exit' > /dev/null 2>&1
python3 -c "
import os
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.closerange(0, 64)
        os.execv('/bin/sleep', ['unmarked', '98703'])
"
nohup sh -c 'trap "" TERM HUP; while :; do sleep 98704; done' > /dev/null 2>&1 &
sleep 0.5
ps -eo args | grep -c '9870[1-4]$' > /tmp/red-team/left
