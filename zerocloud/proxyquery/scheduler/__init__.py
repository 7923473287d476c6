"""The scheduler: decides what every session of a job does next, and does nothing itself.

It is a pure state machine. Events come in with the time at which they happened (a server admitted a session, refused it, was
lost; a guest ended; an output was published; the client left), instructions go out (connect, send, hold, publish, drop, wake me
at, finish). Whoever does input and output (:mod:`zerocloud.proxyquery.runner`) executes them and reports back. So every
failure, retry, race and time limit of a job is a table of events in a test, without a network and without waiting.

Terms
=====

*node*        a unit of the plan: a program with its channels. Its user sees nodes.
*session*     one copy of a node, to be run once. Most nodes have one; ``replicate`` gives more, and speculation adds one.
*attempt*     one POST of a session to one server. A session has as many as it takes; only the latest one counts, so an event
              of an earlier attempt is stale and is dropped.
*gang*        sessions connected with each other by network channels, directly or through others. They run at the same time or
              not at all. An unconnected session is a gang of one, and nothing in the code treats it otherwise.
*unit*        nodes whose outputs become visible together: those of a gang, or those of the whole job if it is small.
*window*      how many sessions of the job may be under way. A gang larger than the window starts when nothing else runs.
*round*       one pass of a gang over the servers that could take its sessions.
*refusal*     why a server did not take a session: it is busy (no slot), silent (no answer in time), elsewhere (no such
              object, no disk, an error: ask another server), final (the request itself is bad), not local (the object's
              bytes have to be brought to the session).

Principles
==========

1. *Load follows the emptier server.* Among the servers that hold a session's object, the one with the fewest sessions of this
   job is asked first; then handoffs; then servers that have failed lately. Copies of a node go to different servers.
2. *A gang holds nothing while it waits.* If one of its sessions finds no slot anywhere, all the others give theirs back, and
   the gang tries again later. Its sessions wait in servers' queues for moments only, since the others hold slots meanwhile.
   So two gangs that together exceed the slots can't lock each other out. The servers admit sessions of the oldest admitted
   jobs always, so the older gang gets through.
3. *Being full is not a failure.* Only the job's deadline ends the wait for a slot. The waits double, up to two seconds, and
   end early when a session of this job has ended. The window shrinks to what the cluster took, and grows again by one with
   every success. A server keeps a session in its queue for so long as it is told, and then says that it is busy; one that
   says nothing by then hangs, or is slow: it is asked again later, with twice the patience.
4. *A server's failure is the cluster's business, a guest's failure its user's.* The first costs another attempt on another
   server, up to :data:`LOST_LIMIT` times once the guest may have started (a guest that kills servers must not visit them
   all); the second ends the session, unless its node has ``retries``.
5. *A gang fails as one.* When one session of a gang fails, its peers fail too, of broken connections. So the gang is given
   :data:`SETTLE_TIME` to show the cause: if it turns out to be a lost server, the whole gang runs again; otherwise the first
   failure is the story.
6. *One failed node cancels the job*, unless the map says ``"on_error": "continue"``; then it takes only its gang with it.
7. *Nothing is published before its unit has succeeded*, and a session of which something was published never runs again. If
   the job fails after other units were published, or while one is, what they have stored is withdrawn when nothing is being
   published any more. Where ``"on_error": "continue"`` lets nodes succeed by themselves, a failure withdraws only its own node.
8. *First success wins.* A node with several sessions has succeeded with the first of them; it has failed when all have. What
   else of them runs when that one is published has as long again to end, so that it can be told if they wrote different things.
9. *A straggler is overtaken, not waited for.* Once half of a group's nodes have succeeded, a node that has run for twice as
   long as the median of these, and a second at least, gets its reserve: one more session, on another server, if the map says
   ``speculate`` and nobody else waits for the slot. The first success cancels the other. The failure of a guest is not
   speculated about: it cancels the reserve.

Examples
========

*Idle.* One node, its object on A, B and C: connect to A; admitted; send; succeeded; publish; finish.

*A dead server.* Connect to A: refused (elsewhere, "connection refused"); connect to B, and so on as above. A is remembered: the
job's other sessions ask it last.

*5,000 small objects on 8 slots.* The window opens with 64 attempts. 56 are refused as busy on every server that holds
their object; each shrinks the window, down to the 8 that run. Every success lets the next one in and widens the window by one:
a refusal now and then is the price of finding out that somebody else's job has ended.

*A shuffle of 8 mappers and 8 reducers while two other jobs fill the cluster.* 11 are admitted, 5 find no slot. All 11 are
dropped at once (they have not been sent anything), and 50 ms later a second round begins: with a new network and a new
secret, since the servers have forgotten the first.

*A storage server dies in the middle of that shuffle.* Its two mappers are lost; the reducers connected to them fail of broken
streams, some of them before the proxy notices the loss. The first event puts the gang into its settling time; the loss is
there when it ends, or sooner when all sessions have ended; the gang runs again, on other servers. Nothing had been published.

*A server that hangs under a running guest.* Its signs of life stay out; it is lost, like one that dies, some seconds later.

*A guest that kills its server's executor whenever it runs.* Lost on A, on B, on C: then the node fails with its story, and the
job with it.

*A node with a sick disk.* 63 of 64 nodes have succeeded, each within a second; the last one reads from a disk that is about to
die. Two seconds after its start its reserve is started on another replica, and is done at three. The straggler is dropped.

*The deadline.* Sessions that wait fail with their last refusal. Those that run have three seconds more, since their own time
limit has been reached too and their servers are about to report it; then they are dropped, which kills their guests. What is
being published is allowed to end, because half an object is worse than a late one.

The algorithm in words
======================

Gangs wait in a :class:`.line.Line`. :meth:`Scheduler.handle` first gives the event to the method that :data:`TRANSITIONS` names
for the session's phase and the event's class; then it *pumps*: while the first gang of the line may start, each of its sessions
gets a server (:class:`.choice.Servers`) and a ``Connect``. When all sessions of a gang are admitted, all get a ``Send``. When a
session succeeds, its unit is looked at (:class:`.nodes.Nodes`): complete, every node's winner is published; incomplete, the
answer is held. When every node has come to its end and nothing is being published, the job is finished.
"""

from __future__ import annotations

from .events import (
    Admitted,
    Cancelled,
    Event,
    Failed,
    Lost,
    Published,
    Refusal,
    Refused,
    Started,
    Succeeded,
    Tick,
    Unpublished,
)
from .instructions import CloseNetwork, Connect, Drop, Finish, Hold, Instruction, OpenNetwork, Publish, Send, Wake, Withdraw
from .machine import COMPARE_TIME, GANG_QUEUE, LOST_LIMIT, SETTLE_TIME, TRANSITIONS, InvalidTransition, Scheduler
from .model import Limits, Outcome, Phase, Server, Session, Tier

__all__ = [
    "Scheduler",
    "Session",
    "Server",
    "Tier",
    "Limits",
    "Phase",
    "Outcome",
    "Event",
    "Started",
    "Admitted",
    "Refused",
    "Refusal",
    "Lost",
    "Succeeded",
    "Failed",
    "Published",
    "Unpublished",
    "Tick",
    "Cancelled",
    "Instruction",
    "Connect",
    "Send",
    "Hold",
    "Publish",
    "Withdraw",
    "Drop",
    "OpenNetwork",
    "CloseNetwork",
    "Wake",
    "Finish",
    "TRANSITIONS",
    "InvalidTransition",
    "COMPARE_TIME",
    "GANG_QUEUE",
    "SETTLE_TIME",
    "LOST_LIMIT",
]
