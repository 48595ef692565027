"""The doctor: checks every hop from the browser to the dev server and from the issue to the workflow; changes nothing.

`cloud-agent doctor` and the scheduled DoctorFunction both call `diagnose`.
"""
