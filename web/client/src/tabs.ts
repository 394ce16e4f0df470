import type { Reason } from "./errors.js";
import type { Surroundings } from "./surroundings.js";

/** Whether somebody is signed in, and if no longer, why. */
export interface SessionChange {
  readonly signedIn: boolean;
  /** Absent after a sign-out that was asked for. */
  readonly reason?: Reason;
}

/** What the tabs tell each other about the cookies. Nothing in it is of use to anybody else. */
interface Note extends SessionChange {
  /** Grows whenever the cookies change. */
  readonly epoch: number;
  /** The epoch in which this session began. */
  readonly since: number;
  /** From when on, by the clock of this browser, a call had better refresh first; absent when that is not known. */
  readonly renewAt?: number;
}

/**
 * What the tabs of an origin share: one lock, and a note of when the cookies last changed.
 *
 * The lock is what safety rests on. The note only saves work: browsers may show a tab an older note for a moment, and then
 * that tab refreshes once more than it had to.
 */
export class Tabs {
  #last: Note | undefined;
  readonly #listeners = new Set<(change: SessionChange) => void>();

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

  /** Runs `act` while no other tab runs one. */
  alone<T>(act: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const options: LockOptions = signal ? { mode: "exclusive", signal } : { mode: "exclusive" };
    return this.surroundings.locks.request(this.name, options, act) as Promise<T>;
  }

  /** Changes whenever the cookies do. */
  get epoch(): number {
    return Math.max(this.#stored()?.epoch ?? 0, this.#last?.epoch ?? 0);
  }

  /** Whether the cookies are so old that the next call would soon be refused. */
  get stale(): boolean {
    this.#take(this.#stored());
    return this.surroundings.now() >= (this.#last?.renewAt ?? Infinity);
  }

  /** What was heard last; `undefined` when nothing was. */
  get signedIn(): boolean | undefined {
    this.#take(this.#stored());
    return this.#last?.signedIn;
  }

  /** Calls `listener` at every change, in whichever tab it came about. Returns what ends that. */
  onChange(listener: (change: SessionChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Tells all tabs that the cookies changed. To be called while alone. */
  publish(change: SessionChange, { opened = false, renewAt }: { opened?: boolean; renewAt?: number | undefined } = {}): void {
    this.#take(this.#stored());
    // The clock, so that two tabs never give one number to two changes even if one was shown an older note.
    const epoch = Math.max(this.surroundings.now(), this.epoch + 1);
    const goesOn = !opened && this.#last?.signedIn === change.signedIn;
    const since = goesOn ? (this.#last?.since ?? epoch) : epoch;
    const note = { ...change, epoch, since, ...(renewAt !== undefined && { renewAt }) };
    try {
      this.surroundings.storage?.setItem(this.name, JSON.stringify(note));
    } catch {
      // Full or forbidden: other tabs find out by their next call.
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

/** Anything on the origin can write to the storage: only a note is read as one. */
function parse(text: string | null): Note | undefined {
  try {
    const note = JSON.parse(text ?? "null");
    const numbers = [note?.epoch, note?.since, note?.renewAt ?? 0];
    return numbers.every(Number.isSafeInteger) && typeof note.signedIn === "boolean" ? note : undefined;
  } catch {
    return undefined;
  }
}
