// All uploads together: how far, how fast, and what can be said to all of them.

import { now } from "../clock";
import { bytes, span } from "../format";
import { Button } from "../parts/button";
import { Progress } from "../parts/progress";
import { ask } from "../parts/question";
import { allDone, bytesInAll, bytesSent, pace, type Row, rows, type Stage } from "../uploads/draft";
import { pause, queue, remove } from "../uploads/queue";
import { words } from "../words";

export function Overall() {
  const all = rows.value;
  const say = words.create.all;
  const at = (...stages: Stage[]) => all.filter((row) => stages.includes(row.stage.value));
  const done = at("done").length;
  const running = at("queued", "going", "waiting");
  const paused = at("paused");
  const failed = at("failed");
  return (
    <div class="overall">
      <div class="line">
        <p>
          <strong>{allDone.value ? say.done : say.some(done, all.length)}</strong>{" "}
          <span class="muted small figure">{!allDone.value && figures(at("going").length > 0, running)}</span>
        </p>
        <div class="actions">
          {failed.length > 1 && <Each of={failed} act={queue} icon="retry" text={say.again} />}
          {paused.length > 1 && <Each of={paused} act={queue} icon="play" text={say.resume} />}
          {running.length > 1 && <Each of={running} act={pause} icon="pause" text={say.pause} />}
          {all.length > 1 && (
            <Button look="quiet" icon="trash" onClick={() => removeAll(all)}>
              {say.remove}
            </Button>
          )}
        </div>
      </div>
      {all.length > 1 && (
        <Progress
          share={bytesSent.value / bytesInAll.value}
          label={say.label}
          tone={allDone.value ? "good" : running.length ? "accent" : "still"}
        />
      )}
    </div>
  );
}

function figures(going: boolean, running: Row[]): string {
  const say = words.create.row;
  const sent = say.going(bytes(bytesSent.value), bytes(bytesInAll.value));
  const speed = going ? pace.speed(now.value) : null;
  if (!speed) return sent;
  const left = span(running.reduce((sum, row) => sum + row.size - row.sent.value, 0) / speed);
  return [sent, say.speed(bytes(speed)), say.left(left)].join(" · ");
}

interface EachProps {
  of: Row[];
  act(row: Row): void;
  icon: "retry" | "play" | "pause";
  text: string;
}

function Each({ of, act, icon, text }: EachProps) {
  return (
    <Button look="quiet" icon={icon} onClick={() => of.forEach(act)}>
      {text}
    </Button>
  );
}

async function removeAll(all: Row[]): Promise<void> {
  const say = words.create.all;
  const sure = await ask({ title: say.removeSure, body: say.removeBody, yes: say.remove, danger: true });
  if (!sure) return;
  for (const row of all) void remove(row);
  document.querySelector<HTMLElement>(".choose button")?.focus();
}
