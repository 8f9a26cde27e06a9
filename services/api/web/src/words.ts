// Every text that people read, in one place. What the API says in its `error` is shown as it is.

import { acts } from "./words/acts";
import { one } from "./words/counting";
import { create } from "./words/create";
import { job, notify } from "./words/job";
import { expiry, jobs } from "./words/jobs";
import { system } from "./words/system";
import { uploads } from "./words/uploads";

export const words = {
  name: "retake",
  tagline: "Every video, many takes.",
  skip: "Skip to content",
  nav: {
    label: "Pages",
    jobs: "Jobs",
    create: "New job",
    system: "System",
    docs: "API",
    logOut: "Log out",
    scheme: { system: "Colours: as the device", light: "Colours: light", dark: "Colours: dark" },
  },
  titles: { jobs: "Jobs", create: "New job", job: "Job", system: "System", login: "Log in" },
  login: {
    title: "Log in",
    password: "Password",
    submit: "Log in",
    working: "Checking…",
    hint: "The shared password of this installation. On a laptop, `make run` prints it.",
    expired: "You were logged out. Log in again, and you are back where you were.",
    show: "Show password",
    hide: "Hide password",
  },
  offline: {
    network: "You are offline. What is shown may be old; everything goes on as soon as the network is back.",
    server: "The service does not answer. Trying again…",
    polling: "Live updates are blocked here; this page asks every few seconds instead.",
  },
  jobs,
  job,
  acts,
  expiry,
  notify,
  byHand: "Copy this by hand",
  create,
  system,
  uploads,
  again: "Try again",
  loading: "Loading…",
  close: "Close",
  cancel: "Cancel",
  failed: "That did not work.",
  unreachable: "The service cannot be reached. Check the network, then try again.",
  states: {
    queued: "Waiting",
    processing: "Rendering",
    paused: "Paused",
    cancelling: "Cancelling",
    completed: "Completed",
    failed: "Failed",
    cancelled: "Cancelled",
    expired: "Expired",
  },
  count: {
    videos: (n: number) => one(n, "video"),
    takes: (n: number) => one(n, "take"),
    jobs: (n: number) => one(n, "job"),
    files: (n: number) => one(n, "file"),
    done: (done: number, all: number) => `${done.toLocaleString("en")} of ${one(all, "take")}`,
    failed: (n: number) => `${n.toLocaleString("en")} failed`,
    workers: (n: number) => one(n, "worker"),
  },
} as const;
