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
  /** Whether an action on this page led here. */
  readonly moved?: boolean;
  readonly wide?: boolean;
  readonly children: ComponentChildren;
}

/** A page for one task. */
export function Sheet({ title, moved = false, wide = false, children }: SheetProps) {
  return (
    <div class={wide ? "room" : "sheet"}>
      <Heading moved={moved}>{title}</Heading>
      {children}
    </div>
  );
}

/** A page about the account of the signed-in person. */
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
        <Link to="security" current={page === "security"}>
          {texts.security.title}
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

/** Shows content that needs the account, once the account is loaded. */
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

/** Shown while the account is loading, or when it could not be loaded. */
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
