// What is asked of takes: how many, and how they differ.

import type { Signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import { Icon } from "../parts/icon";
import type { Offers } from "../shapes";
import { words } from "../words";
import { Advanced } from "./advanced";
import { isOn, presetOf, type Settings, takesOf } from "./settings";

export interface Asking {
  settings: Signal<Settings>;
  offers: Offers;
  /** Sentences about fields, by where the API says they are. */
  fields: Record<string, string>;
  disabled: boolean;
}

export function change(settings: Signal<Settings>, what: Partial<Settings>): void {
  settings.value = { ...settings.value, ...what };
}

export function Ask(asking: Asking) {
  return (
    <fieldset class="card ask" disabled={asking.disabled}>
      <Takes {...asking} />
      <Presets {...asking} />
      <Mirror {...asking} />
      <Advanced {...asking} />
    </fieldset>
  );
}

function Takes({ settings, offers }: Asking) {
  const say = words.create;
  const { variationsLeast: least, variationsMost: most } = offers;
  const takes = takesOf(settings.value, offers);
  const set = (wanted: number) => {
    if (Number.isFinite(wanted)) change(settings, { takes: Math.min(most, Math.max(least, Math.trunc(wanted))) });
  };
  return (
    <div class="how-many">
      <label for="takes">{say.takes}</label>
      <div class="stepper">
        <Step icon="minus" name={say.fewer} disabled={takes <= least} act={() => set(takes - 1)} />
        <input
          id="takes"
          type="number"
          inputMode="numeric"
          min={least}
          max={most}
          value={takes}
          onInput={(event) => {
            if (event.currentTarget.checkValidity()) set(event.currentTarget.valueAsNumber);
          }}
          onChange={(event) => {
            set(event.currentTarget.valueAsNumber);
            event.currentTarget.value = String(takesOf(settings.value, offers));
          }}
        />
        <Step icon="plus" name={say.more} disabled={takes >= most} act={() => set(takes + 1)} />
      </div>
      <input
        type="range"
        aria-label={say.takes}
        min={least}
        max={most}
        value={takes}
        onInput={(event) => set(event.currentTarget.valueAsNumber)}
      />
    </div>
  );
}

function Step(props: { icon: "plus" | "minus"; name: string; disabled: boolean; act(): void }) {
  return (
    <button
      type="button"
      class="button plain bare"
      aria-label={props.name}
      disabled={props.disabled}
      onClick={props.act}
    >
      <Icon name={props.icon} />
    </button>
  );
}

function Presets({ settings, offers, fields }: Asking) {
  const chosen = presetOf(settings.value, offers);
  return (
    <div class="presets" role="radiogroup" aria-labelledby="preset">
      <h2 id="preset">{words.create.preset}</h2>
      <Complaint of="options.preset" fields={fields} />
      <div class="choices">
        {offers.presets.map(({ name }) => {
          const told = words.create.presets(name);
          return (
            <label key={name} class="choice">
              <input
                type="radio"
                name="preset"
                value={name}
                checked={name === chosen}
                aria-labelledby={`preset-${name}`}
                aria-describedby={`preset-${name}-hint`}
                onChange={() => change(settings, { preset: name })}
              />
              <span>
                <strong id={`preset-${name}`}>{told.name}</strong>
                <span id={`preset-${name}-hint`} class="muted small">
                  {told.text}
                </span>
              </span>
            </label>
          );
        })}
      </div>
    </div>
  );
}

function Mirror({ settings, offers }: Asking) {
  return (
    <Switch
      text={words.create.mirror}
      hint={words.create.mirrorText}
      on={isOn("mirror", settings.value, offers)}
      set={(on) => change(settings, { effects: { ...settings.value.effects, mirror: on } })}
    />
  );
}

interface SwitchProps {
  text: string;
  hint: ComponentChildren;
  on: boolean;
  set(on: boolean): void;
}

export function Switch({ text, hint, on, set }: SwitchProps) {
  const id = useId();
  return (
    <label class="switch">
      <input
        type="checkbox"
        aria-labelledby={id}
        aria-describedby={`${id}-hint`}
        checked={on}
        onChange={(event) => set(event.currentTarget.checked)}
      />
      <span>
        <strong id={id}>{text}</strong>
        <span id={`${id}-hint`} class="muted small">
          {hint}
        </span>
      </span>
    </label>
  );
}

/** What the service said of a field, or of something in it. */
export function Complaint({ of, fields }: { of: string; fields: Record<string, string> }) {
  const said = saidOf(of, fields);
  return said ? (
    <p class="complaint" role="alert">
      {said}
    </p>
  ) : null;
}

export function saidOf(of: string, fields: Record<string, string>): string {
  const at = Object.keys(fields).find((where) => where === of || where.startsWith(`${of}[`));
  return (at && fields[at]) ?? "";
}
