import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { Icon, type IconName } from "./icon";
import { failed } from "./notice";

interface Props {
  children?: ComponentChildren;
  icon?: IconName;
  /** The name of a button that shows only an icon. */
  label?: string;
  look?: "plain" | "main" | "danger" | "quiet";
  disabled?: boolean;
  /** Why it is disabled, or what it does. */
  title?: string;
  pressed?: boolean;
  onClick(): unknown;
}

/** Cannot be pressed twice while it works; what fails is said. One that goes while it has the focus leaves it to the page. */
export function Button({ children, icon, label, look = "plain", disabled, title, pressed, onClick }: Props) {
  const working = useSignal(false);
  const itself = useRef<HTMLButtonElement>(null);
  useLayoutEffect(
    () => () => {
      if (document.activeElement === itself.current) document.querySelector("main")?.focus({ preventScroll: true });
    },
    [],
  );
  const press = async () => {
    if (working.value) return;
    working.value = true;
    try {
      await onClick();
    } catch (error) {
      failed(error);
    } finally {
      working.value = false;
    }
  };
  return (
    <button
      ref={itself}
      type="button"
      class={`button ${look} ${children ? "" : "bare"}`}
      aria-label={label}
      aria-busy={working.value}
      aria-pressed={pressed}
      title={title ?? (children ? undefined : label)}
      disabled={disabled}
      onClick={press}
    >
      {icon && <Icon name={icon} />}
      {children && <span>{children}</span>}
    </button>
  );
}
