"""``zvsh``: run a program in ZeroVM on this machine as if it were a local one (command-line tools, section 2).

``command`` reads the command line, ``configuration`` the files beside it; ``invocation`` turns both into channels, arguments
and environment (pure); ``workplace`` makes the files of a session; ``running`` runs it and passes its streams through;
``chrome`` turns a trace into what browsers show.
"""
