"""Hooks: containers whose objects are read or written through a zapp (HTTP API, section 20).

A container's metadata names the zapp of an event. Setting it takes the right to the container's metadata, which Swift gives to
the account's owner; so the zapp runs with that owner's rights, within that account and no further.

hook       what a hook is, and where it is written
rights     the account's owner's rights, and nothing else
gate       stands between the jobs and the rest of the pipeline, and sees which requests have a hook
guard      what is read in another way takes the right of the owner
on_get     what is read is what a zapp makes of it
on_put     what is stored is what a zapp makes of it
after_put  a zapp runs once more for each object that was stored, at least once
promises   what is still to be run after a PUT, kept as objects that no client can reach
"""
