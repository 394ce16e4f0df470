import type { Account, Countersign } from "@countersign/client";

/** The account of whoever is signed in, asked for once and kept for all pages of this tab. */
export class AccountStore {
  #account: Account | undefined;
  #owner: string | undefined;
  /** Grows when somebody else may be signed in: an answer that was asked for before is no longer theirs. */
  #era = 0;
  /**
   * What was last typed to name the account, an address or a user name, so that nobody types it twice. Only in memory: the
   * next person at this device must not find it.
   */
  identifier = "";
  /** The user name that was wished for at the last sign-up, until it is known who got it. In memory only, as `identifier`. */
  #wish: { readonly email: string; readonly username: string } | undefined;
  /** What was just mailed to it, for the page that asks for the code. */
  mailed: "sent" | "sentIfKnown" | undefined;

  constructor(private readonly countersign: Pick<Countersign, "account" | "onChange">) {
    countersign.onChange(({ signedIn, reason }) => {
      this.#era++;
      this.#account = undefined;
      if (!signedIn) this.#owner = undefined;
      // Whoever signs out may leave the device to somebody else. A session that ended by itself is about to be opened again.
      if (!signedIn && !reason) this.identifier = "";
      // Whoever signs in has an account already, or is somebody else.
      if (signedIn || !reason) this.#wish = undefined;
    });
  }

  /** What was last typed, if it is an address. */
  get address(): string {
    return this.identifier.includes("@") ? this.identifier.trim() : "";
  }

  /** Remembers which user name was wished for at a sign-up, if any, and forgets what anybody wished for before. */
  wish(email: string, username: string): void {
    this.#wish = username.trim() === "" ? undefined : { email, username: username.trim() };
  }

  /**
   * The user name that was wished for, or nothing, and forgets it. `email` is whose address was verified; a wish for another one
   * stays. A link does not say whose it is: it is taken for the last sign-up's.
   */
  takeWish(email?: string): string {
    const wish = this.#wish;
    if (wish === undefined || (email !== undefined && !isSameAddress(email, wish.email))) return "";
    this.#wish = undefined;
    return wish.username;
  }

  get known(): Account | undefined {
    return this.#account;
  }

  /** Whose account was known last, for as long as nobody signs out. */
  get owner(): string | undefined {
    return this.#owner;
  }

  async load(): Promise<Account> {
    if (this.#account) return this.#account;
    const era = this.#era;
    const { account } = await this.countersign.account.getMe({});
    if (account === undefined) throw new Error("the service answered without an account");
    if (era !== this.#era) return this.load();
    return this.#keep(account);
  }

  /** Makes a change, and keeps the answer to it unless it is about somebody who is no longer signed in. */
  async change(ask: () => Promise<{ readonly account?: Account | undefined }>): Promise<Account | undefined> {
    const era = this.#era;
    const { account } = await ask();
    if (account && (era === this.#era || account.accountId === this.#account?.accountId)) this.#keep(account);
    return account;
  }

  /** What is known is out of date. */
  forget(): void {
    this.#account = undefined;
  }

  #keep(account: Account): Account {
    this.#owner = account.accountId;
    return (this.#account = account);
  }
}

/** Whether two addresses are the same, as they were typed. */
function isSameAddress(one: string, other: string): boolean {
  return one.trim().toLowerCase() === other.trim().toLowerCase();
}
