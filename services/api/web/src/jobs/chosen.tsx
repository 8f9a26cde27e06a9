// What can be done with all selected jobs at once; it lies over the page, so that nothing moves when it comes.

import { Button } from "../parts/button";
import { save, zipAddress } from "../save";
import type { Summary } from "../shapes";
import { words } from "../words";
import { cancel, remove, retry } from "./acts";
import type { JobList } from "./list";
import type { Selection } from "./selection";
import { underway } from "./states";

const say = words.jobs;

interface Props {
  list: JobList;
  selection: Selection;
}

export function Chosen({ list, selection }: Props) {
  return selection.ids.value.size ? <Bar list={list} selection={selection} /> : null;
}

function Bar({ list, selection }: Props) {
  const jobs = list.jobs.value.map((job) => job.value).filter((job) => selection.has(job.id));
  const ids = (fitting: (job: Summary) => boolean) => jobs.filter(fitting).map((job) => job.id);
  const there = ids((job) => job.completedVariations > 0 && job.status !== "expired");
  const stoppable = ids((job) => underway(job.status) && job.status !== "cancelling");
  const again = ids(
    (job) =>
      (job.status === "failed" || job.status === "cancelled" || job.failedVariations > 0) && job.status !== "expired",
  );
  if (!jobs.length) return null;
  return (
    <section class="chosen card" aria-label={say.selected(jobs.length)}>
      <p class="figure">
        <strong>{say.selected(jobs.length)}</strong>
      </p>
      <Button icon="download" disabled={!there.length} onClick={() => there.forEach((id) => void save(zipAddress(id)))}>
        {words.acts.download}
      </Button>
      <Button icon="stop" disabled={!stoppable.length} onClick={() => cancel(stoppable)}>
        {words.acts.cancel.verb}
      </Button>
      <Button icon="retry" disabled={!again.length} onClick={() => retry(again)}>
        {words.acts.retry.verb}
      </Button>
      <Button
        icon="trash"
        onClick={async () => {
          if (await remove(ids(() => true))) selection.set([]);
        }}
      >
        {words.acts.remove.verb}
      </Button>
      <Button look="quiet" onClick={() => selection.set(list.jobs.peek().map((job) => job.peek().id))}>
        {say.selectAll}
      </Button>
      <Button look="quiet" icon="close" label={say.selectNone} onClick={() => selection.set([])} />
    </section>
  );
}
