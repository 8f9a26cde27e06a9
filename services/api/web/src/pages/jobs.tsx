// All jobs: what is under way, what is there, what became of the rest.

import { effect, useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { Card } from "../jobs/card";
import { Chosen } from "../jobs/chosen";
import { Filters } from "../jobs/filters";
import { JobList } from "../jobs/list";
import { Selection } from "../jobs/selection";
import { type Filter, filterAddress, readFilter, underway } from "../jobs/states";
import { listen } from "../live";
import { Button } from "../parts/button";
import { DropAnywhere } from "../parts/drop";
import { Icon } from "../parts/icon";
import { Link } from "../parts/link";
import { Failed, Message } from "../parts/message";
import { go, query } from "../router";
import { underWay } from "../title";
import { takeFiles } from "../uploads";
import { words } from "../words";

const say = words.jobs;

function begin(given: DataTransfer): void {
  void takeFiles(given);
  go("new");
}

export function JobsPage() {
  const filter = readFilter(query.value);
  return (
    <div class="jobs">
      <h1>{say.title}</h1>
      <Filters filter={filter} />
      <Listed key={filterAddress(filter)} filter={filter} />
      <DropAnywhere text={say.drop} take={begin} />
    </div>
  );
}

/** Born anew when one looks for something else. */
function Listed({ filter }: { filter: Filter }) {
  const list = useMemo(() => new JobList(filter), []);
  const selection = useMemo(() => new Selection(), []);
  useEffect(() => {
    void list.load();
    const deaf = listen(list);
    return () => {
      deaf();
      list.stop();
    };
  }, []);
  useTitle(list);
  if (list.trouble.value && !list.begun.value) return <Failed error={list.trouble.value} again={() => list.load()} />;
  if (!list.begun.value) return <Waiting />;
  const jobs = list.jobs.value;
  return (
    <>
      <p class="visually-hidden" role="status">
        {say.found(jobs.length, list.next.value !== null)}
      </p>
      {jobs.length ? (
        <ul class="list" aria-label={say.list}>
          {jobs.map((job) => (
            <Card key={job.peek().id} job={job} selection={selection} />
          ))}
        </ul>
      ) : (
        <Nothing filter={filter} />
      )}
      {list.next.value && <More list={list} />}
      <Chosen list={list} selection={selection} />
    </>
  );
}

/** The tab says how far all that is under way is, takes counted alike. */
function useTitle(list: JobList): void {
  useEffect(() => {
    const end = effect(() => {
      const running = list.jobs.value.map((job) => job.value).filter((job) => underway(job.status));
      const takes = running.reduce((sum, job) => sum + job.totalVariations, 0);
      const done = running.reduce((sum, job) => sum + job.progress * job.totalVariations, 0);
      underWay.value = takes ? done / takes : null;
    });
    return () => {
      end();
      underWay.value = null;
    };
  }, []);
}

function Waiting() {
  return (
    <div class="list" aria-busy="true">
      {[1, 2, 3, 4].map((one) => (
        <div key={one} class="card job ghost" />
      ))}
    </div>
  );
}

function Nothing({ filter }: { filter: Filter }) {
  if (filter.status !== "all" || filter.words) {
    return (
      <Message icon="search" title={say.none.title}>
        <Link class="button" to="">
          {say.none.all}
        </Link>
      </Message>
    );
  }
  return (
    <div class="inviting">
      <Icon name="upload" />
      <h2>{say.empty.title}</h2>
      <p class="muted">{say.empty.text}</p>
      <Link class="button main" to="new">
        {say.empty.choose}
      </Link>
    </div>
  );
}

/** Comes by itself before one has scrolled to it, and can be pressed where that does not work. */
function More({ list }: { list: JobList }) {
  const place = useRef<HTMLDivElement>(null);
  const failed = useSignal(false);
  useEffect(() => {
    const watch = new IntersectionObserver(
      ([seen]) => {
        if (!seen?.isIntersecting || failed.peek()) return;
        list.more().catch(() => {
          failed.value = true;
        });
      },
      { rootMargin: "1200px" },
    );
    if (place.current) watch.observe(place.current);
    return () => watch.disconnect();
  }, [list.next.value]);
  return (
    <div ref={place} class="more">
      <Button onClick={() => list.more()}>{say.more}</Button>
    </div>
  );
}
