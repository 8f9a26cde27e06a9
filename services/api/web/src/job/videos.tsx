// The videos of a job: one line each, that opens to show its takes.

import { type Signal, useSignal } from "@preact/signals";
import { address } from "../api";
import { bytes, clockTime, percent } from "../format";
import { retryVideo } from "../jobs/acts";
import { Picture } from "../jobs/card";
import { Button } from "../parts/button";
import { Icon } from "../parts/icon";
import { Link } from "../parts/link";
import { Progress } from "../parts/progress";
import { StateBadge } from "../parts/state";
import { zipAddress } from "../save";
import type { FileWithVariations, Job } from "../shapes";
import { words } from "../words";
import { type LiveJob, PAGE } from "./model";
import type { Picks } from "./picks";
import { Takes } from "./takes";

const say = words.job;
/** Of so few the takes are shown at once. */
const FEW = 3;

export interface Shown {
  live: LiveJob;
  picks: Picks;
}

export function Videos({ live, picks }: Shown) {
  const job = live.job.value;
  if (!job) return null;
  return (
    <section class="videos" aria-labelledby="videos">
      <h2 id="videos">{say.videos}</h2>
      <ul>
        {live.files.value.map((file) => (
          <Video key={file.peek().id} file={file} live={live} picks={picks} />
        ))}
      </ul>
      {job.totalVideos > PAGE && <Pages job={job} live={live} />}
    </section>
  );
}

function Pages({ job, live }: { job: Job; live: LiveJob }) {
  const page = live.page.value;
  const last = Math.ceil(job.totalVideos / PAGE);
  return (
    <nav class="pages" aria-label={say.videos}>
      <Button disabled={page === 1} icon="back" onClick={() => live.turnTo(page - 1)}>
        {say.pages.before}
      </Button>
      <p class="figure">
        {say.pages.from((page - 1) * PAGE + 1, Math.min(page * PAGE, job.totalVideos), job.totalVideos)}
      </p>
      <Button disabled={page === last} icon="right" onClick={() => live.turnTo(page + 1)}>
        {say.pages.next}
      </Button>
    </nav>
  );
}

function Video({ file, live, picks }: Shown & { file: Signal<FileWithVariations> }) {
  const shown = file.value;
  const open = useSignal((live.job.peek()?.totalVideos ?? 0) <= FEW);
  const takes = `takes-${shown.id}`;
  return (
    <li class={`card video ${shown.status}`}>
      <div class="line">
        <Picture url={shown.thumbnailUrl} />
        <div class="what">
          <h3>
            <button
              type="button"
              class="opener"
              aria-expanded={open.value}
              aria-controls={takes}
              onClick={() => {
                open.value = !open.value;
              }}
            >
              <bdi>{shown.name}</bdi>
              <Icon name={open.value ? "down" : "right"} />
            </button>
          </h3>
          <p class="beside figure">
            {facts(shown).map((fact) => (
              <span key={fact}>{fact}</span>
            ))}
          </p>
        </div>
        <Standing file={shown} live={live} />
        <Acts file={shown} live={live} />
      </div>
      {shown.error && shown.error !== live.job.value?.error && <p class="callout bad">{shown.error}</p>}
      {shown.distinct?.note && <p class="callout">{shown.distinct.note}</p>}
      <div id={takes}>{open.value && <Takes file={file} live={live} picks={picks} />}</div>
    </li>
  );
}

function facts(file: FileWithVariations): string[] {
  const found = [];
  if (file.duration !== null) found.push(clockTime(file.duration));
  if (file.width !== null && file.height !== null) found.push(`${file.width} × ${file.height}`);
  if (file.fps !== null) found.push(`${Number(file.fps.toFixed(2))} fps`);
  return [...found, bytes(file.size)];
}

function Standing({ file, live }: { file: FileWithVariations; live: LiveJob }) {
  const all = live.job.value?.variationsPerVideo ?? file.variations.length;
  return (
    <div class="standing">
      <StateBadge state={file.status} />
      {file.status === "processing" ? (
        <div class="bar">
          <Progress share={file.progress} label={file.name} />
          <span class="figure">{percent(file.progress)}</span>
        </div>
      ) : (
        <p class="figure muted small">{say.takesOf(file.completedVariations, all)}</p>
      )}
    </div>
  );
}

function Acts({ file, live }: { file: FileWithVariations; live: LiveJob }) {
  const job = live.job.value;
  if (!job) return null;
  const there = file.completedVariations > 0 && job.status !== "expired";
  return (
    <div class="acts">
      {file.retriable && job.status !== "cancelling" && (
        <Button
          look="quiet"
          icon="retry"
          label={say.tryAgainOf(file.name)}
          onClick={() => retryVideo(job.jobId, file.id)}
        />
      )}
      {file.sourceKept && (
        <Link
          class="button quiet bare"
          to={`new?from=${job.jobId}&file=${file.id}`}
          aria-label={say.moreTakesOf(file.name)}
          title={say.moreTakes}
        >
          <Icon name="plus" />
        </Link>
      )}
      {there && (
        <a
          class="button quiet bare"
          href={address(`${zipAddress(job.jobId)}?file=${file.id}`)}
          download=""
          aria-label={say.downloadOf(file.name)}
          title={say.downloadOf(file.name)}
        >
          <Icon name="download" />
        </a>
      )}
    </div>
  );
}
