import { webAuthn, type WebAuthn } from "./webauthn.js";

/** What the client needs from its page. Tests provide their own. */
export interface Surroundings {
  /** Locks that all tabs of the origin share. */
  readonly locks: Pick<LockManager, "request">;
  /** Shared by all tabs of the origin; `undefined` when the browser forbids it. */
  readonly storage: Pick<Storage, "getItem" | "setItem"> | undefined;
  /** Whether the browser claims to keep cookies. It may drop them all the same. */
  readonly cookies: () => boolean;
  /** What asks for passkeys; `undefined` where the browser has none. */
  readonly webAuthn: WebAuthn | undefined;
  /** The target of `storage` events. */
  readonly events: Pick<EventTarget, "addEventListener">;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** From 0 up to 1. */
  readonly random: () => number;
  /** Runs `act` after a time in milliseconds, unless the returned function is called before. */
  readonly timer: (duration: number, act: () => void) => () => void;
  /** Waits for a time in milliseconds; rejects with the signal's reason as soon as the signal is aborted. */
  readonly sleep: (duration: number, signal?: AbortSignal) => Promise<void>;
}

/**
 * The surroundings of this page. Throws where there are no Web Locks: browsers have them wherever they keep `Secure`
 * cookies.
 */
export function page(): Surroundings {
  if (globalThis.navigator?.locks === undefined) {
    throw new Error("Countersign needs Web Locks, which browsers have on https:// and on localhost");
  }
  return { locks: navigator.locks, storage: storage(), cookies: () => navigator.cookieEnabled, webAuthn: webAuthn(), events: globalThis, now: Date.now, random: Math.random, timer, sleep };
}

function storage(): Storage | undefined {
  try {
    return globalThis.localStorage;
  } catch {
    // Forbidden by the person. Then each tab refreshes by itself.
    return undefined;
  }
}

function timer(duration: number, act: () => void): () => void {
  const id = setTimeout(act, duration);
  return () => clearTimeout(id);
}

function sleep(duration: number, signal?: AbortSignal): Promise<void> {
  return orAborted(new Promise((resolve) => setTimeout(resolve, duration)), signal);
}

/** The result of `work`, or the signal's reason as soon as the signal is aborted. `work` continues. */
export async function orAborted<T>(work: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (signal === undefined) return work;
  signal.throwIfAborted();
  let abort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
  });
  return Promise.race([work, aborted]).finally(() => signal.removeEventListener("abort", abort));
}
