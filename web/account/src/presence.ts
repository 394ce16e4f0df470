import type { Countersign, SessionChange } from "@countersign/client";
import type { AccountStore } from "./account-store";
import type { Era } from "./era";
import type { Navigation } from "./navigation";
import type { Notice, Notices } from "./notices";
import { needsSession, PATHS, type Path } from "./routes";

/** A way to end the session that the person asked for in this tab. */
export type Leaving = "signedOut" | "deleted";

/** Brings the person to the page that fits to whether somebody is signed in, and says why. */
export class Presence {
  /** Where the person wanted to go before signing in. Only ever one of our own paths, and only in memory. */
  #wanted: Path | undefined;
  #leaving: Leaving | undefined;

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

  /** Runs what ends the session because the person wants it, so that nobody is told it ended by itself. */
  async leave<T>(how: Leaving, act: () => Promise<T>): Promise<T> {
    this.#leaving = how;
    try {
      return await act();
    } finally {
      this.#leaving = undefined;
    }
  }

  /** Goes on to where the person wanted to go. */
  arrive(): void {
    if (this.navigation.place.page !== "signIn") return;
    const path = this.#wanted ?? PATHS.account;
    this.#wanted = undefined;
    this.navigation.go(path, { replace: true });
  }

  #guard(): void {
    // In this order: asking may bring up what another tab did, and that may lead to another page.
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
    // A session that ended while somebody was deleting the account ended for another reason than that.
    if (this.#leaving === "signedOut" || (this.#leaving && !reason)) this.#signIn({ tone: "good", key: this.#leaving }, { forget: true });
    // Nobody was signed in to begin with.
    else if (reason === "TOKEN_MISSING") this.#signIn({ tone: "plain", key: "signInFirst" });
    else if (reason) this.#signIn({ tone: "bad", reason });
    else this.#signIn({ tone: "plain", key: "signedOutElsewhere" });
  }

  /** Somebody signed in while a page about an account is shown, which is made anew if it may be somebody else. */
  async #welcome(): Promise<void> {
    const before = this.account.owner;
    const now = await this.account.load().then(({ accountId }) => accountId, () => undefined);
    const same = now !== undefined && now === before;
    if (!same) this.era.end();
    const { page } = this.navigation.place;
    // What the same person has typed stays. The list of devices has to have the new session in it.
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
