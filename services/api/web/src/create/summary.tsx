// What the job comes to, and the one button that makes it.

import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { call } from "../api";
import { bytes, span } from "../format";
import { Link } from "../parts/link";
import type { Offers, StorageUse, Summary, Worker } from "../shapes";
import type { Complaint } from "../uploads/submit";
import { words } from "../words";
import { active, roomFor, timeFor } from "./estimate";
import { type Settings, takesOf } from "./settings";

export interface Source {
  size: number;
  seconds: number | null;
}

interface Props {
  offers: Offers;
  settings: Settings;
  sources: Source[];
  /** What is still to be uploaded. */
  upload: number;
  complaint: Complaint | null;
  /** The button, and what is said beside it. */
  children: ComponentChildren;
}

const AGAIN = 15_000;

interface Known {
  workers: Worker[];
  storage: StorageUse;
  others: number;
}

/** What the prediction rests on; asked anew while somebody looks. */
function useKnown(): Known | null {
  const known = useSignal<Known | null>(null);
  useEffect(() => {
    const look = async () => {
      if (document.hidden) return;
      const [workers, storage, jobs] = await Promise.all([
        call<Worker[]>("GET", "api/workers"),
        call<StorageUse>("GET", "api/storage"),
        call<Summary[]>("GET", "api/jobs?status=queued,processing&limit=200"),
      ]);
      known.value = { workers, storage, others: jobs.length };
    };
    // Without an answer it stays "not known yet"; that the service is away is said at the top of the page.
    const ask = () => void look().catch(() => {});
    ask();
    const timer = setInterval(ask, AGAIN);
    return () => clearInterval(timer);
  }, []);
  return known.value;
}

export function SummaryCard({ offers, settings, sources, upload, complaint, children }: Props) {
  const say = words.create;
  const known = useKnown();
  const takes = takesOf(settings, offers);
  const all = takes * sources.length;
  const room = roomFor(
    sources.map((source) => source.size),
    takes,
  );
  const free = known?.storage.free;
  return (
    <aside class="card summary" aria-labelledby="summary">
      <h2 id="summary">{say.summary}</h2>
      <p class="sum figure">
        {sources.length ? say.sum(words.count.videos(sources.length), takes, words.count.takes(all)) : say.none}
      </p>
      {sources.length > 0 && (
        <dl>
          {upload > 0 && <Fact name={say.upload} value={bytes(upload)} />}
          <Fact name={say.room} value={say.atMost(bytes(room))} title={say.atMostHint} />
          <Fact name={say.time} value={timeOf(sources, settings, offers, known)} />
          <Fact name={say.kept} value={say.keptFor(span(offers.retentionHours * 3600))} />
        </dl>
      )}
      {sources.length > 0 && <Caveats known={known} tight={free !== null && free !== undefined && room > free} />}
      {complaint && <Complained complaint={complaint} />}
      {children}
    </aside>
  );
}

function Fact({ name, value, title }: { name: string; value: string; title?: string }) {
  return (
    <div title={title}>
      <dt>{name}</dt>
      <dd class="figure">{value}</dd>
    </div>
  );
}

/** Of other profiles than the usual one it is not known by how much longer they take. */
function timeOf(sources: Source[], settings: Settings, offers: Offers, known: Known | null): string {
  const say = words.create;
  const lengths = sources.map((source) => source.seconds);
  const time = known && timeFor(lengths, takesOf(settings, offers), known.workers);
  if (time === null) return say.unknown;
  const usual = !settings.profile || settings.profile === offers.profiles[0];
  return usual && !known?.others ? say.about(span(time)) : say.atLeast(span(time));
}

function Caveats({ known, tight }: { known: Known | null; tight: boolean }) {
  const say = words.create;
  if (!known) return null;
  return (
    <>
      {active(known.workers).length === 0 && <p class="callout">{say.noWorker}</p>}
      {known.others > 0 && <p class="muted small">{say.others(words.count.jobs(known.others))}</p>}
      {tight && (
        <p class="callout">
          {say.tight(bytes(known.storage.free ?? 0))} <Link to="system">{say.seeStorage}</Link>
        </p>
      )}
    </>
  );
}

function Complained({ complaint }: { complaint: Complaint }) {
  const say = words.create;
  return (
    <p class="callout bad" role="alert">
      {complaint.text} {complaint.jobId && <Link to={`jobs/${complaint.jobId}`}>{say.see}</Link>}
      {complaint.code === "storage_full" && <Link to="system">{say.seeStorage}</Link>}
    </p>
  );
}
