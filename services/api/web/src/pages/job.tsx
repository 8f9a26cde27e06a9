// One job, while it happens and afterwards.

import { useEffect, useMemo } from "preact/hooks";
import { Header } from "../job/header";
import { Deliveries, History } from "../job/history";
import { LiveJob } from "../job/model";
import { Picks } from "../job/picks";
import { Videos } from "../job/videos";
import { jobName, underway } from "../jobs/states";
import { listen } from "../live";
import { Button } from "../parts/button";
import { Icon } from "../parts/icon";
import { Link } from "../parts/link";
import { Failed, Message } from "../parts/message";
import { save } from "../save";
import { title, underWay } from "../title";
import { words } from "../words";

const say = words.job;

export function JobPage({ id }: { id: string }) {
  const live = useMemo(() => new LiveJob(id), []);
  const picks = useMemo(() => new Picks(), []);
  useEffect(() => {
    void live.load();
    const deaf = listen(live);
    return () => {
      deaf();
      live.stop();
    };
  }, []);
  useTitle(live);
  if (live.gone.value) return <Gone />;
  if (live.trouble.value) return <Failed error={live.trouble.value} again={() => live.load()} />;
  const job = live.job.value;
  if (!job) return <div class="card about ghost" aria-busy="true" />;
  return (
    <div class="one-job">
      <Link class="back" to="">
        <Icon name="back" />
        {words.nav.jobs}
      </Link>
      <Header job={job} />
      <Videos live={live} picks={picks} />
      <History live={live} />
      <Deliveries live={live} />
      <Picked live={live} picks={picks} />
    </div>
  );
}

function useTitle(live: LiveJob): void {
  const job = live.job.value;
  const name = job ? jobName(job) : words.titles.job;
  const share = job && underway(job.status) ? job.progress : null;
  useEffect(() => {
    title.value = name;
  }, [name]);
  useEffect(() => {
    underWay.value = share;
  }, [share]);
  useEffect(
    () => () => {
      underWay.value = null;
    },
    [],
  );
}

function Gone() {
  return (
    <Message icon="search" title={say.gone.title}>
      <p class="muted">{say.gone.text}</p>
      <Link class="button main" to="">
        {say.gone.back}
      </Link>
    </Message>
  );
}

function Picked({ live, picks }: { live: LiveJob; picks: Picks }) {
  const zips = picks.zips(live.id);
  if (!zips.length) return null;
  return (
    <section class="chosen card" aria-label={say.selected(picks.count)}>
      <p class="figure">
        <strong>{say.selected(picks.count)}</strong>
      </p>
      <Button look="main" icon="download" onClick={() => zips.forEach(save)}>
        {say.downloadSelected(zips.length)}
      </Button>
      <Button look="quiet" icon="close" label={say.selectNone} onClick={() => picks.clear()} />
    </section>
  );
}
