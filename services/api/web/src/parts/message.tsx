import type { ComponentChildren } from "preact";
import { words } from "../words";
import { Button } from "./button";
import { Icon, type IconName } from "./icon";
import { sentence } from "./notice";

/** What stands where nothing can be listed: a picture, a sentence, and what to do next. */
export function Message({ icon, title, children }: { icon: IconName; title: string; children?: ComponentChildren }) {
  return (
    <div class="message">
      <Icon name={icon} />
      <h2>{title}</h2>
      {children}
    </div>
  );
}

export function Failed({ error, again }: { error: unknown; again(): unknown }) {
  return (
    <Message icon="warning" title={sentence(error)}>
      <Button look="main" icon="retry" onClick={again}>
        {words.again}
      </Button>
    </Message>
  );
}
