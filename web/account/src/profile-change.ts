import type { Account } from "@countersign/client";

/** The values of the form, by their names in the proto. */
export type ProfileValues = Record<"display_name" | "username" | "locale", string>;

/** The paths of the changed fields: only they are sent, so that no change of another tab is undone. */
export function changedPaths(account: Pick<Account, "displayName" | "username" | "locale">, values: ProfileValues): (keyof ProfileValues)[] {
  const before: ProfileValues = { display_name: account.displayName, username: account.username, locale: account.locale };
  return (Object.keys(before) as (keyof ProfileValues)[]).filter((path) => values[path].trim() !== before[path]);
}

/** Whether the typed user name differs from that of the account. */
export function isRenamed(account: Pick<Account, "username">, typed: string): boolean {
  return typed.trim() !== account.username;
}
