import { now } from "../clock";
import { exact, relative } from "../format";

/** A time as it is seen from now; exactly, when pointed at. */
export function Moment({ at }: { at: string }) {
  const moment = Date.parse(at);
  return (
    <time dateTime={at} title={exact(moment)}>
      {relative(moment, now.value)}
    </time>
  );
}
