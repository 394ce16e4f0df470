import type { Countersign, SessionChange } from "@countersign/client";
import type { AccountStore } from "./account-store";
import type { Era } from "./era";
import type { Navigation } from "./navigation";
import type { Notice, Notices } from "./notices";
import { needsSession, PATHS, type Path } from "./routes";

/** How the person ended the session in this tab. */
export type Leaving = "signedOut" | "deleted";

/** Leads the person to the page that fits the session, and says why. */
export class Presence {
  /** Where the person wanted to go before signing in. Only one of our own paths, and only in memory. */
  #wanted: Path | undefined;
  #leaving: Leaving | undefined;
  /** How many things keep the person on the sign-in page. */
  #stays = 0;

  constructor(
    private readonly countersign: Pick<Countersign, "signedIn" | "onChange">,
    private readonly navigation: Navigation,
    private readonly notices: Notices,
    private readonly account: Pick<AccountStore, "owner" | "load">,
    private readonly era: Pick<Era, "hold" | "end">,
  ) {
    countersign.onChange((change) => this.#changed(change));
    navigation.onMove(() => this.#guard());
    this.#guard();
  }

  /** Runs an action that ends the session on purpose, so that no message says that the session ended by itself. */
  async leave<T>(how: Leaving, act: () => Promise<T>): Promise<T> {
    this.#leaving = how;
    try {
      return await act();
    } finally {
      this.#leaving = undefined;
    }
  }

  /**
   * Keeps the person on the sign-in page although somebody signs in, until the returned function is called: something
   * is shown there that is shown once.
   */
  stay(): () => void {
    this.#stays++;
    let stays = true;
    return () => {
      if (!stays) return;
      stays = false;
      this.#stays--;
      if (this.countersign.signedIn) this.arrive();
    };
  }

  /** Leads to the page that the person wanted. */
  arrive(): void {
    if (this.#stays > 0 || this.navigation.place.page !== "signIn") return;
    const path = this.#wanted ?? PATHS.account;
    this.#wanted = undefined;
    this.navigation.go(path, { replace: true });
  }

  #guard(): void {
    // In this order: reading `signedIn` may bring changes of another tab, which may lead to another page.
    const { signedIn } = this.countersign;
    const { page } = this.navigation.place;
    if (page === "start") this.navigation.go(signedIn ? PATHS.account : PATHS.signIn, { replace: true });
    else if (page === "signIn" && signedIn) this.arrive();
    else if (needsSession(page) && signedIn === false) this.#signIn({ tone: "plain", key: "signInFirst" });
  }

  #changed({ signedIn, reason }: SessionChange): void {
    const { page } = this.navigation.place;
    if (signedIn && needsSession(page)) return this.era.hold(() => this.#welcome());
    if (signedIn) {
      this.era.end();
      return this.arrive();
    }
    if (!needsSession(page)) return;
    // A reason means that the session did not end because the account was deleted.
    if (this.#leaving === "signedOut" || (this.#leaving && !reason)) this.#signIn({ tone: "good", key: this.#leaving }, { forget: true });
    // Nobody was signed in before.
    else if (reason === "TOKEN_MISSING") this.#signIn({ tone: "plain", key: "signInFirst" });
    else if (reason) this.#signIn({ tone: "bad", reason });
    else this.#signIn({ tone: "plain", key: "signedOutElsewhere" });
  }

  /** Handles a sign-in while a page about an account is shown. The page is loaded again if it may be another person. */
  async #welcome(): Promise<void> {
    const before = this.account.owner;
    const now = await this.account.load().then(({ accountId }) => accountId, () => undefined);
    const same = now !== undefined && now === before;
    if (!same) this.era.end();
    const { page } = this.navigation.place;
    // The typed text of the same person stays. The list of devices must show the new session.
    if (!page || !needsSession(page) || (same && page !== "sessions")) return;
    if (!same && now && before) this.notices.leave({ tone: "plain", key: "otherAccount" });
    this.navigation.go(PATHS[page], { replace: true });
  }

  #signIn(notice: Notice, { forget = false } = {}): void {
    const { page } = this.navigation.place;
    this.#wanted = page && needsSession(page) && !forget ? PATHS[page] : undefined;
    this.notices.leave(notice);
    this.navigation.go(PATHS.signIn, { replace: true });
  }
}
