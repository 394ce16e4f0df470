import type { Account } from "@countersign/client";
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { useApp } from "../app-context";
import { Button, useDoing } from "./action";
import { Heading } from "./heading";
import { Link } from "./link";
import { FaultNote } from "./note";

export interface SheetProps {
  readonly title: string;
  /** Whether the person came here by something that was done on this page. */
  readonly moved?: boolean;
  readonly wide?: boolean;
  readonly children: ComponentChildren;
}

/** A page that asks for one thing. */
export function Sheet({ title, moved = false, wide = false, children }: SheetProps) {
  return (
    <div class={wide ? "room" : "sheet"}>
      <Heading moved={moved}>{title}</Heading>
      {children}
    </div>
  );
}

/** A page about the account of whoever is signed in. */
export function AccountFrame({ title, children }: { readonly title: string; readonly children: ComponentChildren }) {
  const { place, texts } = useApp();
  const page = place.page;
  return (
    <div class="room">
      <nav class="rooms" aria-label={texts.account.navigation}>
        <Link to="account" current={page === "account"}>
          {texts.account.overview}
        </Link>
        <Link to="sessions" current={page === "sessions"}>
          {texts.account.devices}
        </Link>
        <Link to="email" current={page === "email"}>
          {texts.labels["email"]}
        </Link>
        <Link to="password" current={page === "password"}>
          {texts.labels["password"]}
        </Link>
      </nav>
      <Heading>{title}</Heading>
      {children}
    </div>
  );
}

/** Shows what needs the account as soon as it is there. */
export function WithAccount({ children }: { readonly children: (account: Account) => ComponentChildren }) {
  const { account: store } = useApp();
  const [account, setAccount] = useState(store.known);
  const { run, busy, fault } = useDoing(async () => setAccount(await store.load()));
  useEffect(() => {
    if (account === undefined) void run();
  }, []);
  if (account) return <>{children(account)}</>;
  return <Loading busy={busy} fault={fault} again={() => void run()} />;
}

interface LoadingProps extends Pick<ReturnType<typeof useDoing>, "busy" | "fault"> {
  readonly again: () => void;
}

/** In place of what is not there yet, or could not be had. */
export function Loading({ busy, fault, again }: LoadingProps) {
  const { texts, errors } = useApp();
  if (fault === undefined) return <p class="loading">{texts.loading}</p>;
  return (
    <div class="action">
      <FaultNote fault={fault} />
      <Button busy={busy} onClick={again}>
        {errors.tryAgain}
      </Button>
    </div>
  );
}
