import { Code, ConnectError, createContextKey, type Interceptor, type UnaryRequest } from "@connectrpc/connect";

/** The era in which a call was begun. */
const BEGUN = createContextKey<number | undefined>(undefined, { description: "era" });
/** It was not sent; whether it may be is being found out. */
const HELD = new ConnectError("somebody signed in", Code.Aborted);

/** What an era has to know of the page. */
export interface Surrounding {
  /** Whether a call is about the account of whoever is signed in. */
  concerns(call: Pick<UnaryRequest, "method">): boolean;
  /** Takes in what other tabs did and nobody has heard of yet. */
  listen(): void;
}

/**
 * The time during which one person is signed in. A call goes out with the cookies of the moment, which another tab may have replaced.
 *
 * Invariant: from the moment in which this tab hears that somebody signed in, no call that was begun before is sent and no
 * answer to it is used, until it is known that it is the same person; and never if it is not.
 */
export class Era {
  #number = 0;
  #asking: Promise<void> | undefined;

  constructor(private readonly surrounding: Surrounding) {}

  /** Somebody else is signed in now. */
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

  /** What to send calls through instead of `interceptors` alone. */
  around(interceptors: Interceptor[]): Interceptor[] {
    // Without any, these are the client's own calls: to sign in, to refresh, to sign out. What is held may wait for them.
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

  /** The innermost: a call is repeated with the cookies of whoever is signed in by then. Waits for nothing, as the lock may be held. */
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
