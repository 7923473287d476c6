"""A job from its map to its end: plan, run, reply. Each verb is a module; this is the order of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from swift.common.swob import wsgi_to_str

from .accept import TEXT
from .accounting import session_lines
from .cluster import Cluster
from .ended import Ended
from .environment import remote_user
from .errors import ClientGone
from .exchange import Records, Surroundings
from .hangup import watched
from .jobs.ending import UNKNOWN, broken_off, ending
from .jobs.live import About, LiveJob, Progress
from .jobs.states import JobState
from .jobs.store import JobStore
from .planning import plan_request
from .publish import Publisher
from .reply import answer
from .request import PREVIOUS, JobRequest, created
from .results import one_line
from .runner import Runner
from .scheduler import Cancelled, Outcome
from .scheduler import Limits as JobLimits
from .sources import Sources
from .spool import Spool
from .subrequests import Pipeline

HUNG_UP = "cancelled because the client closed its connection"


def run_job(
    cluster: Cluster, job: str, request: JobRequest, pipeline: Pipeline, environ: Mapping[str, Any], form: str = TEXT
) -> Any:
    """Run a job whose execution has been authorized; its response in one of the forms. Raises JobError and ClientGone."""
    execution = Execution(cluster, job, request, pipeline, environ, form=form)
    gone: list[bool] = []

    def hang_up() -> None:
        gone.append(True)
        execution.live.cancel(HUNG_UP)

    with watched(environ, hang_up):
        response = execution.run()
    execution.close()
    if gone:
        response.app_iter.close()
        raise ClientGone(job)
    return response


class Execution:
    """One job that is planned. It can be found from then on."""

    def __init__(
        self,
        cluster: Cluster,
        job: str,
        request: JobRequest,
        pipeline: Pipeline,
        environ: Mapping[str, Any],
        result: str | None = None,
        form: str = TEXT,
    ) -> None:
        """Plan it. ``result`` is the URL at which the answer of a job that is deferred from the start will lie.

        ``form`` is that of the answer. Raises JobError.
        """
        settings = cluster.settings
        self._cluster = cluster
        self._method = str(environ["REQUEST_METHOD"])
        self._about = About(
            id=job,
            created=created(job),
            account=request.account,
            user=user_name(environ),
            document=request.document,
            timeout=request.timeout,
            transaction=str(environ.get("swift.trans_id", "-")),
            brought=request.brought.image is not None or request.brought.payload is not None,
            foreign=pipeline.granted,
            previous=str(environ.get(PREVIOUS, "")),
            show_servers=settings.show_servers,
        )
        self._brought = request.brought
        self._form = form
        self._end = UNKNOWN
        self._planned = plan_request(cluster, job, request, pipeline)
        self._records = Records({}, {}, {})
        self._spool = Spool(
            settings.spool_memory, settings.spool_directory, settings.network_chunk_size, settings.spool_maximum
        )
        self._sources = self._needs(pipeline)
        self._runner = self._make_runner(pipeline)
        self.live = LiveJob(self._about, self._progress, self.cancel, result)
        self._recording = cluster.recorder.begin(self.live, JobStore(pipeline.detached(), request.account))

    def run(self) -> Any:
        """Run it to its end; its response, whose body is to be closed, as is the job itself. Raises JobError."""
        try:
            outcomes = self._runner.run()
            for line in session_lines(self._about, self._progress()):
                self._cluster.logger.info("zerovm-cdr %s %s", self._about.account, line)
            ended = self._ended(outcomes)
            response = answer(ended, self._method, self._spool, self._form)
            self._end = ending(ended, response)
            return response
        except BaseException as error:
            self._spool.close()
            self._recording.end(broken_off(error))
            raise
        finally:
            self._sources.close()
            self._brought.close()

    def defer(self, result: str) -> None:
        """Its client waits no longer: its answer will lie at this URL."""
        self.live.result = result
        self._recording.now()

    def close(self, trouble: str = "") -> None:
        """Nothing more will become of it. ``trouble`` is why its answer could not be left where it should lie."""
        end = self._end
        self._recording.end(replace(end, state=JobState.FAILED, error=trouble) if trouble else end)

    def cancel(self, reason: str) -> None:
        """Ask for its end."""
        self._runner.post(Cancelled(reason))

    def _needs(self, pipeline: Pipeline) -> Sources:
        settings = self._cluster.settings
        sources = Sources(
            pipeline,
            self._spool,
            self._cluster.programs,
            settings.node_timeout,
            settings.newest,
            settings.maximum_input,
        )
        for work in self._planned.outline.works.values():
            for _, need in work.inputs(push=True):  # what turns out to lie nowhere as a file is brought, too
                sources.expect(need)
        return sources

    def _make_runner(self, pipeline: Pipeline) -> Runner:
        settings, laid_out = self._cluster.settings, self._planned.outline
        around = Surroundings(
            settings=settings,
            job=self._about.id,
            transaction=self._about.transaction,
            limits=self._cluster.limits,
            sources=self._sources,
            brought=self._brought,
            spool=self._spool,
            publisher=Publisher(pipeline, self._spool, self._cluster.logger.warning),
            records=self._records,
        )
        limits = JobLimits(
            deadline=self._about.started + self._about.timeout,
            timeout=self._about.timeout,
            window=settings.window,
            patience=settings.admission_timeout,
        )
        devices = self._planned.placer.devices
        return Runner(laid_out.sessions, laid_out.works, devices, limits, self._cluster.name_servers, around)

    def _progress(self) -> Progress:
        return Progress(self._runner.outcomes(), self._records.reports, self._records.last_words)

    def _ended(self, outcomes: tuple[Outcome, ...]) -> Ended:
        devices = self._planned.placer.devices
        return Ended(
            job=self._about.id,
            started=self._about.started,
            outcomes=outcomes,
            winners={outcome.session.node: self._runner.winner(outcome.session.node) for outcome in outcomes},
            records=self._records,
            addresses={name: f"{device['ip']}:{device['port']}" for name, device in devices.items()},
            show_servers=self._cluster.settings.show_servers,
        )


def user_name(environ: Mapping[str, Any]) -> str:
    """Who asks: Keystone's name of the user, or the one among TempAuth's groups that is a login."""
    groups = wsgi_to_str(remote_user(environ)).split(",")
    name = wsgi_to_str(environ.get("HTTP_X_USER_NAME", ""))
    return one_line(name or next((group for group in groups if ":" in group), groups[0]))


__all__ = ["Execution", "run_job"]
