import type { Account } from "@countersign/client";

/** What stands in the form, by the names of the proto. */
export type ProfileValues = Record<"display_name" | "username" | "locale", string>;

/** The paths of what is no longer as it was: only they are sent, so that nothing another tab changed is undone. */
export function changedPaths(account: Pick<Account, "displayName" | "username" | "locale">, values: ProfileValues): (keyof ProfileValues)[] {
  const before: ProfileValues = { display_name: account.displayName, username: account.username, locale: account.locale };
  return (Object.keys(before) as (keyof ProfileValues)[]).filter((path) => values[path].trim() !== before[path]);
}

/** Whether the user name that is typed is another one than that of the account. */
export function isRenamed(account: Pick<Account, "username">, typed: string): boolean {
  return typed.trim() !== account.username;
}
