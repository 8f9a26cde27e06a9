// What a file is, told by its first bytes as the service tells it (core/retake/domain/sniff.py): so that what it would
// refuse is said before a byte is sent. Whoever is in doubt here lets the service judge.

import { bytes } from "../format";
import type { Offers } from "../shapes";
import { words } from "../words";

export const ENOUGH = 1024;

const PICTURES = new Set([
  "heic",
  "heix",
  "heim",
  "heis",
  "hevc",
  "hevx",
  "mif1",
  "msf1",
  "avif",
  "avis",
  "crx ",
  "jxl ",
]);
const BRANDS: Record<string, string> = { "qt  ": "mov", "M4V ": "m4v", M4VH: "m4v", M4VP: "m4v" };
const OLD_MOV = new Set(["moov", "mdat", "wide", "free", "skip", "pnot"]);
const WEBM = /\x42\x82.{1,8}?webm/s;

/** `head` are the first bytes, ENOUGH of them if there are so many; "other" is none of those that may be taken. */
export function kindOf(head: Uint8Array): string {
  const text = String.fromCharCode(...head.subarray(0, ENOUGH));
  const name = text.slice(4, 8);
  if (name === "ftyp") {
    const size = new DataView(head.buffer, head.byteOffset).getUint32(0);
    const brand = text.slice(8, 12);
    return size < 8 || size > ENOUGH || PICTURES.has(brand) ? "other" : (BRANDS[brand] ?? "mp4");
  }
  if (OLD_MOV.has(name) && !/^[ -~]{4}/.test(text)) return "mov";
  if (text.startsWith("\x1a\x45\xdf\xa3")) return WEBM.test(text) ? "webm" : "mkv";
  if (text.startsWith("RIFF") && text.slice(8, 12) === "AVI ") return "avi";
  return "other";
}

/** Why the service would not take it, or nothing. */
export async function complaintOf(file: File, offers: Offers): Promise<string> {
  const say = words.uploads.wrong;
  if (file.size === 0) return say.empty;
  const kind = kindOf(new Uint8Array(await file.slice(0, ENOUGH).arrayBuffer()));
  if (!offers.types.includes(kind)) return say.type(kind, words.uploads.types(offers.types));
  return file.size > offers.fileBytes ? say.large(bytes(file.size), bytes(offers.fileBytes)) : "";
}
