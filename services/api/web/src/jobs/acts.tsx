// What can be done with jobs, with one or with many: so many requests at a time, one sentence about what came of them.

import { answer, call } from "../api";
import { anew } from "../live";
import { each } from "../parallel";
import { say, sentence } from "../parts/notice";
import { ask } from "../parts/question";
import type { CancelRequested, Job } from "../shapes";
import { words } from "../words";

const AT_ONCE = 4;
const told = words.acts;

export async function pause(id: string): Promise<void> {
  await control(id, "pause");
}

export async function resume(id: string): Promise<void> {
  await control(id, "resume");
}

async function control(id: string, action: "pause" | "resume"): Promise<void> {
  await call<Job>("POST", `api/jobs/${id}/control`, { body: { action } });
  anew();
}

export async function keep(id: string, kept: boolean): Promise<void> {
  await call<Job>("POST", `api/jobs/${id}/keep`, { body: { keep: kept } });
  say(kept ? told.kept : told.letGone);
  anew();
}

/** In two steps: what would be lost is said, and nothing happens before that was read. */
export async function cancel(ids: readonly string[]): Promise<void> {
  const asked = await each(ids, AT_ONCE, (id) => call<CancelRequested>("POST", `api/jobs/${id}/cancel`));
  const requests = ids.flatMap((id, place) => {
    const one = asked[place];
    return one?.status === "fulfilled" ? [{ id, ...one.value }] : [];
  });
  const refused = asked.filter((one) => one.status === "rejected");
  if (!requests.length) return summed(refused, told.cancel);
  const sum = (which: "variations" | "inWork" | "kept") =>
    requests.reduce((total, one) => total + one.wouldLose[which], 0);
  const sure = await ask({
    title: told.cancel.ask(requests.length),
    body: (
      <>
        <p>{told.cancel.lost(sum("variations"), sum("inWork"))}</p>
        <p>{told.cancel.stays(sum("kept"))}</p>
      </>
    ),
    yes: told.cancel.yes(requests.length),
    no: told.cancel.no,
    danger: true,
  });
  if (!sure) return;
  const done = await each(requests, AT_ONCE, ({ id, confirmToken }) =>
    answer("POST", `api/jobs/${id}/cancel`, { body: { confirmToken } }),
  );
  summed([...refused, ...done], told.cancel);
}

export async function retry(ids: readonly string[]): Promise<void> {
  summed(await each(ids, AT_ONCE, (id) => answer("POST", `api/jobs/${id}/retry`)), told.retry);
}

export async function retryVideo(job: string, file: string): Promise<void> {
  await answer("POST", `api/jobs/${job}/files/${file}/retry`);
  anew();
}

/** Says whether it came to it. */
export async function remove(ids: readonly string[]): Promise<boolean> {
  const sure = await ask({
    title: told.remove.ask(ids.length),
    body: <p>{told.remove.lost}</p>,
    yes: told.remove.yes(ids.length),
    danger: true,
  });
  if (sure) summed(await each(ids, AT_ONCE, (id) => answer("DELETE", `api/jobs/${id}`)), told.remove);
  return sure;
}

function summed(
  results: readonly PromiseSettledResult<unknown>[],
  voice: { done(n: number): string; not(n: number, why: string): string },
): void {
  const [first, ...others] = results.filter((one) => one.status === "rejected");
  const done = results.length - others.length - (first ? 1 : 0);
  const sentences = [];
  if (done) sentences.push(voice.done(done));
  if (first) sentences.push(voice.not(others.length + 1, sentence(first.reason)));
  say(sentences.join(" "), first ? "bad" : "good");
  anew();
}
