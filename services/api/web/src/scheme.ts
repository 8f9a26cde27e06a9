// Light, dark, or as the device has it; remembered on this device.

import { effect, signal } from "@preact/signals";

export const SCHEMES = ["system", "light", "dark"] as const;
export type Scheme = (typeof SCHEMES)[number];

const KEPT = "retake.scheme";
const kept = localStorage.getItem(KEPT);

export const scheme = signal<Scheme>(SCHEMES.find((one) => one === kept) ?? "system");

effect(() => {
  document.documentElement.style.colorScheme = scheme.value === "system" ? "light dark" : scheme.value;
  localStorage.setItem(KEPT, scheme.value);
});
