// What is stored, what would go first, and what is kept from going.

import { answer } from "../api";
import { bytes, percent } from "../format";
import { Button } from "../parts/button";
import { Link } from "../parts/link";
import { Moment } from "../parts/moment";
import { say as tell } from "../parts/notice";
import type { KeptJob, NextToGo, StorageUse } from "../shapes";
import { words } from "../words";

const SHOWN = 10;

export function Storage({ use, anew }: { use: StorageUse; anew(): Promise<void> }) {
  const say = words.system;
  return (
    <section class="card" aria-labelledby="storage">
      <h2 id="storage">{say.storage}</h2>
      <p class="figure">
        {use.cap === null ? say.usedNoCap(bytes(use.used)) : say.used(bytes(use.used), bytes(use.cap))}
        {use.going > 0 && <span class="muted"> · {say.going(bytes(use.going))}</span>}
      </p>
      <Bar use={use} />
      {use.makesRoomAbove !== null && use.makesRoomUntil !== null && (
        <p class="muted small">{say.room(bytes(use.makesRoomAbove), bytes(use.makesRoomUntil))}</p>
      )}
      <Next next={use.next} />
      <Kept use={use} anew={anew} />
    </section>
  );
}

const KINDS = ["takes", "sources", "arriving", "promised", "others", "free"] as const;

/** Of the whole room, or where there is no end to it, of what is used. */
function Bar({ use }: { use: StorageUse }) {
  const say = words.system;
  const amounts = { ...use.byKind, others: Math.max(0, use.used - use.workspace), free: use.free ?? 0 };
  const whole = Math.max(use.cap ?? use.used, use.used, 1);
  const told = KINDS.filter((kind) => amounts[kind] > 0 || kind === "takes");
  return (
    <div class="storage">
      <div class="bar" role="img" aria-label={`${say.bar}: ${percent(use.used / whole)}`}>
        {told
          .filter((kind) => kind !== "free")
          .map((kind) => (
            <div key={kind} class={kind} style={{ width: `${(amounts[kind] / whole) * 100}%` }} />
          ))}
      </div>
      <dl class="legend">
        {told.map((kind) => (
          <div key={kind}>
            <dt>
              <span class={`dot ${kind}`} />
              {say.kinds[kind]}
            </dt>
            <dd class="figure">{bytes(amounts[kind])}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

function Next({ next }: { next: NextToGo[] }) {
  const say = words.system;
  return (
    <>
      <h3>{say.next}</h3>
      {!next.length && <p class="muted small">{say.nextNone}</p>}
      <ol class="turns">
        {next.slice(0, SHOWN).map((one) => (
          <li key={one.jobId ?? one.endedAt}>
            <span title={one.why}>{one.jobId ? <Link to={`jobs/${one.jobId}`}>{say.yours}</Link> : say.others}</span>
            <span class="figure">{bytes(one.bytes)}</span>
            <span class="muted small">
              {say.ended} <Moment at={one.endedAt} />, {say.goes} <Moment at={one.expiresAt} />
            </span>
          </li>
        ))}
      </ol>
      {next.length > SHOWN && <p class="muted small">{say.nextMore(next.length - SHOWN)}</p>}
    </>
  );
}

function Kept({ use, anew }: { use: StorageUse; anew(): Promise<void> }) {
  const say = words.system;
  if (!use.kept.length) return null;
  const letGo = async (job: KeptJob) => {
    await answer("POST", `api/jobs/${job.jobId}/keep`, { body: { keep: false } });
    tell(say.letGone);
    await anew();
  };
  return (
    <>
      <h3>{say.kept(use.kept.length, use.keptMost)}</h3>
      <p class="muted small">{say.keptText}</p>
      <ul class="turns">
        {use.kept.map((job) => (
          <li key={job.jobId}>
            <Link to={`jobs/${job.jobId}`}>
              <bdi>{job.name ?? say.yours}</bdi>
            </Link>
            <span class="figure">{bytes(job.bytes)}</span>
            <span class="muted small">
              {job.expiresAt && (
                <>
                  {say.goes} <Moment at={job.expiresAt} />
                </>
              )}
            </span>
            <Button title={say.letGoOf(job.name ?? say.yours)} onClick={() => letGo(job)}>
              {say.letGo}
            </Button>
          </li>
        ))}
      </ul>
    </>
  );
}
