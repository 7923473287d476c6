"""Jobs as things that can be listed, looked at, watched and cancelled (HTTP API, sections 10 and 19).

``states`` says what a job and its nodes are called while they live; ``live`` are the jobs of this process, ``ending`` is
what is kept of one's answer; ``describe`` makes the JSON that tells of one, to clients and in its record alike. ``store``
keeps records as ordinary objects of the account, ``recorder`` decides when, ``owner`` tells whether the process that a
record speaks of is still there, and ``cancelling`` hears of jobs that are to be cancelled from elsewhere. ``resource``
answers requests, with ``listing`` for many jobs and ``events`` for those who watch one. ``deferred`` runs jobs whose
clients don't wait.
"""
