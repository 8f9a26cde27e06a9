// The frame around every page.

import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { connection } from "./live";
import { bell, ring } from "./notify";
import { reach } from "./online";
import { CreatePage } from "./pages/create";
import { JobPage } from "./pages/job";
import { JobsPage } from "./pages/jobs";
import { Login } from "./pages/login";
import { SystemPage } from "./pages/system";
import { Button } from "./parts/button";
import { Icon, type IconName } from "./parts/icon";
import { Link } from "./parts/link";
import { Failed } from "./parts/message";
import { Notices } from "./parts/notice";
import { UploadPill } from "./parts/pill";
import { Questions } from "./parts/question";
import { type Place, place } from "./router";
import { SCHEMES, type Scheme, scheme } from "./scheme";
import { logOut, recognise, session } from "./session";
import { title } from "./title";
import { leave } from "./uploads";
import { words } from "./words";

const trouble = signal<unknown>(null);

function begin(): Promise<void> {
  trouble.value = null;
  return recognise().catch((error: unknown) => {
    trouble.value = error;
  });
}

export function App() {
  useEffect(() => {
    void begin();
  }, []);
  useEffect(() => {
    title.value = session.value === "in" ? words.titles[place.value.page] : words.titles.login;
  }, [place.value, session.value]);
  return (
    <>
      <Frame />
      <Notices />
      <Questions />
    </>
  );
}

function Frame() {
  if (trouble.value) return <Failed error={trouble.value} again={begin} />;
  if (session.value === "unknown") return <div class="blank" aria-busy="true" />;
  if (session.value !== "in") return <Login />;
  return (
    <>
      <a class="skip" href="#main">
        {words.skip}
      </a>
      <Header />
      <Banner />
      <main id="main" tabIndex={-1}>
        <Page at={place.value} />
      </main>
    </>
  );
}

function Page({ at }: { at: Place }) {
  switch (at.page) {
    case "jobs":
      return <JobsPage />;
    case "create":
      return <CreatePage />;
    case "job":
      return <JobPage key={at.id} id={at.id} />;
    case "system":
      return <SystemPage />;
  }
}

function Header() {
  const page = place.value.page;
  const current = (name: Place["page"]) => (page === name ? "page" : undefined);
  return (
    <header class="top">
      <Link class="brand" to="" aria-label={words.name}>
        <img src="icon.svg" alt="" width="28" height="28" />
        <span>{words.name}</span>
      </Link>
      <nav aria-label={words.nav.label}>
        <Link to="" aria-current={current("jobs")}>
          {words.nav.jobs}
        </Link>
        <Link to="system" aria-current={current("system")}>
          {words.nav.system}
        </Link>
      </nav>
      {page !== "create" && <UploadPill />}
      <div class="tools">
        <Bell />
        <SchemeButton />
        <Button look="quiet" icon="out" label={words.nav.logOut} onClick={async () => (await leave()) && logOut()} />
        <Link class="button main" to="new" aria-current={current("create")}>
          <Icon name="plus" />
          <span>{words.nav.create}</span>
        </Link>
      </div>
    </header>
  );
}

const SCHEME_ICONS: Record<Scheme, IconName> = { system: "device", light: "sun", dark: "moon" };

function SchemeButton() {
  const next = () => {
    scheme.value = SCHEMES[(SCHEMES.indexOf(scheme.value) + 1) % SCHEMES.length] ?? "system";
  };
  return (
    <Button look="quiet" icon={SCHEME_ICONS[scheme.value]} label={words.nav.scheme[scheme.value]} onClick={next} />
  );
}

function Bell() {
  if (bell.value === "absent") return null;
  const on = bell.value === "on";
  return (
    <Button
      look="quiet"
      icon={on ? "bell" : "bellOff"}
      label={on ? words.notify.on : words.notify.off}
      pressed={on}
      onClick={ring}
    />
  );
}

function Banner() {
  const text =
    reach.value === "no-network"
      ? words.offline.network
      : reach.value === "no-service"
        ? words.offline.server
        : connection.value === "polling"
          ? words.offline.polling
          : "";
  return (
    <div class={`banner ${reach.value}`} role="status">
      {text && (
        <p>
          <Icon name={reach.value === "online" ? "info" : "warning"} />
          {text}
        </p>
      )}
    </div>
  );
}
