// Which jobs are looked at; it stands in the address, so that it can be sent to somebody and survives a reload.

import { useEffect, useRef } from "preact/hooks";
import { Icon } from "../parts/icon";
import { Link } from "../parts/link";
import { go } from "../router";
import { words } from "../words";
import { FILTERS, type Filter, filterAddress } from "./states";

const WAIT = 300;
const LONGEST = 200;
const say = words.jobs;

export function Filters({ filter }: { filter: Filter }) {
  return (
    <div class="filters">
      <nav class="chips" aria-label={say.filters}>
        {FILTERS.map((status) => (
          <Link
            key={status}
            to={filterAddress({ ...filter, status })}
            class="chip"
            aria-current={status === filter.status ? "true" : undefined}
          >
            {say.filter[status]}
          </Link>
        ))}
      </nav>
      <Search filter={filter} />
    </div>
  );
}

function Search({ filter }: { filter: Filter }) {
  const field = useRef<HTMLInputElement>(null);
  const waiting = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => {
    const input = field.current;
    if (input && input !== document.activeElement) input.value = filter.words;
  }, [filter.words]);
  useEffect(() => () => clearTimeout(waiting.current), []);
  const search = () => {
    clearTimeout(waiting.current);
    go(filterAddress({ ...filter, words: field.current?.value.trim() ?? "" }), { replace: true });
  };
  return (
    <search>
      <form
        class="search"
        onSubmit={(event) => {
          event.preventDefault();
          search();
        }}
      >
        <Icon name="search" />
        <input
          ref={field}
          type="search"
          defaultValue={filter.words}
          maxLength={LONGEST}
          placeholder={say.search}
          aria-label={say.search}
          onInput={() => {
            clearTimeout(waiting.current);
            waiting.current = setTimeout(search, WAIT);
          }}
        />
      </form>
    </search>
  );
}
