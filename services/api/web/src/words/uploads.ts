// What is said of files and uploads.

const KINDS: Record<string, string> = {
  mp4: "MP4",
  mov: "MOV",
  m4v: "M4V",
  mkv: "Matroska (MKV)",
  webm: "WebM",
  avi: "AVI",
};

/** "MP4 and MOV", "MP4, MOV and WebM"; what most people know stands first. */
function listed(types: readonly string[]): string {
  const names = Object.keys(KINDS)
    .filter((kind) => types.includes(kind))
    .map((kind) => KINDS[kind]);
  const last = names.pop() ?? "";
  return names.length ? `${names.join(", ")} and ${last}` : last;
}

export const uploads = {
  types: listed,
  wrong: {
    empty: "is empty",
    type: (kind: string, taken: string) =>
      kind === "other" ? `is not a video of a kind that is taken (${taken})` : `is ${KINDS[kind]}; ${taken} are taken`,
    large: (size: string, most: string) => `has ${size}, and a video may have ${most}`,
    twice: "is in the list already",
    many: (most: number) => `is one too many: a job takes ${most} videos`,
    unreadable: "cannot be read; it may have been moved or deleted",
    more: "There is more in there than is looked through at once; please give fewer files.",
  },
  noNetwork: "The connection was lost. It goes on by itself when it is back.",
  loggedOut: "Log in again, and it goes on.",
  looking: "Looking how far it is…",
  anew: "What had been uploaded is not kept any more; it begins anew.",
  fileGone: "The file was changed, moved or deleted. Choose it again.",
  leave: {
    title: "Log out and give up the new job?",
    body: "Its videos are not part of a job yet. They are removed from this device's browser and from the service.",
    yes: "Log out",
  },
  pill: (share: string) => `Uploading ${share}`,
  pillDone: "Videos are uploaded",
  pillWaits: (share: string) => `Upload waits at ${share}`,
} as const;
