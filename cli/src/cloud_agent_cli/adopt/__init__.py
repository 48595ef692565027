"""`cloud-agent adopt`: what an account has already comes into the stack by CloudFormation import, never by hand.

`resources` says what can be adopted, `plan` decides what is, `import_template` writes it down: they know no AWS client.
`account` finds it, `stack` carries it out, `command` is what a person sees.
"""
