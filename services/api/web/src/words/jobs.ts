// What is said where jobs are listed.

import { one } from "./counting";

export const jobs = {
  title: "Jobs",
  list: "Jobs, newest first",
  filters: "Which jobs to show",
  filter: {
    all: "All",
    active: "Under way",
    completed: "Completed",
    failed: "Failed",
    cancelled: "Cancelled",
    expired: "Expired",
  },
  search: "Search names",
  found: (n: number, more: boolean) => (more ? `The newest ${one(n, "job")}` : one(n, "job")),
  named: (first: string, n: number) => (n > 1 ? `${first} and ${n - 1} more` : first),
  more: "Show more",
  choose: (name: string) => `Select ${name}`,
  selected: (n: number) => `${n.toLocaleString("en")} selected`,
  selectAll: "Select all",
  selectNone: "Select none",
  download: "Download all takes as one ZIP",
  downloadOf: (name: string) => `Download the takes of ${name}`,
  drop: "Drop your videos to make takes of them",
  none: { title: "No job is like that", all: "Show all jobs" },
  empty: {
    title: "Drop your videos here",
    text: "Each becomes many takes. Once they are uploaded you may close the tab; everything will be here.",
    choose: "Choose videos",
  },
};

/** Of what is kept, and no more. */
export const expiry = {
  expires: "Expires",
  expired: "Expired",
  short: (why: string | null) => (why === "space" ? "Removed to make room" : "Its time was over"),
  because: (why: string | null) =>
    why === "space"
      ? "Its takes were removed to make room for newer jobs. Next time, keep a job that you still need."
      : "Its takes were removed because their time was over. Next time, download them before that.",
};
