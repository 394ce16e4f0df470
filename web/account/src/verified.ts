import type { Texts } from "./texts";

/** What a verification came to. */
export interface Verified {
  /** No password counts yet: a mail with a link that sets one is on its way. */
  readonly passwordLinkMailed: boolean;
  /** The user name that the account got; empty when it has none. */
  readonly username: string;
  /** The user name that was wished for, as far as this page remembers; otherwise empty. */
  readonly wish: string;
}

/** What a person is told: how far the account is, and how it stands with the user name, if there is anything to say. */
export function verifiedText({ passwordLinkMailed, username, wish }: Verified, texts: Texts["verify"]): readonly string[] {
  const account = passwordLinkMailed ? texts.doneMailed : texts.doneText;
  // What the account has comes first: another sign-up for the address may have brought another name than the one remembered.
  if (username !== "") return [account, texts.withUsername(username)];
  return wish === "" ? [account] : [account, texts.usernameGone(wish)];
}
