import type { Account, Countersign } from "@countersign/client";

/** The account of the signed-in person, loaded once and kept for all pages of this tab. */
export class AccountStore {
  #account: Account | undefined;
  #owner: string | undefined;
  /** Grows when somebody else may be signed in: an answer to an earlier call may be about another person. */
  #era = 0;
  /**
   * The address or user name that was last typed for the account, so that nobody types it twice. Only in memory: the
   * next person at this device must not find it.
   */
  identifier = "";
  /**
   * The user name that was requested at the last sign-up, until the account's name is known. In memory only, like
   * `identifier`.
   */
  #wish: { readonly email: string; readonly username: string } | undefined;
  /** Which mail was just sent, for the page that requires its code. */
  mailed: "sent" | "sentIfKnown" | undefined;

  constructor(private readonly countersign: Pick<Countersign, "account" | "onChange">) {
    countersign.onChange(({ signedIn, reason }) => {
      this.#era++;
      this.#account = undefined;
      if (!signedIn) this.#owner = undefined;
      // After a sign-out somebody else may use the device. A session that ended by itself will probably be opened
      // again.
      if (!signedIn && !reason) this.identifier = "";
      // A person who signs in has an account already, or is somebody else.
      if (signedIn || !reason) this.#wish = undefined;
    });
  }

  /** The last typed identifier, if it is an address. */
  get address(): string {
    return this.identifier.includes("@") ? this.identifier.trim() : "";
  }

  /** Remembers the user name requested at a sign-up, if any, and forgets earlier ones. */
  wish(email: string, username: string): void {
    this.#wish = username.trim() === "" ? undefined : { email, username: username.trim() };
  }

  /**
   * Returns and forgets the requested user name, or nothing. `email` is the verified address; a user name requested for
   * another address stays. Without an address, as after a link, the last sign-up is meant.
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

  /** The id of the last known account, until somebody signs out. */
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

  /** Makes a change, and keeps the account of its answer unless another person is signed in by now. */
  async change(ask: () => Promise<{ readonly account?: Account | undefined }>): Promise<Account | undefined> {
    const era = this.#era;
    const { account } = await ask();
    if (account && (era === this.#era || account.accountId === this.#account?.accountId)) this.#keep(account);
    return account;
  }

  /** Drops the account, because it is out of date. */
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
