import type { Texts } from "./texts";

/** The result of a verification. */
export interface Verified {
  /** The account has no password yet: a mail with a link that sets one was sent. */
  readonly passwordLinkMailed: boolean;
  /** The user name that the account got; empty when it has none. */
  readonly username: string;
  /** The requested user name, as far as this page remembers; otherwise empty. */
  readonly wish: string;
}

/** The text for the person: the state of the account and, if there is anything to say, of the user name. */
export function verifiedText({ passwordLinkMailed, username, wish }: Verified, texts: Texts["verify"]): readonly string[] {
  const account = passwordLinkMailed ? texts.doneMailed : texts.doneText;
  // The account's name comes first: another sign-up for the address may have another name than the remembered one.
  if (username !== "") return [account, texts.withUsername(username)];
  return wish === "" ? [account] : [account, texts.usernameGone(wish)];
}
