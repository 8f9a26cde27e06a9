// What a job is, how far it is, and what can be done with it; first the one thing that one most likely came for.

import { address } from "../api";
import { percent, span } from "../format";
import { cancel, keep, pause, remove, resume, retry } from "../jobs/acts";
import { jobName, underway } from "../jobs/states";
import { mayOffer, ring } from "../notify";
import { Button } from "../parts/button";
import { Icon } from "../parts/icon";
import { Link } from "../parts/link";
import { Moment } from "../parts/moment";
import { Progress } from "../parts/progress";
import { StateBadge } from "../parts/state";
import { go } from "../router";
import { copy, zipAddress } from "../save";
import type { Job } from "../shapes";
import { words } from "../words";
import { curlLine, linkTo } from "./handing";

const say = words.job;
const acts = words.acts;

export function Header({ job }: { job: Job }) {
  return (
    <header class="card about">
      <div class="heading">
        <h1>
          <bdi>{jobName(job)}</bdi>
        </h1>
        <StateBadge state={job.status} />
        {job.kept && (
          <span class="state">
            <Icon name="pin" />
            {say.keptBadge}
          </span>
        )}
      </div>
      <p class="beside figure">
        <span>{words.count.videos(job.totalVideos)}</span>
        <span>{words.count.done(job.completedVariations, job.totalVariations)}</span>
        {job.failedVariations > 0 && <span class="bad">{words.count.failed(job.failedVariations)}</span>}
        <span>
          {say.created} <Moment at={job.createdAt} />
        </span>
        {job.endedAt && (
          <span>
            {say.ended} <Moment at={job.endedAt} />
          </span>
        )}
        {job.expiresAt && (
          <span>
            {job.status === "expired" ? words.expiry.expired : words.expiry.expires} <Moment at={job.expiresAt} />
          </span>
        )}
      </p>
      {underway(job.status) ? <HowFar job={job} /> : <Outcome job={job} />}
      {job.error && <p class="callout bad">{job.error}</p>}
      <Main job={job} />
      <More job={job} />
    </header>
  );
}

function HowFar({ job }: { job: Job }) {
  return (
    <div class="how-far">
      <Progress
        share={job.progress}
        label={jobName(job)}
        tone={job.status === "processing" || job.status === "queued" ? "accent" : "still"}
      />
      <p class="figure">
        <strong>{percent(job.progress)}</strong>
        <span class="muted">{outlook(job)}</span>
      </p>
    </div>
  );
}

function outlook(job: Job): string {
  if (job.status === "paused") return say.resting;
  if (job.status === "cancelling") return say.stopping;
  const left = job.etaSeconds === null ? "" : say.left(span(job.etaSeconds));
  if (job.queuePosition !== null) return [say.place(job.queuePosition), left].filter(Boolean).join(", ");
  return left || (job.status === "queued" ? say.waiting : "");
}

/** Whether what came of it is all that was wanted. */
function Outcome({ job }: { job: Job }) {
  if (job.status === "expired") return <p class="callout">{words.expiry.because(job.expiredBecause)}</p>;
  return (
    <>
      {job.distinct?.note && <p class="callout">{job.distinct.note}</p>}
      {job.distinct?.kept && job.completedVariations > 1 && <p class="muted">{say.distinct}</p>}
    </>
  );
}

const canPause = (job: Job) => (job.status === "queued" || job.status === "processing") && job.wish === "run";
const canRetry = (job: Job) => job.status !== "cancelling" && job.files.some((file) => file.retriable);

function Main({ job }: { job: Job }) {
  const there = job.completedVariations > 0 && job.status !== "expired";
  const whole = there && !underway(job.status);
  const again = canRetry(job);
  return (
    <div class="acts">
      {there && (
        <a class={`button ${whole ? "main" : ""}`} href={address(zipAddress(job.jobId))} download="">
          <Icon name="download" />
          <span>{whole ? say.downloadAll(job.completedVariations) : say.downloadSoFar(job.completedVariations)}</span>
        </a>
      )}
      {job.status === "paused" && (
        <Button look="main" icon="play" onClick={() => resume(job.jobId)}>
          {acts.resume}
        </Button>
      )}
      {again && (
        <Button look={there ? "plain" : "main"} icon="retry" onClick={() => retry([job.jobId])}>
          {acts.retry.verb}
        </Button>
      )}
      {canPause(job) && (
        <Button icon="pause" onClick={() => pause(job.jobId)}>
          {acts.pause}
        </Button>
      )}
      {underway(job.status) && job.status !== "cancelling" && (
        <Button icon="stop" onClick={() => cancel([job.jobId])}>
          {acts.cancel.verb}
        </Button>
      )}
      <MoreTakes job={job} />
    </div>
  );
}

/** While the uploaded videos are there; else a new job is what one needs. */
function MoreTakes({ job }: { job: Job }) {
  if (job.files.some((file) => file.sourceKept)) {
    return (
      <Link class="button" to={`new?from=${job.jobId}`}>
        <Icon name="plus" />
        <span>{say.moreTakes}</span>
      </Link>
    );
  }
  const there = job.completedVariations > 0 && job.status !== "expired";
  return (
    <>
      {!there && (
        <Link class="button main" to="new">
          <Icon name="plus" />
          <span>{words.nav.create}</span>
        </Link>
      )}
      <p class="muted small why">{say.sourceGone}</p>
    </>
  );
}

function More({ job }: { job: Job }) {
  const there = job.completedVariations > 0 && job.status !== "expired";
  return (
    <div class="acts lesser">
      {underway(job.status) && mayOffer() && (
        <p class="offer">
          <span>{say.tell.offer}</span>
          <Button icon="bell" onClick={ring}>
            {say.tell.yes}
          </Button>
        </p>
      )}
      {there && (
        <>
          <Button look="quiet" icon="link" onClick={async () => copy((await linkTo(job.jobId)).url, say.linkCopied)}>
            {say.copyLink}
          </Button>
          <Button look="quiet" icon="copy" onClick={async () => copy(await curlLine(job.jobId), say.curlCopied)}>
            {say.copyCurl}
          </Button>
        </>
      )}
      {job.status !== "expired" && (
        <Button
          look="quiet"
          icon="pin"
          title={job.kept ? acts.letGoWhy : acts.keepWhy}
          onClick={() => keep(job.jobId, !job.kept)}
        >
          {job.kept ? acts.letGo : acts.keep}
        </Button>
      )}
      <Button
        look="quiet"
        icon="trash"
        onClick={async () => {
          if (await remove([job.jobId])) go("");
        }}
      >
        {acts.remove.verb}
      </Button>
    </div>
  );
}
