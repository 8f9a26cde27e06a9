import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Icon } from "../parts/icon";
import { sentence } from "../parts/notice";
import { logIn, session } from "../session";
import { words } from "../words";

/** It stands in place of whatever page was asked for: once logged in, one is there. */
export function Login() {
  const password = useSignal("");
  const shown = useSignal(false);
  const working = useSignal(false);
  const complaint = useSignal("");
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);

  const submit = async (event: Event) => {
    event.preventDefault();
    if (working.value || !password.value) return;
    working.value = true;
    complaint.value = "";
    try {
      await logIn(password.value);
    } catch (error) {
      complaint.value = sentence(error);
      field.current?.select();
    } finally {
      working.value = false;
    }
  };

  const say = words.login;
  return (
    <main class="login" tabIndex={-1}>
      <form class="card" onSubmit={submit}>
        <img src="icon.svg" alt="" width="48" height="48" />
        <h1>{words.name}</h1>
        <p class="muted">{words.tagline}</p>
        {session.value === "expired" && <p class="callout">{say.expired}</p>}
        <label for="password">{say.password}</label>
        <div class="field">
          <input
            ref={field}
            id="password"
            name="password"
            type={(shown.value ? "text" : "password") as "password"}
            autocomplete="current-password"
            required
            aria-invalid={complaint.value !== ""}
            aria-describedby="complaint hint"
            value={password.value}
            onInput={(event) => {
              password.value = event.currentTarget.value;
            }}
          />
          <button
            type="button"
            class="button quiet bare"
            aria-label={shown.value ? say.hide : say.show}
            aria-pressed={shown.value}
            onClick={() => {
              shown.value = !shown.value;
            }}
          >
            <Icon name="eye" />
          </button>
        </div>
        <p id="complaint" class="complaint" role="alert">
          {complaint.value}
        </p>
        <button type="submit" class="button main" aria-busy={working.value}>
          <span>{working.value ? say.working : say.submit}</span>
        </button>
        <p id="hint" class="hint muted">
          {say.hint}
        </p>
      </form>
    </main>
  );
}
