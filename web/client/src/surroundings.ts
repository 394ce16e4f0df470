/** What the client takes from the page it runs in. Tests bring their own. */
export interface Surroundings {
  /** Locks that all tabs of the origin share. */
  readonly locks: Pick<LockManager, "request">;
  /** Shared by all tabs of the origin; `undefined` where the browser forbids it. */
  readonly storage: Pick<Storage, "getItem" | "setItem"> | undefined;
  /** Whether the browser says that it keeps cookies. It may keep none all the same. */
  readonly cookies: () => boolean;
  /** Where `storage` events arrive. */
  readonly events: Pick<EventTarget, "addEventListener">;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** From 0 up to 1. */
  readonly random: () => number;
  /** Runs `act` after milliseconds, unless what is returned is called before. */
  readonly timer: (duration: number, act: () => void) => () => void;
  /** Waits for milliseconds; rejects with the signal's reason as soon as that is aborted. */
  readonly sleep: (duration: number, signal?: AbortSignal) => Promise<void>;
}

/** The page that runs this. Throws where there are no Web Locks: they exist wherever `Secure` cookies do. */
export function page(): Surroundings {
  if (globalThis.navigator?.locks === undefined) {
    throw new Error("Countersign needs Web Locks, which browsers have on https:// and on localhost");
  }
  return { locks: navigator.locks, storage: storage(), cookies: () => navigator.cookieEnabled, events: globalThis, now: Date.now, random: Math.random, timer, sleep };
}

function storage(): Storage | undefined {
  try {
    return globalThis.localStorage;
  } catch {
    // The person forbade it. Tabs then refresh once each.
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

/** What `work` comes to, or the signal's reason as soon as that is aborted. `work` goes on. */
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
