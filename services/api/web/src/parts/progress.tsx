import { percent } from "../format";

interface Props {
  share: number;
  /** What is under way. */
  label: string;
  tone?: "accent" | "good" | "bad" | "still";
}

/** It moves by transform only, so that nothing else on the page has to. */
export function Progress({ share, label, tone = "accent" }: Props) {
  const whole = Math.floor(share * 100 + 1e-9);
  return (
    <div
      class={`progress ${tone}`}
      role="progressbar"
      aria-label={label}
      aria-valuenow={whole}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuetext={percent(share)}
    >
      <div style={{ transform: `scaleX(${share})` }} />
    </div>
  );
}
