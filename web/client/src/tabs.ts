import type { Reason } from "./errors.js";
import type { Surroundings } from "./surroundings.js";

/** Whether somebody is signed in, and why nobody is any more. */
export interface SessionChange {
  readonly signedIn: boolean;
  /** Absent when the person signed out. */
  readonly reason?: Reason;
}

/** What the tabs tell each other about the cookies. It contains no secret. */
interface Note extends SessionChange {
  /** Grows whenever the cookies change. */
  readonly epoch: number;
  /** The epoch in which this session began. */
  readonly since: number;
  /** The time, by the clock of this browser, from which on a call should refresh first; absent when unknown. */
  readonly renewAt?: number;
}

/**
 * The state of a call that needs the cookies for itself: it waits for another tab that has them; it overtakes a tab
 * that had them for too long; it proceeds.
 */
export type Wait = "waiting" | "overtaking" | "over";

/** How long a call waits for another tab before the page is notified, in milliseconds. */
const TOLD_AFTER = 2_000;
/**
 * How long a call waits for another tab at most, in milliseconds. A working tab gives way sooner, unless its own calls
 * are lost repeatedly. A tab that hangs never does: it was suspended, or a script of the page requested the same lock.
 */
const PATIENCE = 15_000;

/**
 * What the tabs of an origin share: one lock, and a note of when the cookies last changed.
 *
 * Safety depends on the lock only. The note saves work: browsers may show a tab an outdated note for a moment, and then
 * that tab refreshes once more than necessary.
 */
export class Tabs {
  #last: Note | undefined;
  readonly #listeners = new Set<(change: SessionChange) => void>();
  readonly #watchers = new Set<(wait: Wait) => void>();
  #wait: Wait = "over";

  constructor(
    private readonly name: string,
    private readonly surroundings: Surroundings,
  ) {
    this.#last = this.#stored();
    surroundings.events.addEventListener("storage", (event) => {
      const { key, newValue } = event as StorageEvent;
      if (key === this.name) this.#take(parse(newValue));
    });
  }

  /**
   * Runs `act` while no other tab runs one. A tab that does not give way in time is overtaken: then both run, and only
   * the service prevents that an older answer replaces a newer one, as it does between origins.
   */
  async alone<T>(act: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted();
    let begun: Promise<T> | undefined;
    let impatient = false;
    const waiting = new AbortController();
    const giveUp = () => waiting.abort(signal?.reason);
    signal?.addEventListener("abort", giveUp, { once: true });
    const timers = [
      this.surroundings.timer(TOLD_AFTER, () => this.#tell("waiting")),
      this.surroundings.timer(PATIENCE, () => {
        impatient = true;
        waiting.abort();
      }),
    ];
    const settle = () => {
      for (const stop of timers) stop();
      signal?.removeEventListener("abort", giveUp);
    };
    const begin = () => {
      settle();
      this.#tell(impatient ? "overtaking" : "over");
      return (begun = act());
    };
    try {
      return await this.#lock({ signal: waiting.signal }, begin);
    } catch (error) {
      // A call that has begun continues although another tab took the lock over, and its result counts.
      if (begun !== undefined) return await begun;
      settle();
      if (!impatient) {
        this.#tell("over");
        throw error;
      }
    }
    try {
      return await this.#lock({ steal: true }, begin);
    } catch {
      return await (begun ?? begin());
    }
  }

  /**
   * Runs `act` while no other tab runs one for the same `purpose`, and beside those that run `alone`. If another tab
   * does not give way in time, both run. The page is not notified.
   */
  async inTurn<T>(purpose: string, act: () => Promise<T>): Promise<T> {
    const waiting = new AbortController();
    const stop = this.surroundings.timer(PATIENCE, () => waiting.abort());
    const begin = () => {
      stop();
      return act();
    };
    try {
      return await this.#lock({ signal: waiting.signal }, begin, `${this.name} ${purpose}`);
    } catch (error) {
      if (waiting.signal.aborted) return act();
      throw error;
    }
  }

  #lock<T>(options: LockOptions, act: () => Promise<T>, name = this.name): Promise<T> {
    return this.surroundings.locks.request(name, { mode: "exclusive", ...options }, act) as Promise<T>;
  }

  /**
   * Calls `listener` when a call begins to wait for another tab, overtakes it, or proceeds. Returns a function that
   * stops this.
   */
  onWait(listener: (wait: Wait) => void): () => void {
    this.#watchers.add(listener);
    return () => this.#watchers.delete(listener);
  }

  #tell(wait: Wait): void {
    // Most calls never wait.
    if (wait === this.#wait) return;
    this.#wait = wait;
    for (const listener of [...this.#watchers]) listener(wait);
  }

  /** Changes whenever the cookies change. */
  get epoch(): number {
    return Math.max(this.#stored()?.epoch ?? 0, this.#last?.epoch ?? 0);
  }

  /** Whether the cookies are so old that the service would soon refuse them. */
  get stale(): boolean {
    this.#take(this.#stored());
    return this.surroundings.now() >= (this.#last?.renewAt ?? Infinity);
  }

  /** Whether somebody is signed in, by the last note; `undefined` when there is none. */
  get signedIn(): boolean | undefined {
    this.#take(this.#stored());
    return this.#last?.signedIn;
  }

  /** Calls `listener` at every change, in any tab. Returns a function that stops this. */
  onChange(listener: (change: SessionChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Notifies all tabs that the cookies changed. Must be called within `alone`. */
  publish(change: SessionChange, { opened = false, renewAt }: { opened?: boolean; renewAt?: number | undefined } = {}): void {
    this.#take(this.#stored());
    // The clock, so that two tabs never give two changes the same number, even if one saw an outdated note.
    const epoch = Math.max(this.surroundings.now(), this.epoch + 1);
    const goesOn = !opened && this.#last?.signedIn === change.signedIn;
    const since = goesOn ? (this.#last?.since ?? epoch) : epoch;
    const note = { ...change, epoch, since, ...(renewAt !== undefined && { renewAt }) };
    try {
      this.surroundings.storage?.setItem(this.name, JSON.stringify(note));
    } catch {
      // Full or forbidden: other tabs notice the change at their next call.
    }
    this.#take(note);
  }

  #take(note: Note | undefined): void {
    const before = this.#last;
    if (note === undefined || (before !== undefined && note.epoch <= before.epoch)) return;
    this.#last = note;
    if (before?.signedIn === note.signedIn && before.since === note.since) return;
    const { signedIn, reason } = note;
    for (const listener of [...this.#listeners]) listener(reason ? { signedIn, reason } : { signedIn });
  }

  #stored(): Note | undefined {
    try {
      return parse(this.surroundings.storage?.getItem(this.name) ?? null);
    } catch {
      return undefined;
    }
  }
}

/** Reads a note. Any script of the origin can write to the storage, so anything else is ignored. */
function parse(text: string | null): Note | undefined {
  try {
    const note = JSON.parse(text ?? "null");
    const numbers = [note?.epoch, note?.since, note?.renewAt ?? 0];
    return numbers.every(Number.isSafeInteger) && typeof note.signedIn === "boolean" ? note : undefined;
  } catch {
    return undefined;
  }
}
