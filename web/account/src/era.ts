import { Code, ConnectError, createContextKey, type Interceptor, type UnaryRequest } from "@connectrpc/connect";

/** The era in which a call was begun. */
const BEGUN = createContextKey<number | undefined>(undefined, { description: "era" });
/** The call was not sent, because it is not known yet whether the era has ended. */
const HELD = new ConnectError("somebody signed in", Code.Aborted);

/** What an era needs from the page. */
export interface Surrounding {
  /** Whether a call is about the account of the signed-in person. */
  concerns(call: Pick<UnaryRequest, "method">): boolean;
  /** Reads the changes of other tabs. */
  listen(): void;
}

/**
 * The time during which one person is signed in. A call is sent with the current cookies, which another tab may have
 * replaced.
 *
 * Invariant: once this tab learns that somebody signed in, no call that was begun before is sent and no answer to it is
 * used, until it is known that the person is the same; and never if not.
 */
export class Era {
  #number = 0;
  #asking: Promise<void> | undefined;

  constructor(private readonly surrounding: Surrounding) {}

  /** Ends the era, because somebody else is signed in. */
  end(): void {
    this.#number++;
  }

  /** Holds all calls until `ask`, which must not fail, has found out whether the era ends. */
  hold(ask: () => Promise<void>): void {
    const asking = ask().finally(() => {
      if (this.#asking === asking) this.#asking = undefined;
    });
    this.#asking = asking;
  }

  /** The interceptors to send calls through, instead of `interceptors` alone. */
  around(interceptors: Interceptor[]): Interceptor[] {
    // Without any, these are the client's own calls: to sign in, to refresh, to sign out. Held calls may wait for them.
    return interceptors.length === 0 ? [] : [this.#whole, ...interceptors, this.#attempt];
  }

  readonly #whole: Interceptor = (next) => async (call) => {
    if (call.stream || !this.surrounding.concerns(call)) return next(call);
    const era = this.#number;
    call.contextValues.set(BEGUN, era);
    for (;;) {
      await this.#settle(era);
      try {
        const answer = await next(call);
        await this.#settle(era);
        return answer;
      } catch (error) {
        if (error !== HELD) throw error;
      }
    }
  };

  /**
   * The innermost interceptor: a repeated call carries the current cookies. Waits for nothing, because the lock may be
   * held.
   */
  readonly #attempt: Interceptor = (next) => async (call) => {
    const era = call.contextValues.get(BEGUN);
    if (era !== undefined) {
      this.surrounding.listen();
      if (this.#asking || era !== this.#number) throw HELD;
    }
    return next(call);
  };

  async #settle(era: number): Promise<void> {
    this.surrounding.listen();
    while (this.#asking) await this.#asking;
    if (era !== this.#number) throw new ConnectError("somebody else is signed in", Code.Aborted);
  }
}
