// What few need: a name, how it is rendered, and each effect by itself.

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { OfferedEffect } from "../shapes";
import { words } from "../words";
import { type Asking, Complaint, change, Switch, saidOf } from "./ask";
import { isOn, rangeOf } from "./settings";

const HERE = /^options\.(?!preset)/;

export function Advanced(asking: Asking) {
  const say = words.create;
  const panel = useRef<HTMLDetailsElement>(null);
  const complained = Object.keys(asking.fields).some((where) => HERE.test(where));
  useEffect(() => {
    if (!complained || !panel.current) return;
    panel.current.open = true;
    panel.current.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
  }, [complained]);
  return (
    <details ref={panel} class="advanced">
      <summary>{say.advanced}</summary>
      <div class="fields">
        <Text {...asking} of="name" label={say.name} hint={say.nameHint} longest={200} />
        <Text {...asking} of="seed" label={say.seed} hint={say.seedHint} numeric />
        <Pick {...asking} of="profile" label={say.profile} />
        <Pick {...asking} of="priority" label={say.priority} />
        {asking.offers.webhooks && <Text {...asking} of="callbackUrl" label={say.callback} hint={say.callbackHint} />}
      </div>
      <Switch
        text={say.keepSource}
        hint={say.keepSourceText}
        on={asking.settings.value.keepSource}
        set={(keepSource) => change(asking.settings, { keepSource })}
      />
      <Effects {...asking} />
    </details>
  );
}

type TextProps = Asking & {
  of: "name" | "seed" | "callbackUrl";
  label: string;
  hint: string;
  longest?: number;
  numeric?: boolean;
};

function Text({ settings, fields, of, label, hint, longest = 2000, numeric }: TextProps) {
  return (
    <Field of={of} label={label} hint={hint} fields={fields}>
      <input
        id={of}
        type="text"
        autocomplete="off"
        maxLength={longest}
        inputMode={numeric ? "numeric" : "text"}
        aria-describedby={`${of}-hint`}
        aria-invalid={saidOf(`options.${of}`, fields) !== ""}
        value={settings.value[of]}
        onInput={(event) => change(settings, { [of]: event.currentTarget.value })}
      />
    </Field>
  );
}

function Pick({ settings, offers, fields, of, label }: Asking & { of: "profile" | "priority"; label: string }) {
  const say = words.create;
  const options =
    of === "profile"
      ? offers.profiles.map((name) => [name, `${say.profiles(name).name}: ${say.profiles(name).text}`])
      : offers.priorities.map((name) => [name, say.priorities[name] ?? name]);
  return (
    <Field of={of} label={label} fields={fields}>
      <select
        id={of}
        value={settings.value[of] ?? offers.profiles[0] ?? ""}
        onChange={(event) => change(settings, { [of]: event.currentTarget.value })}
      >
        {options.map(([name, text]) => (
          <option key={name} value={name}>
            {text}
          </option>
        ))}
      </select>
    </Field>
  );
}

interface FieldProps {
  of: string;
  label: string;
  hint?: string;
  fields: Record<string, string>;
  children: ComponentChildren;
}

function Field({ of, label, hint, fields, children }: FieldProps) {
  return (
    <div class="field">
      <label for={of}>{label}</label>
      {children}
      {hint && (
        <p id={`${of}-hint`} class="muted small">
          {hint}
        </p>
      )}
      <Complaint of={`options.${of}`} fields={fields} />
    </div>
  );
}

function Effects(asking: Asking) {
  const say = words.create;
  return (
    <div class="effects">
      <h3>{say.effectsTitle}</h3>
      <p class="muted small">{say.effectsHint}</p>
      <Complaint of="options.effects" fields={asking.fields} />
      <ul>
        {asking.offers.effects
          .filter((effect) => effect.name !== "mirror") // has a switch of its own
          .map((effect) => (
            <Effect key={effect.name} effect={effect} {...asking} />
          ))}
      </ul>
    </div>
  );
}

function Effect({ effect, ...asking }: Asking & { effect: OfferedEffect }) {
  const { settings, offers } = asking;
  const told = words.create.effects(effect.name);
  const on = isOn(effect.name, settings.value, offers);
  return (
    <li>
      <Switch
        text={told.name}
        hint={told.text}
        on={on}
        set={(wanted) => change(settings, { effects: { ...settings.value.effects, [effect.name]: wanted } })}
      />
      {on && (
        <div class="ranges">
          {paramsOf(effect).map((param) => (
            <Range key={param} effect={effect} param={param} {...asking} />
          ))}
        </div>
      )}
    </li>
  );
}

/** Which grain it is makes no difference that anybody would want to choose. */
function paramsOf(effect: OfferedEffect): string[] {
  return Object.keys(effect.bounds).filter((param) => effect.name !== "noise" || param !== "seed");
}

function Range({ effect, param, settings, offers, fields }: Asking & { effect: OfferedEffect; param: string }) {
  const say = words.create;
  const range = rangeOf(effect, param, settings.value, offers);
  const [low, high] = effect.bounds[param] ?? [0, 0];
  const where = `options.effects.ranges.${effect.name}.${param}`;
  const label = say.effects(effect.name).params[param] ?? param;
  const set = (place: 0 | 1, text: string) => {
    const typed: [string, string] = place ? [range[0], text] : [text, range[1]];
    const { ranges } = settings.value;
    change(settings, { ranges: { ...ranges, [effect.name]: { ...ranges[effect.name], [param]: typed } } });
  };
  const end = (place: 0 | 1, name: string) => (
    <input
      type="text"
      inputMode="decimal"
      aria-label={`${label}: ${name}`}
      aria-invalid={saidOf(where, fields) !== ""}
      value={range[place]}
      onInput={(event) => set(place, event.currentTarget.value)}
    />
  );
  return (
    <div class="range">
      <span>
        {label} <span class="muted small figure">{say.bounds(low, high)}</span>
      </span>
      {end(0, say.least)}
      <span aria-hidden="true">–</span>
      {end(1, say.most)}
      <Complaint of={where} fields={fields} />
    </div>
  );
}
