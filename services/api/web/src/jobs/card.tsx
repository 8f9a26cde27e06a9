// One job in the list.

import type { Signal } from "@preact/signals";
import { address } from "../api";
import { percent } from "../format";
import { Icon } from "../parts/icon";
import { Link } from "../parts/link";
import { Moment } from "../parts/moment";
import { Progress } from "../parts/progress";
import { StateBadge } from "../parts/state";
import { zipAddress } from "../save";
import type { Summary } from "../shapes";
import { words } from "../words";
import type { Selection } from "./selection";
import { summaryName, underway } from "./states";

const say = words.jobs;

export function Card({ job, selection }: { job: Signal<Summary>; selection: Selection }) {
  const shown = job.value;
  const name = summaryName(shown);
  const selected = selection.has(shown.id);
  return (
    <li class={`card job ${shown.status}`}>
      <label class="choose">
        <input
          type="checkbox"
          checked={selected}
          aria-label={say.choose(name)}
          onChange={() => selection.toggle(shown.id)}
        />
      </label>
      <Picture url={shown.thumbnailUrl} />
      <div class="what">
        <h2>
          <Link class="cover" to={`jobs/${shown.id}`} title={name}>
            <bdi>{name}</bdi>
          </Link>
        </h2>
        <Counts job={shown} />
      </div>
      <StateBadge state={shown.status} />
      <Standing job={shown} name={name} />
      <Keepsake job={shown} name={name} />
    </li>
  );
}

export function Picture({ url }: { url: string | null }) {
  return (
    <div class="picture">{url ? <img src={url} alt="" loading="lazy" decoding="async" /> : <Icon name="film" />}</div>
  );
}

function Counts({ job }: { job: Summary }) {
  return (
    <p class="counts figure">
      <span>{words.count.videos(job.totalVideos)}</span>
      <span>{words.count.done(job.completedVariations, job.totalVariations)}</span>
      {job.failedVariations > 0 && <span class="bad">{words.count.failed(job.failedVariations)}</span>}
      <span class="since">
        <Moment at={job.createdAt} />
      </span>
    </p>
  );
}

/** How far it is, or how long its takes are there. */
function Standing({ job, name }: { job: Summary; name: string }) {
  if (underway(job.status)) {
    return (
      <div class="standing">
        <Progress share={job.progress} label={name} tone={job.status === "processing" ? "accent" : "still"} />
        <span class="figure">{percent(job.progress)}</span>
      </div>
    );
  }
  if (job.status === "expired") return <p class="standing">{words.expiry.short(job.expiredBecause)}</p>;
  return (
    <p class="standing">
      {job.kept && <Icon name="pin" />}
      {job.expiresAt && (
        <span>
          {words.expiry.expires} <Moment at={job.expiresAt} />
        </span>
      )}
    </p>
  );
}

function Keepsake({ job, name }: { job: Summary; name: string }) {
  const there = job.completedVariations > 0 && job.status !== "expired";
  return (
    <div class="keepsake">
      {there && (
        <a
          class="button quiet bare"
          href={address(zipAddress(job.id))}
          download=""
          aria-label={say.downloadOf(name)}
          title={say.download}
        >
          <Icon name="download" />
        </a>
      )}
    </div>
  );
}
