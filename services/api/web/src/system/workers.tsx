// Who works, on what, and how fast.

import { span } from "../format";
import { Icon, type IconName } from "../parts/icon";
import { Link } from "../parts/link";
import { Moment } from "../parts/moment";
import type { Worker, Working } from "../shapes";
import { words } from "../words";

const ICONS: Record<Worker["status"], IconName> = { active: "check", leaving: "out", gone: "stop", lost: "warning" };
const TONES: Record<Worker["status"], string> = { active: "completed", leaving: "paused", gone: "", lost: "failed" };

export function Workers({ workers }: { workers: Worker[] }) {
  const say = words.system;
  return (
    <section class="card" aria-labelledby="workers">
      <h2 id="workers">{say.workers}</h2>
      <Fleet workers={workers} />
      <ul class="workers">
        {workers.map((worker) => (
          <One key={worker.name} worker={worker} />
        ))}
      </ul>
    </section>
  );
}

function Fleet({ workers }: { workers: Worker[] }) {
  const say = words.system;
  const active = workers.filter((worker) => worker.status === "active");
  if (!active.length) return <p class="callout">{workers.length ? say.idle : say.noWorkers}</p>;
  const slots = active.reduce((sum, worker) => sum + worker.slots, 0);
  const busy = active.reduce((sum, worker) => sum + worker.busy, 0);
  const speed = active.reduce((sum, worker) => sum + worker.slots * (worker.speed ?? 0), 0);
  return (
    <p class="figure">
      {words.count.workers(active.length)} · {say.busy(busy, slots)}
      {speed > 0 && <span class="muted"> · {say.together(span(speed))}</span>}
    </p>
  );
}

function One({ worker }: { worker: Worker }) {
  const say = words.system;
  return (
    <li class="worker">
      <div class="line">
        <strong>
          <bdi>{worker.name}</bdi>
        </strong>
        <span class={`state ${TONES[worker.status]}`} title={say.statusText[worker.status]}>
          <Icon name={ICONS[worker.status]} />
          {say.status[worker.status]}
        </span>
        <span class="figure how-fast">
          {worker.speed === null ? (
            <span class="muted small">{say.noSpeed}</span>
          ) : (
            <span title={say.speedText(span(60 / worker.speed))}>
              {fast(worker.speed)} <span class="muted small">{say.realTime}</span>
            </span>
          )}
        </span>
      </div>
      <ul class="working small">
        {worker.status !== "active" && <li>{say.statusText[worker.status]}</li>}
        {worker.status === "active" && !worker.working.length && <li class="muted">{say.waits}</li>}
        {worker.working.map((part, place) => (
          <li key={`${part.fileId} ${part.kind} ${place}`}>
            <Part part={part} />
          </li>
        ))}
      </ul>
      <Details worker={worker} />
    </li>
  );
}

function fast(speed: number): string {
  return speed.toLocaleString("en", { maximumFractionDigits: speed < 10 ? 1 : 0 });
}

function Part({ part }: { part: Working }) {
  const say = words.system;
  const does = part.kind === "inspect" ? say.inspects : say.renders(words.count.takes(part.takes));
  return (
    <>
      {does} {part.jobId ? <Link to={`jobs/${part.jobId}`}>{say.ofJob}</Link> : say.elsewhere}
    </>
  );
}

function Details({ worker }: { worker: Worker }) {
  const say = words.system;
  const facts: [string, string][] = [
    [say.worker, worker.version],
    [say.engine, worker.engine],
    [say.sandbox, worker.sandbox.join(", ")],
  ];
  return (
    <details class="small">
      <summary class="figure">
        {say.busy(worker.busy, worker.slots)} · {say.seen} <Moment at={worker.seenAt} />
      </summary>
      <dl class="facts">
        <dt>{say.started}</dt>
        <dd>
          <Moment at={worker.startedAt} />
        </dd>
        {facts.map(([name, value]) => (
          <Fact key={name} name={name} value={value} />
        ))}
      </dl>
    </details>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </>
  );
}
