// Figures as people read them.

const UNITS = ["bytes", "kB", "MB", "GB", "TB"];

export function bytes(n: number): string {
  let unit = 0;
  while (n >= 999.5 && unit < UNITS.length - 1) {
    n /= 1000;
    unit += 1;
  }
  return `${n.toLocaleString("en", { maximumFractionDigits: unit > 1 && n < 10 ? 1 : 0 })} ${UNITS[unit]}`;
}

/** Downwards: 100 % means done. */
export function percent(share: number): string {
  return `${Math.floor(share * 100 + 1e-9)} %`;
}

/** Of a video: 0:07, 12:31, 1:02:03. */
export function clockTime(seconds: number): string {
  const whole = Math.round(seconds);
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const [hours = 0, minutes = 0, rest = 0] = parts;
  const tail = `${String(minutes).padStart(hours ? 2 : 1, "0")}:${String(rest).padStart(2, "0")}`;
  return hours ? `${hours}:${tail}` : tail;
}

/** As long as something takes, as exact as it is worth: "5 s", "3 min", "2 h 10 min", "3 days". */
export function span(seconds: number): string {
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  if (minutes < 48 * 60) {
    const rest = minutes % 60;
    return rest && minutes < 600 ? `${Math.floor(minutes / 60)} h ${rest} min` : `${Math.round(minutes / 60)} h`;
  }
  return `${Math.round(minutes / 1440)} days`;
}

/** Seen from now: "just now", "3 min ago", "in 2 h". */
export function relative(moment: number, now: number): string {
  const seconds = (moment - now) / 1000;
  if (Math.abs(seconds) < 10) return "just now";
  return seconds < 0 ? `${span(-seconds)} ago` : `in ${span(seconds)}`;
}

export function exact(moment: number): string {
  return new Date(moment).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
}
