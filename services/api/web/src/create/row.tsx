// One video that is uploaded.

import { useRef } from "preact/hooks";
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

interface Control {
  icon: IconName;
  label: string;
  act(row: Row): void;
}

export function UploadRow({ row }: { row: Row }) {
  const stage = row.stage.value;
  const say = words.create.row;
  const item = useRef<HTMLLIElement>(null);
  const control = controlOf(row);
  const away = () => {
    const next = item.current?.nextElementSibling ?? item.current?.previousElementSibling;
    void remove(row);
    (
      next?.querySelector<HTMLElement>("button:last-of-type") ?? document.querySelector<HTMLElement>(".choose button")
    )?.focus();
  };
  return (
    <li ref={item} class={`upload ${stage}`}>
      <Icon name={ICONS[stage]} />
      <div class="what">
        <p class="name" title={row.path}>
          <bdi>{row.path}</bdi>
        </p>
        <p class="muted small figure">{about(row)}</p>
      </div>
      <p class={`small figure how ${TROUBLED.has(stage) ? "trouble" : ""}`}>{how(row)}</p>
      <div class="actions">
        {control && <Button look="quiet" icon={control.icon} label={control.label} onClick={() => control.act(row)} />}
        <Button look="quiet" icon="close" label={say.remove(row.name)} onClick={away} />
      </div>
      {stage !== "done" && stage !== "refused" && (
        <Progress
          share={row.sent.value / row.size}
          label={say.progress(row.name)}
          tone={stage === "going" ? "accent" : "still"}
        />
      )}
    </li>
  );
}

function controlOf(row: Row): Control | null {
  const say = words.create.row;
  switch (row.stage.value) {
    case "queued":
    case "going":
    case "waiting":
      return { icon: "pause", label: say.pause(row.name), act: pause };
    case "paused":
      return { icon: "play", label: say.resume(row.name), act: queue };
    case "failed":
      return { icon: "retry", label: say.again(row.name), act: queue };
    default:
      return null;
  }
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
