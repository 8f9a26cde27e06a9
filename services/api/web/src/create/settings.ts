// What a person asks of takes, and how that is said to the API.

import type { OfferedEffect, Offers } from "../shapes";

export interface Settings {
  /** Nothing chosen: what is usual. */
  takes: number | null;
  preset: string | null;
  profile: string | null;
  priority: string;
  name: string;
  seed: string;
  keepSource: boolean;
  callbackUrl: string;
  /** Effects that are wanted or not, whatever the preset says. */
  effects: Record<string, boolean>;
  /** As typed, by effect and parameter. */
  ranges: Record<string, Record<string, [string, string]>>;
}

/** Without mirror: it turns letters and logos around, and most videos of people who make ads have some. */
export const USUAL: Settings = {
  takes: null,
  preset: null,
  profile: null,
  priority: "normal",
  name: "",
  seed: "",
  keepSource: false,
  callbackUrl: "",
  effects: { mirror: false },
  ranges: {},
};

export function takesOf(settings: Settings, offers: Offers): number {
  return settings.takes ?? offers.variationsUsual;
}

export function presetOf(settings: Settings, offers: Offers): string {
  return settings.preset ?? offers.presetUsual;
}

function effectsOf(settings: Settings, offers: Offers): string[] {
  return offers.presets.find((preset) => preset.name === presetOf(settings, offers))?.effects ?? [];
}

export function isOn(effect: string, settings: Settings, offers: Offers): boolean {
  return settings.effects[effect] ?? effectsOf(settings, offers).includes(effect);
}

/** What a parameter is drawn from: what was typed, else as strong as the preset is. */
export function rangeOf(effect: OfferedEffect, param: string, settings: Settings, offers: Offers): [string, string] {
  const preset = offers.presets.find((one) => one.name === presetOf(settings, offers));
  const usual = effect.ranges[preset?.strength ?? "medium"]?.[param] ?? effect.bounds[param] ?? [0, 0];
  return settings.ranges[effect.name]?.[param] ?? [String(usual[0]), String(usual[1])];
}

/** The API's `options`: only what was chosen. */
export function optionsOf(settings: Settings, offers: Offers): Record<string, unknown> {
  const { profile, priority, name, seed, keepSource, callbackUrl } = settings;
  const options: Record<string, unknown> = { preset: presetOf(settings, offers) };
  const effects = effectOptions(settings, offers);
  if (Object.keys(effects).length) options.effects = effects;
  if (profile) options.profile = profile;
  if (priority !== "normal") options.priority = priority;
  if (name.trim()) options.name = name.trim();
  if (seed.trim()) options.seed = numberOf(seed);
  if (keepSource) options.keepSource = true;
  if (callbackUrl.trim()) options.callbackUrl = callbackUrl.trim();
  return options;
}

function effectOptions(settings: Settings, offers: Offers): Record<string, unknown> {
  const preset = effectsOf(settings, offers);
  const chosen = Object.entries(settings.effects);
  const include = chosen.filter(([name, on]) => on && !preset.includes(name)).map(([name]) => name);
  const exclude = chosen.filter(([name, on]) => !on && preset.includes(name)).map(([name]) => name);
  const ranges = Object.fromEntries(
    Object.entries(settings.ranges)
      .filter(([name]) => isOn(name, settings, offers))
      .map(([name, params]) => [name, Object.fromEntries(Object.entries(params).map(readRange))]),
  );
  return {
    ...(include.length && { include }),
    ...(exclude.length && { exclude }),
    ...(Object.keys(ranges).length && { ranges }),
  };
}

function readRange([param, [low, high]]: [string, [string, string]]): [string, unknown[]] {
  return [param, [numberOf(low), numberOf(high)]];
}

/** What is no number goes as it was typed, and comes back with the sentence that says so. */
function numberOf(text: string): number | string {
  return text.trim() !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
}
