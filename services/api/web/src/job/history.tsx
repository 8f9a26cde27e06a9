// What happened to a job, newest first; and what was sent to the address it names.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Again } from "../again";
import { answer, call } from "../api";
import { listen } from "../live";
import { Button } from "../parts/button";
import { Moment } from "../parts/moment";
import { failed } from "../parts/notice";
import type { Happened, Sent } from "../shapes";
import { words } from "../words";
import type { LiveJob } from "./model";
import { type Line, lines } from "./story";

const say = words.job;
const PAGE = 200;

/** Read when it is opened, and kept current while it is open. */
export function History({ live }: { live: LiveJob }) {
  const open = useSignal(false);
  return (
    <details
      class="history"
      onToggle={(event) => {
        open.value = event.currentTarget.open;
      }}
    >
      <summary>{say.history.title}</summary>
      {open.value && <Story live={live} />}
    </details>
  );
}

function Story({ live }: { live: LiveJob }) {
  const told = useSignal<readonly Happened[]>([]);
  const more = useSignal(false);
  const ask = async (before?: number) => {
    const from = before === undefined ? "" : `&before=${before}`;
    const found = await answer("GET", `api/jobs/${live.id}/history?limit=${PAGE}${from}`);
    const page = (await found.json()) as Happened[];
    const known = told.peek();
    if (before === undefined) {
      const oldest = page.at(-1)?.id ?? 0;
      const earlier = known.filter((one) => one.id < oldest);
      told.value = [...page, ...earlier];
      if (!earlier.length) more.value = found.headers.has("Link");
    } else {
      told.value = [...known, ...page];
      more.value = found.headers.has("Link");
    }
  };
  useEffect(() => {
    const again = new Again(() => ask());
    again.soon();
    const deaf = listen({
      event: (event) => event.jobId === live.id && event.kind !== "progress" && again.soon(),
      anew: () => again.soon(),
    });
    return () => {
      deaf();
      again.stop();
    };
  }, []);
  const names = new Map(live.files.value.map((file) => [file.peek().id, file.peek().name]));
  return (
    <>
      <ol>
        {lines(told.value, names).map((line) => (
          <Told key={line.id} line={line} />
        ))}
      </ol>
      {more.value && <Button onClick={() => ask(told.peek().at(-1)?.id)}>{say.history.more}</Button>}
    </>
  );
}

function Told({ line }: { line: Line }) {
  return (
    <li>
      <Moment at={line.at} />
      <span>
        {line.before} {line.video && <bdi>{line.video}</bdi>} {line.text}
      </span>
    </li>
  );
}

/** Only jobs that name an address have any. */
export function Deliveries({ live }: { live: LiveJob }) {
  const sent = useSignal<readonly Sent[]>([]);
  const state = live.job.value?.status;
  useEffect(() => {
    call<Sent[]>("GET", `api/jobs/${live.id}/deliveries`).then((found) => {
      sent.value = found;
    }, failed);
  }, [state]);
  if (!sent.value.length) return null;
  return (
    <details class="history">
      <summary>{say.deliveries.title}</summary>
      <ol>
        {sent.value.map((one) => (
          <li key={one.id}>
            <Moment at={one.createdAt} />
            <span>
              <code>{one.type}</code> {say.deliveries.states[one.status]}, {say.deliveries.tries(one.attempts)}
              {one.answered !== null && `, ${say.deliveries.answered(one.answered)}`}
              {one.error && `: ${one.error}`}
            </span>
          </li>
        ))}
      </ol>
    </details>
  );
}
