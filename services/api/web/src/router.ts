// Where we are: real addresses below the prefix, so that links, reload and the back button work.

import { computed, signal } from "@preact/signals";

export type Place = { page: "jobs" } | { page: "create" } | { page: "job"; id: string } | { page: "system" };

const here = signal(location.href);

export const place = computed<Place>(() => placeOf(new URL(here.value).pathname));
export const query = computed(() => new URL(here.value).searchParams);

/** `to` is below the prefix and has no slash at its start: "", "new", "jobs/{id}", "?status=failed". */
export function href(to: string): string {
  return new URL(to || ".", document.baseURI).href;
}

export function go(to: string, how: { replace?: boolean } = {}): void {
  const before = place.peek();
  history[how.replace ? "replaceState" : "pushState"](null, "", href(to));
  here.value = location.href;
  if (placeOf(location.pathname).page !== before.page) arrive();
}

addEventListener("popstate", () => {
  here.value = location.href;
});

function placeOf(pathname: string): Place {
  const below = pathname.slice(new URL(document.baseURI).pathname.length);
  const [first = "", second, third] = below.split("/");
  if (first === "new" && second === undefined) return { page: "create" };
  if (first === "system" && second === undefined) return { page: "system" };
  if (first === "jobs" && second && third === undefined) return { page: "job", id: decodeURIComponent(second) };
  return { page: "jobs" };
}

/** A new page begins at its top, and whoever uses a keyboard or a screen reader begins there, too; unless they went on. */
function arrive(): void {
  const focused = document.activeElement;
  requestAnimationFrame(() => {
    scrollTo(0, 0);
    if (document.activeElement === focused || document.activeElement === document.body)
      document.querySelector<HTMLElement>("main")?.focus({ preventScroll: true });
  });
}
