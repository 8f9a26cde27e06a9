// What can be done with jobs, and what came of it.

import { one } from "./counting";

const jobs = (n: number) => one(n, "job");
const these = (n: number) => (n === 1 ? "this job" : `these ${n} jobs`);
const not = (done: string) => (n: number, why: string) =>
  `${n === 1 ? "One job was" : `${jobs(n)} were`} not ${done}: ${why}`;

export const acts = {
  download: "Download",
  pause: "Pause",
  resume: "Resume",
  keep: "Keep",
  letGo: "Let go",
  kept: "This job is kept when room is made. Its time still runs.",
  keepWhy: "Not to be removed when room is made; its time still runs",
  letGoWhy: "May be removed again when room is made",
  letGone: "This job may be removed again when room is made.",
  cancel: {
    verb: "Cancel",
    ask: (n: number) => `Cancel ${these(n)}?`,
    lost: (takes: number, inWork: number) =>
      takes === 0
        ? "Nothing is lost that was begun."
        : `${one(takes, "take")} ${takes === 1 ? "is" : "are"} not finished and will not be made${
            inWork ? `; ${inWork === 1 ? "one" : inWork} of them ${inWork === 1 ? "is" : "are"} being rendered now` : ""
          }.`,
    stays: (takes: number) =>
      takes === 0 ? "No take is finished yet." : `${one(takes, "finished take")} ${takes === 1 ? "stays" : "stay"}.`,
    yes: (n: number) => (n === 1 ? "Cancel the job" : `Cancel ${jobs(n)}`),
    no: "Go on rendering",
    done: (n: number) => `${n === 1 ? "The job is" : `${jobs(n)} are`} cancelled.`,
    not: not("cancelled"),
  },
  retry: {
    verb: "Try again",
    done: (n: number) => `${n === 1 ? "The job is" : `${jobs(n)} are`} tried again.`,
    not: not("tried again"),
  },
  remove: {
    verb: "Delete",
    ask: (n: number) => `Delete ${these(n)}?`,
    lost: "All takes go at once, and work on what is not finished stops. Nothing can bring them back.",
    yes: (n: number) => (n === 1 ? "Delete the job" : `Delete ${jobs(n)}`),
    done: (n: number) => `${n === 1 ? "The job is" : `${jobs(n)} are`} deleted.`,
    not: not("deleted"),
  },
};
