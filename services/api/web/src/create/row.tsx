// One video that is uploaded.

import { now } from "../clock";
import { bytes, clockTime, percent, span } from "../format";
import { Button } from "../parts/button";
import { Icon, type IconName } from "../parts/icon";
import { Progress } from "../parts/progress";
import type { Row, Stage } from "../uploads/draft";
import { pause, queue, remove } from "../uploads/queue";
import { words } from "../words";

const ICONS: Record<Stage, IconName> = {
  queued: "clock",
  going: "upload",
  paused: "pause",
  waiting: "clock",
  failed: "warning",
  refused: "warning",
  missing: "warning",
  done: "check",
};
const TROUBLED = new Set<Stage>(["failed", "refused", "missing"]);

export function UploadRow({ row }: { row: Row }) {
  const stage = row.stage.value;
  const say = words.create.row;
  const far = row.sent.value / row.size;
  return (
    <li class={`upload ${stage}`}>
      <Icon name={ICONS[stage]} />
      <div class="what">
        <p class="name" title={row.path}>
          <bdi>{row.path}</bdi>
        </p>
        <p class="muted small figure">{about(row)}</p>
      </div>
      <p class={`small figure how ${TROUBLED.has(stage) ? "trouble" : ""}`}>{how(row)}</p>
      <div class="actions">
        {(stage === "queued" || stage === "going" || stage === "waiting") && (
          <Button look="quiet" icon="pause" label={say.pause(row.name)} onClick={() => pause(row)} />
        )}
        {stage === "paused" && (
          <Button look="quiet" icon="play" label={say.resume(row.name)} onClick={() => queue(row)} />
        )}
        {stage === "failed" && (
          <Button look="quiet" icon="retry" label={say.again(row.name)} onClick={() => queue(row)} />
        )}
        <Button look="quiet" icon="close" label={say.remove(row.name)} onClick={() => remove(row)} />
      </div>
      {stage !== "done" && stage !== "refused" && (
        <Progress share={far} label={say.progress(row.name)} tone={stage === "going" ? "accent" : "still"} />
      )}
    </li>
  );
}

function about(row: Row): string {
  const seconds = row.seconds.value;
  return [bytes(row.size), seconds === null ? "" : clockTime(seconds)].filter(Boolean).join(" · ");
}

function how(row: Row): string {
  const say = words.create.row;
  const share = percent(row.sent.value / row.size);
  const begun = row.sent.value > 0;
  switch (row.stage.value) {
    case "queued":
      return begun ? say.queuedAt(share) : say.queued;
    case "going":
      return going(row, share);
    case "paused":
      return say.paused(share);
    case "missing":
      return row.why.value || (begun ? say.missingAt(share) : say.missing);
    case "done":
      return say.done;
    default:
      return row.why.value;
  }
}

function going(row: Row, share: string): string {
  const say = words.create.row;
  const speed = row.pace.speed(now.value);
  if (row.sent.value === row.size) return say.ending;
  if (!speed) return share;
  return [share, say.speed(bytes(speed)), say.left(span((row.size - row.sent.value) / speed))].join(" · ");
}
