import type { CallOptions, Client } from "@connectrpc/connect";
import { NoPasskey } from "./errors.js";
import type { Factor, FactorService } from "./generated/countersign/v1/factor_service_pb.js";
import { orAborted, type Surroundings } from "./surroundings.js";
import { create, sign } from "./webauthn.js";

/** A passkey that was added to the account. */
export interface PasskeyAdded {
  readonly factor: Factor | undefined;
  /** With the first factor of the account: shown once, and each works once. */
  readonly backupCodes: readonly string[];
}

/** What the service wants a passkey to sign. */
export interface PasskeyRequest {
  /** A `PublicKeyCredentialRequestOptionsJSON`. */
  readonly json: string;
  /** When it is too late, in milliseconds, by the clock of this browser. */
  readonly ends: number;
}

/** How long before its end a request that waits in the autofill is replaced, in milliseconds. */
const AHEAD = 30_000;
/** The time in which a person may have dismissed something, in milliseconds. A browser refuses sooner. */
const NOTICEABLE = 1_000;
/** How long a request waits until the browser has ended the one before, in milliseconds. */
const RELEASE = 1_000;

/**
 * The passkey requests of a page. A browser accepts one at a time. So a request that waits in the autofill ends when
 * the person begins anything else, and may be made again afterwards.
 */
export class Passkeys {
  /** How many things the person has begun that have not ended. */
  #others = 0;
  readonly #resumes: (() => void)[] = [];
  #waiting: AbortController | undefined;
  /** Settles with the latest request. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(private readonly surroundings: Pick<Surroundings, "webAuthn" | "now" | "timer" | "sleep">) {}

  /** Runs what the person has begun, while no request waits in the autofill. */
  async instead<T>(act: () => Promise<T>): Promise<T> {
    this.#others++;
    this.#waiting?.abort();
    try {
      return await act();
    } finally {
      if (--this.#others === 0) for (const resume of this.#resumes.splice(0)) resume();
    }
  }

  /** Waits until nothing runs instead of the autofill. */
  async idle(signal?: AbortSignal): Promise<void> {
    while (this.#others > 0) await orAborted(new Promise<void>((resume) => this.#resumes.push(resume)), signal);
  }

  /** Signs a request in a dialog of the browser. Must be called within `instead`. */
  async sign(json: string, signal?: AbortSignal): Promise<string> {
    return this.#next(() => sign(this.surroundings.webAuthn, json, { signal }));
  }

  /**
   * Signs a request with the passkey that the person chooses in the autofill. `undefined` when the request ended before
   * that, and another one has to be made.
   */
  async signInAutofill({ json, ends }: PasskeyRequest, signal?: AbortSignal): Promise<string | undefined> {
    if (this.#others > 0) return undefined;
    const { now, timer, webAuthn } = this.surroundings;
    const begun = now();
    const waiting = new AbortController();
    const end = () => waiting.abort();
    signal?.throwIfAborted();
    signal?.addEventListener("abort", end, { once: true });
    const stop = timer(Math.max(ends - begun - AHEAD, (ends - begun) / 2), end);
    this.#waiting = waiting;
    try {
      const asked = this.#next(() => sign(webAuthn, json, { autofill: true, signal: waiting.signal }));
      return await orAborted(asked, waiting.signal);
    } catch (error) {
      signal?.throwIfAborted();
      const isDismissed = error instanceof NoPasskey && error.fault === "DISMISSED" && now() - begun >= NOTICEABLE;
      if (waiting.signal.aborted || isDismissed) return undefined;
      throw error;
    } finally {
      stop();
      signal?.removeEventListener("abort", end);
      this.#waiting = undefined;
    }
  }

  /** Creates a passkey in a dialog of the browser. Must be called within `instead`. */
  async create(json: string, signal?: AbortSignal): Promise<string> {
    return this.#next(() => create(this.surroundings.webAuthn, json, { signal }));
  }

  /** Adds a passkey to the account of the signed-in person. */
  add(factors: Client<typeof FactorService>, name: string, options?: CallOptions): Promise<PasskeyAdded> {
    return this.instead(async () => {
      const { factorId, passkeyCreationJson } = await factors.startPasskey({ name }, options);
      const passkeyCredentialJson = await this.create(passkeyCreationJson, options?.signal);
      const { factor, backupCodes } = await factors.finishPasskey({ factorId, passkeyCredentialJson }, options);
      return { factor, backupCodes };
    });
  }

  /** Makes a request when the browser has ended the one before, unless that takes too long. */
  async #next(ask: () => Promise<string>): Promise<string> {
    await Promise.race([this.#last, this.surroundings.sleep(RELEASE)]);
    const asked = ask();
    this.#last = asked.catch(() => {});
    return asked;
  }
}
