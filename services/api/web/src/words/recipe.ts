// Recipes and differences as people say them. Figures are those of the recipe, rounded; nothing is left out but the
// seed of the grain.

type Params = Record<string, number>;

const share = (x: number) => `${Number((Math.abs(x) * 100).toPrecision(2))}\u00a0%`;
const amount = (x: number, digits = 1) => Number(Math.abs(x).toFixed(digits)).toLocaleString("en");
/** Which way, how far; nothing where there is nothing to say. */
const either = (x: number | undefined, above: string, below: string, far: string) =>
  x === undefined || Math.abs(x) < 1e-9 ? [] : [`${far} ${x > 0 ? above : below}`];

const PHRASES: Record<string, (params: Params) => string[]> = {
  zoom: ({ factor = 1 }) => (factor === 1 ? [] : [`zoomed in ${share(factor - 1)}`]),
  rotate: ({ degrees = 0 }) => either(degrees, "clockwise", "anticlockwise", `turned ${amount(degrees, 2)}°`),
  mirror: () => ["mirrored"],
  colour: ({ brightness = 0, contrast = 1, saturation = 1, hue = 0 }) => [
    ...either(brightness, "brighter", "darker", share(brightness)),
    ...either(contrast - 1, "more contrast", "less contrast", share(contrast - 1)),
    ...either(saturation - 1, "more colourful", "less colourful", share(saturation - 1)),
    ...(hue ? [`hue turned ${hue > 0 ? "" : "−"}${amount(hue)}°`] : []),
  ],
  sharpness: ({ amount: x = 0 }) => (x ? [`${x > 0 ? "sharper" : "softer"} by ${amount(x, 2)}`] : []),
  vignette: ({ angle = 0 }) => (angle ? [`darker corners (${amount(angle, 2)})`] : []),
  noise: ({ strength = 0 }) => (strength ? [`grain\u00a0${strength}`] : []),
  border: ({ width = 0 }) => (width ? [`a border of ${share(width)}`] : []),
  trim: ({ head = 0, tail = 0 }) => [
    ...(head ? [`starts ${amount(head, 2)}\u00a0s later`] : []),
    ...(tail ? [`ends ${amount(tail, 2)}\u00a0s earlier`] : []),
  ],
  speed: ({ factor = 1 }) => either(factor - 1, "faster", "slower", share(factor - 1)),
  audio: ({ gain = 0, tilt = 0 }) => [
    ...either(gain, "louder", "quieter", `${amount(gain)}\u00a0dB`),
    ...either(tilt, "brighter in sound", "darker in sound", `${amount(tilt)}\u00a0dB`),
  ],
};

interface Effect {
  name: string;
  params: Params;
}

/** "Zoomed in 7 %, 3 % brighter, 2 % faster, mirrored." An effect that is not known here is named. */
export function recipeInWords(effects: readonly Effect[]): string {
  const said = effects.flatMap(({ name, params }) => PHRASES[name]?.(params) ?? [name]).join(", ");
  return said ? `${said.charAt(0).toUpperCase()}${said.slice(1)}` : "Nothing changed";
}

/** One take from another, as the worker measured it. */
export interface Apart {
  structure: number;
  look: { ssim: number; dyuv: number };
  time: number;
  mirrored: boolean;
  near: boolean;
}

const alike = (apart: Apart) => `${Math.round(Math.max(0, apart.look.ssim) * 100)}\u00a0%`;
const likeness = (apart: Apart, other: string) =>
  apart.near ? `Nearly the same as ${other} (${alike(apart)})` : `${alike(apart)} like ${other}`;

export const difference = {
  source: (apart: Apart) => likeness(apart, "the source"),
  nearest: (index: number, apart: Apart) => likeness(apart, `take ${index}, the nearest`),
  title: "How different it is",
  from: { source: "From the source", nearest: (index: number) => `From take ${index}, the one most like it` },
  alike: "Alike in detail",
  alikeText: (ssim: number) => `${(Math.max(0, ssim) * 100).toFixed(1)} %`,
  alikeWhy: "Structural similarity (SSIM) of small frames: 100 % is the same picture",
  colours: "Brightness and colour",
  coloursText: (dyuv: number) => `${dyuv.toFixed(1)} of 255 apart`,
  structure: "Outline",
  structureText: (bits: number) => `${Math.round(bits)} of 256 bits apart`,
  time: "Duration",
  timeText: (time: number) => `${(time * 100).toFixed(1)} %`,
  mirrored: "Compared with its mirror image, which is more alike",
};
