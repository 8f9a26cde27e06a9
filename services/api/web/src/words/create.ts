// What is said where a job is put together.

interface Told {
  name: string;
  text: string;
}

interface ToldEffect extends Told {
  params: Record<string, string>;
}

const presets: Record<string, Told> = {
  classic: {
    name: "Classic",
    text: "A closer crop, colour, fine grain and pace, each a little different. A good start.",
  },
  subtle: { name: "Subtle", text: "All effects, but so little of each that takes look untouched." },
  medium: { name: "Varied", text: "All effects: also small turns, sharpness, dark corners, trimmed ends and sound." },
  strong: { name: "Strong", text: "All effects, plainly visible. Takes differ most." },
  "colour-only": { name: "Colour only", text: "Brightness, contrast and colours. Framing, pace and sound stay." },
  "geometry-only": { name: "Framing only", text: "Closer crops and small turns. Colours, pace and sound stay." },
};

const effects: Record<string, ToldEffect> = {
  zoom: {
    name: "Zoom",
    text: "A closer crop, anywhere in the picture.",
    params: {
      factor: "How close (1 is the whole picture)",
      x: "From left (0) to right (1)",
      y: "From top (0) to bottom (1)",
    },
  },
  rotate: { name: "Rotate", text: "Turns the picture a little.", params: { degrees: "Degrees, clockwise" } },
  mirror: { name: "Mirror", text: "Swaps left and right in every other take.", params: {} },
  colour: {
    name: "Colour",
    text: "Light and colours.",
    params: {
      brightness: "Brightness (0 is as it was)",
      contrast: "Contrast (1 is as it was)",
      saturation: "Saturation (1 is as it was)",
      hue: "Hue, in degrees",
    },
  },
  sharpness: { name: "Sharpness", text: "Sharper, or softer.", params: { amount: "Softer (−1) to sharper (1)" } },
  vignette: { name: "Vignette", text: "Darker corners.", params: { angle: "How dark" } },
  noise: {
    name: "Grain",
    text: "Fine moving grain.",
    params: { strength: "How strong" },
  },
  border: {
    name: "Border",
    text: "An edge of one colour over the outermost picture.",
    params: { width: "Width, of the shorter side", red: "Red", green: "Green", blue: "Blue" },
  },
  trim: {
    name: "Trim",
    text: "Cuts a moment off both ends.",
    params: { head: "Seconds off the start", tail: "Seconds off the end" },
  },
  speed: {
    name: "Speed",
    text: "Faster or slower; voices keep their pitch.",
    params: { factor: "How fast (1 is as it was)" },
  },
  audio: {
    name: "Sound",
    text: "Louder or softer, darker or brighter.",
    params: { gain: "Loudness, in decibels", tilt: "Dark to bright, in decibels" },
  },
};

const profiles: Record<string, Told> = {
  fast: { name: "Fast", text: "Ready soonest." },
  balanced: { name: "Balanced", text: "Takes longer; looks better at the same size." },
  best: { name: "Best", text: "Takes longest; looks best." },
};

export const create = {
  presets: (name: string): Told => presets[name] ?? { name, text: "" },
  effects: (name: string): ToldEffect => effects[name] ?? { name, text: "", params: {} },
  profiles: (name: string): Told => profiles[name] ?? { name, text: "" },
  priorities: { low: "Low: after others", normal: "Normal", high: "High: before others" } as Record<string, string>,
  videos: "Videos",
  drop: "Drop videos or folders anywhere on this page",
  dropHere: "Drop to add them",
  limits: (types: string, size: string, most: number) => `${types}, each up to ${size}, at most ${most} in a job.`,
  paste: "Pasting works, too.",
  chooseFiles: "Choose videos",
  chooseFolder: "Choose a folder",
  looking: "Looking at the files…",
  leftOut: (n: number) => (n === 1 ? "One file was left out:" : `${n.toLocaleString("en")} files were left out:`),
  leftOutMore: (n: number) => `and ${n.toLocaleString("en")} more`,
  dismiss: "Dismiss",
  row: {
    queued: "Waits for its turn",
    queuedAt: (share: string) => `Waits for its turn, at ${share}`,
    going: (sent: string, all: string) => `${sent} of ${all}`,
    ending: "Nearly there…",
    paused: (share: string) => `Paused at ${share}`,
    done: "Uploaded",
    missing: "The page was closed, and this device kept no copy. Choose the video again.",
    missingAt: (share: string) => `Choose this video again, and it goes on at ${share}.`,
    speed: (speed: string) => `${speed}/s`,
    left: (time: string) => `${time} left`,
    progress: (name: string) => `Upload of ${name}`,
    pause: (name: string) => `Pause ${name}`,
    resume: (name: string) => `Resume ${name}`,
    again: (name: string) => `Try ${name} again`,
    remove: (name: string) => `Remove ${name}`,
    choose: "Choose again",
  },
  all: {
    label: "All uploads",
    done: "All uploaded",
    some: (n: number, all: number) => `${n} of ${all} uploaded`,
    pause: "Pause all",
    resume: "Resume all",
    again: "Try all again",
    remove: "Remove all",
    removeSure: "Remove all videos from this job?",
    removeBody: "What was uploaded so far is given up. Your files stay where they are.",
  },
  takes: "Takes of each video",
  fewer: "One take fewer",
  more: "One take more",
  preset: "How they differ",
  mirror: "Mirror every other take",
  mirrorText: "Letters, logos and signs read backwards in them. Leave it off when your videos show any.",
  advanced: "More settings",
  name: "Name of the job",
  nameHint: "To find it again. Without one, its files name it.",
  profile: "Rendering",
  priority: "Priority",
  seed: "Seed",
  seedHint: "A whole number. The same videos, settings and seed give the same takes again. Empty: by chance.",
  keepSource: "Keep the videos for more takes",
  keepSourceText: "More takes of them can be made without uploading again, until the job expires.",
  callback: "Tell this address what happens (webhook)",
  callbackHint: "https://… gets a signed message whenever the job or one of its videos changes.",
  effectsTitle: "Effects",
  effectsHint: "The preset chooses these. Switch them one by one, and say how far each may go.",
  least: "least",
  most: "most",
  bounds: (low: number, high: number) => `from ${low} to ${high}`,
  summary: "This job",
  sum: (videos: string, each: number, takes: string) => `${videos} × ${each} = ${takes}`,
  none: "No videos yet",
  upload: "To upload",
  room: "Takes need",
  atMost: (size: string) => `at most ${size}`,
  atMostHint: "An upper bound: it is kept free for the takes until they are made.",
  time: "Time to render",
  about: (time: string) => `about ${time}`,
  atLeast: (time: string) => `at least about ${time}`,
  unknown: "not known yet",
  noWorker: "No worker runs now. The job waits until one does.",
  others: (n: string) => `${n} waiting or running share the workers.`,
  kept: "Takes stay",
  keptFor: (time: string) => `${time} after the end`,
  tight: (free: string) => `Storage has ${free} free. To make room, the oldest finished jobs may go.`,
  submit: (takes: string) => `Make ${takes}`,
  first: "Add a video first.",
  early: "You can press this now. The job starts when the uploads are done.",
  waits: "The job starts when the uploads are done: keep this tab open.",
  stuck: (videos: string) => `${videos} cannot go on without you: see the list.`,
  sending: "Submitting…",
  takeBack: "Not yet",
  see: "See that job",
  seeStorage: "See what is stored",
  accepted: (takes: number) =>
    `${takes === 1 ? "One take is" : `${takes.toLocaleString("en")} takes are`} on the way. It is safe to close this tab.`,
  from: {
    title: "More takes",
    text: "Of videos that are here already: nothing is uploaded again.",
    gone: "is not kept any more; upload it again for more takes",
    none: "None of these videos is kept any more. Upload them again for more takes.",
    other: "This is for videos that are here already. For others, start a new job.",
    fresh: "New job",
  },
} as const;
